"""The devices of this host, found without torch: one worker process is made for each."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.errors import NoSuchDevice

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Device:
    """What one worker process is pinned to."""

    #: Part of the worker's name, such as "gpu0" or "cpu".
    name: str
    #: Value of CUDA_VISIBLE_DEVICES for its process; empty hides every GPU.
    visible: str

    @property
    def torch_device(self) -> str:
        """How torch calls the one device that the process sees."""
        return "cuda" if self.visible else "cpu"


CPU = Device(name="cpu", visible="")


def chosen_devices(choice: str, *, configured: str = "") -> list[Device]:
    """The devices that `--gpus` means: "none", "all", a list such as "0,1", or "" for all GPUs or else the CPU.

    `configured` names the host's GPUs where nvidia-smi should not be asked. Raises `NoSuchDevice`.
    """
    if choice == "none":
        return [CPU]
    present = _names(configured) or _from_nvidia_smi()
    if choice == "":
        return _gpus(present) or [CPU]
    if choice == "all":
        return _all(present)
    return _listed(choice, present)


def _all(present: list[str]) -> list[Device]:
    if not present:
        raise NoSuchDevice("no NVIDIA GPU was found on this host: use `--gpus none` to work on the CPU")
    return _gpus(present)


def _listed(choice: str, present: list[str]) -> list[Device]:
    wanted = _names(choice)
    if not wanted or not set(wanted) <= set(present):
        there = ", ".join(present) or "none"
        raise NoSuchDevice(f"--gpus {choice} names GPUs that this host does not have (it has {there}): name others, or `--gpus none`")
    return _gpus(dict.fromkeys(wanted))


def _names(listed: str) -> list[str]:
    return [name for part in listed.split(",") if (name := part.strip())]


def _gpus(names: Iterable[str]) -> list[Device]:
    return [Device(name=f"gpu{name}", visible=name) for name in names]


def _from_nvidia_smi() -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        query = [program, "--query-gpu=index", "--format=csv,noheader"]
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603  # a fixed command
    except (subprocess.SubprocessError, OSError):
        return []
    # Some versions say "No devices were found" here and call that a success.
    return [line.strip() for line in answer.stdout.splitlines() if line.strip().isdecimal()]
