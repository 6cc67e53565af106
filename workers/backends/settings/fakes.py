"""Settings of the fakes: those of the backend that a fake stands in for, which it ignores, and two of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, Strict

from workers.backends.settings.base import BackendSettings, PromptSettings
from workers.backends.settings.blip2 import Blip2Settings
from workers.backends.settings.img2img import Img2ImgSettings


class InjectedFaultKind(StrEnum):
    """What an injected fault does."""

    #: Raises `OutOfMemory`.
    OOM = "oom"
    #: Raises `TransientFailure`.
    TRANSIENT = "transient"
    #: Raises `BadRequest`.
    BAD = "bad"
    #: Raises `MemoryError`, as the host does when it has no memory left.
    MEMORY = "memory"
    #: Raises `OSError`.
    OS_ERROR = "os-error"
    #: Raises `SystemExit`, as a library that gives up on its process does.
    EXIT = "exit"
    #: Raises `KeyboardInterrupt`.
    INTERRUPT = "interrupt"
    #: Ends the process at once with exit code 1.
    CRASH = "crash"
    #: Ends the process by SIGSEGV, as a broken driver does.
    SEGFAULT = "segfault"
    #: Never returns.
    HANG = "hang"
    #: Repaints come out black.
    BLACK = "black"
    #: Repaints come out as NaN.
    NAN = "nan"


class InjectedFault(BackendSettings):
    """A fault for batches that hold a request whose key contains `when` and that are larger than `above_batch`.

    The key is the prompt of a repaint, caption and style of a prompt request, and the fake's own caption of an image to describe.
    """

    kind: Annotated[InjectedFaultKind, Strict(strict=False)]
    #: Empty for every request.
    when: str = ""
    above_batch: int = Field(default=0, ge=0)

    def is_meant(self, key: str, batch_size: int) -> bool:
        """Whether a request of this key in a batch of this size is to fail."""
        return batch_size > self.above_batch and self.when in key


def _as_faults(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(value)
    return () if value is None else (value,)


#: One fault, or several: the first that is meant strikes.
InjectedFaults = Annotated[tuple[InjectedFault, ...], BeforeValidator(_as_faults)]


class _FakeSettings(BackendSettings):
    """What all fakes take."""

    #: How long a batch holds the device, slept.
    seconds_per_batch: float = Field(default=0.0, ge=0)
    fail: InjectedFaults = ()


class FakeCaptionSettings(_FakeSettings, Blip2Settings):
    """Settings of the fake captioner."""


class FakePromptSettings(_FakeSettings, PromptSettings):
    """Settings of the fake prompt writer."""


class FakeRepaintSettings(_FakeSettings, Img2ImgSettings):
    """Settings of the fake generator."""


class NoBackendSettings(BackendSettings):
    """Settings of the backend that does nothing and serves every stage: it takes those of any."""

    model_config = ConfigDict(extra="ignore")

    #: How long a batch holds the device, slept.
    seconds_per_batch: float = Field(default=0.0, ge=0)
