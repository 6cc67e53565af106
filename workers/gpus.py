"""The devices of this host, found without torch: one worker process is made for each."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from workers.errors import NoSuchDevice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What CUDA takes for a device: an index, or the beginning of a UUID. Anything else, such as -1 or NoDevFiles, names none.
_DEVICE = re.compile(r"\d+|(GPU|MIG)-\S+")


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


@dataclass(frozen=True, kw_only=True)
class ConfiguredGpus:
    """GPUs that a variable names, so that nvidia-smi is not asked."""

    #: The variable, for messages.
    variable: str
    #: As CUDA_VISIBLE_DEVICES takes them; a list ends before its first entry that is no device, so an empty one forbids all.
    listed: str

    @property
    def names(self) -> list[str]:
        """The GPUs that may be used."""
        entries = (entry.strip() for entry in self.listed.split(","))
        return list(dict.fromkeys(takewhile(_DEVICE.fullmatch, entries)))


def configured_gpus(setting: str, environment: Mapping[str, str]) -> ConfiguredGpus | None:
    """What PARAGONE_GPUS says, else what a scheduler has given this process in CUDA_VISIBLE_DEVICES; None if both are absent.

    An empty PARAGONE_GPUS says nothing. CUDA_VISIBLE_DEVICES that is set and empty forbids every GPU.
    """
    if setting:
        return ConfiguredGpus(variable="PARAGONE_GPUS", listed=setting)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    return None if visible is None else ConfiguredGpus(variable="CUDA_VISIBLE_DEVICES", listed=visible)


def chosen_devices(choice: str, *, configured: ConfiguredGpus | None = None) -> list[Device]:
    """The devices that `--gpus` means: "none", "all", a list such as "0,1", or "" for all GPUs or else the CPU.

    `configured` names the host's GPUs where nvidia-smi should not be asked. Raises `NoSuchDevice`.
    """
    if choice == "none":
        return [CPU]
    present = _from_nvidia_smi() if configured is None else configured.names
    if choice == "":
        return _gpus(present) or [CPU]
    if configured is not None and not present:
        raise NoSuchDevice(
            f"{configured.variable}={configured.listed!r} forbids every GPU: change it, or use `--gpus none` to work on the CPU"
        )
    return _all(present) if choice == "all" else _listed(choice, present)


def _all(present: list[str]) -> list[Device]:
    if not present:
        raise NoSuchDevice("no NVIDIA GPU was found on this host: use `--gpus none` to work on the CPU")
    return _gpus(present)


def _listed(choice: str, present: list[str]) -> list[Device]:
    wanted = [name for part in choice.split(",") if (name := part.strip())]
    if not wanted or not set(wanted) <= set(present):
        there = ", ".join(present) or "none"
        raise NoSuchDevice(f"--gpus {choice} names GPUs that this host does not have (it has {there}): name others, or `--gpus none`")
    return _gpus(dict.fromkeys(wanted))


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
