"""Whether the installed torch can use this host's GPUs: its CUDA against their driver. torch itself is not imported."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from producer.health.check import failed, passed

if TYPE_CHECKING:
    from producer.health.check import HealthCheck
    from producer.health.nvidia import NvidiaAnswer

TORCH = "torch"
#: The oldest driver for each major version of CUDA, whatever its minor version.
#: https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}


@dataclass(frozen=True, kw_only=True)
class TorchBuild:
    """The torch that is installed."""

    version: str
    #: The CUDA it was built for; "" if it is a build for the CPU.
    cuda: str


def installed_torch() -> TorchBuild | None:
    """What its own version file says; None if it is not installed."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    try:
        text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    except OSError:
        return None
    return TorchBuild(version=_value(text, "__version__"), cuda=_value(text, "cuda"))


def check_torch(build: TorchBuild | None, answer: NvidiaAnswer) -> HealthCheck:
    """Whether torch is there where there are GPUs, is no build for the CPU, and is not too new for their driver."""
    count = len(answer.gpus)
    gpus = f"this host has {count} {'GPU' if count == 1 else 'GPUs'}"
    if build is None:
        if count:
            return failed(TORCH, f"not installed, but {gpus}", "pip install 'paragone[gpu]'")
        return passed(TORCH, "not installed: this host can ingest, enqueue and watch, but run no model (`pip install 'paragone[gpu]'`)")
    shown = f"{build.version}, {f'CUDA {build.cuda}' if build.cuda else 'for the CPU'}"
    if not count:
        return passed(TORCH, shown)
    if not build.cuda:
        fix = "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu128"
        return failed(TORCH, f"torch {build.version} is a build for the CPU, but {gpus}", fix)
    oldest = OLDEST_DRIVER.get(int(build.cuda.split(".")[0]), 0)
    drivers = {gpu.driver for gpu in answer.gpus}
    old = sorted(driver for driver in drivers if _major(driver) < oldest)
    if old:
        text = f"the NVIDIA driver {old[0]} is too old for torch {build.version}: CUDA {build.cuda} needs {oldest} or newer"
        return failed(TORCH, text, "update the driver, or install a torch that is built for an older CUDA")
    return passed(TORCH, f"{shown}, driver {', '.join(sorted(drivers))}")


def _value(text: str, name: str) -> str:
    found = re.search(rf"^{name}\b[^=\n]*= *(.+?)\s*$", text, re.MULTILINE)
    try:
        value = ast.literal_eval(found[1]) if found else None
    except (SyntaxError, ValueError):
        return ""
    return value if isinstance(value, str) else ""


def _major(driver: str) -> int:
    found = re.match(r"\d+", driver)
    return int(found[0]) if found else 0
