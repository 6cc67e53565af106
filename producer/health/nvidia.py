"""What nvidia-smi says of this host's GPUs; no model library is loaded."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from producer.health.check import failed, passed, warned
from workers.gpus import configured_gpus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from producer.health.check import HealthCheck
    from workers.gpus import ConfiguredGpus

GPU = "gpu"
_FIELDS = "index,uuid,name,driver_version"
_WITHOUT = "install the NVIDIA driver; in a container also the NVIDIA container toolkit, and give it the GPUs (`--gpus all`)"


@dataclass(frozen=True, kw_only=True)
class NvidiaGpu:
    """One GPU of this host."""

    index: str
    uuid: str
    name: str
    driver: str


@dataclass(frozen=True, kw_only=True)
class NvidiaAnswer:
    """What nvidia-smi answered."""

    #: Whether there is such a program.
    installed: bool
    gpus: tuple[NvidiaGpu, ...] = ()
    #: Why it gave no answer; "" if it did.
    error: str = ""


def ask_nvidia_smi(timeout_seconds: float) -> NvidiaAnswer:
    """Ask for the GPUs; nothing is raised."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return NvidiaAnswer(installed=False)
    query = [program, f"--query-gpu={_FIELDS}", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=timeout_seconds, check=False)  # noqa: S603  # a fixed command
    except subprocess.TimeoutExpired:
        return NvidiaAnswer(installed=True, error=f"no answer within {timeout_seconds:g} s")
    except OSError as error:
        return NvidiaAnswer(installed=True, error=str(error.strerror or error))
    if done.returncode:
        lines = (done.stdout + done.stderr).split("\n")
        return NvidiaAnswer(installed=True, error=next((line.strip() for line in lines if line.strip()), f"exit code {done.returncode}"))
    rows = [[field.strip() for field in line.split(",")] for line in done.stdout.splitlines()]
    # Some versions say "No devices were found" here and call that a success.
    gpus = [NvidiaGpu(index=row[0], uuid=row[1], name=row[2], driver=row[3]) for row in rows if len(row) == 4 and row[0].isdecimal()]  # noqa: PLR2004  # the fields asked for
    return NvidiaAnswer(installed=True, gpus=tuple(gpus))


def check_gpus(setting: str, environment: Mapping[str, str], answer: NvidiaAnswer) -> HealthCheck:
    """Whether the GPUs that PARAGONE_GPUS or CUDA_VISIBLE_DEVICES name are there, or any."""
    configured = configured_gpus(setting, environment)
    if configured is not None and not configured.names:
        return _hidden(configured, answer)
    if not answer.installed:
        if configured is None:
            return passed(GPU, "none: no nvidia-smi on this host, workers use the CPU")
        return failed(GPU, f"{configured.variable} names GPU {configured.listed}, but there is no nvidia-smi on this host", _WITHOUT)
    if answer.error:
        return failed(GPU, f"nvidia-smi does not work: {answer.error}", "reboot after a driver update, or reinstall the driver")
    if not answer.gpus:
        return failed(GPU, "nvidia-smi is there but finds no GPU", _WITHOUT)
    return passed(GPU, _shown(answer)) if configured is None else _compared(configured, answer)


def _compared(configured: ConfiguredGpus, answer: NvidiaAnswer) -> HealthCheck:
    missing = [name for name in configured.names if not _is_there(name, answer)]
    if missing:
        there = ", ".join(gpu.index for gpu in answer.gpus)
        text = f"{configured.variable} names GPU {', '.join(missing)}, but this host has {there}"
        return failed(GPU, text, f"change {configured.variable}")
    return passed(GPU, f"{_shown(answer)}; {configured.variable}={configured.listed}")


def _hidden(configured: ConfiguredGpus, answer: NvidiaAnswer) -> HealthCheck:
    text = f"{configured.variable}={configured.listed!r} hides every GPU"
    if answer.gpus:
        return warned(GPU, f"{text} of this host ({_shown(answer)})", f"unset {configured.variable}, unless the CPU is meant")
    return passed(GPU, f"{text}: workers use the CPU")


def _is_there(name: str, answer: NvidiaAnswer) -> bool:
    # A MIG slice has a name that this query does not list.
    return name.startswith("MIG-") or any(name == gpu.index or gpu.uuid.startswith(name) for gpu in answer.gpus)


def _shown(answer: NvidiaAnswer) -> str:
    return f"{len(answer.gpus)} visible: {', '.join(f'{gpu.index} {gpu.name}' for gpu in answer.gpus)}"
