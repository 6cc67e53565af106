"""Deterministic stand-ins for every stage: no model, no torch, microseconds of work; public, for tests and benchmarks.

Beside the settings of the backend that they stand in for, which they ignore, they take `seconds_per_batch` and `fail`
(`workers.backends.settings.fakes`).
"""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING, ClassVar

from PIL import Image, ImageStat

from workers.backends.errors import BadRequest, OutOfMemory, TransientFailure
from workers.backends.protocol import (
    CaptionRequest,
    CaptionResult,
    ModelSource,
    PromptRequest,
    PromptResult,
    RepaintRequest,
    RepaintResult,
)
from workers.backends.settings.fakes import FakeCaptionSettings, FakePromptSettings, FakeRepaintSettings, InjectedFaultKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.backends.settings.base import BackendSettings
    from workers.backends.settings.fakes import InjectedFault

_ERRORS = {
    InjectedFaultKind.OOM: OutOfMemory,
    InjectedFaultKind.TRANSIENT: TransientFailure,
    InjectedFaultKind.BAD: BadRequest,
    InjectedFaultKind.MEMORY: MemoryError,
    InjectedFaultKind.OS_ERROR: OSError,
    InjectedFaultKind.EXIT: SystemExit,
    InjectedFaultKind.INTERRUPT: KeyboardInterrupt,
}


class _Fake:
    """What the fakes share: no weights, simulated time, injected failures."""

    needs_device: ClassVar[bool] = True

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source = model
        self.device = device
        self.revision = ""

    def load(self) -> None:
        """Nothing to load."""
        self.revision = "fake"

    def unload(self) -> None:
        """Nothing to free."""


class FakeCaptioner(_Fake):
    """Describes how light an image is and of which colour."""

    settings_type: ClassVar[type[BackendSettings]] = FakeCaptionSettings

    def run(self, batch: Sequence[CaptionRequest], settings: FakeCaptionSettings) -> Sequence[CaptionResult]:
        """One caption for each image."""
        texts = [_describe(request.image) for request in batch]
        _simulate(texts, settings.seconds_per_batch, settings.fail)
        return [CaptionResult(text=text) for text in texts]


class FakePrompts(_Fake):
    """Joins caption, level and style; counts words for tokens; names neither artist nor title."""

    needs_device: ClassVar[bool] = False
    settings_type: ClassVar[type[BackendSettings]] = FakePromptSettings

    def run(self, batch: Sequence[PromptRequest], settings: FakePromptSettings) -> Sequence[PromptResult]:
        """One prompt for each request."""
        _simulate([f"{request.caption} {request.style}" for request in batch], settings.seconds_per_batch, settings.fail)
        return [_write(request) for request in batch]


class FakeRepainter(_Fake):
    """Turns and tints a canvas by its seed, so that it differs from the original as a repaint does."""

    settings_type: ClassVar[type[BackendSettings]] = FakeRepaintSettings

    def run(self, batch: Sequence[RepaintRequest], settings: FakeRepaintSettings) -> Sequence[RepaintResult]:
        """One repaint for each canvas."""
        _simulate([request.prompt for request in batch], settings.seconds_per_batch, settings.fail)
        return [RepaintResult(image=_repaint(request, len(batch), settings.fail)) for request in batch]


def _simulate(keys: Sequence[str], seconds: float, faults: Sequence[InjectedFault]) -> None:
    time.sleep(seconds)
    for fault in faults:
        if any(fault.is_meant(key, len(keys)) for key in keys):
            _strike(fault.kind, len(keys))


def _strike(kind: InjectedFaultKind, batch_size: int) -> None:
    """Fail as this kind does; those that spoil the output do so later."""
    if kind in _ERRORS:
        raise _ERRORS[kind](f"injected: {kind} in a batch of {batch_size}")
    if kind is InjectedFaultKind.CRASH:
        os._exit(1)
    if kind is InjectedFaultKind.SEGFAULT:
        signal.raise_signal(signal.SIGSEGV)  # to this thread: one sent to the process lets this thread go on for a moment
    while kind is InjectedFaultKind.HANG:
        time.sleep(60)


def _repaint(request: RepaintRequest, batch_size: int, faults: Sequence[InjectedFault]) -> Image.Image | None:
    meant = {fault.kind for fault in faults if fault.is_meant(request.prompt, batch_size)}
    if InjectedFaultKind.NAN in meant:
        return None
    if InjectedFaultKind.BLACK in meant:
        return Image.new("RGB", request.image.size)
    return _tint(request)


def _describe(image: Image.Image) -> str:
    red, green, blue = ImageStat.Stat(image.convert("RGB")).mean
    light = ("dark", "dim", "light", "bright")[min(3, int((red + green + blue) / 3 / 64))]
    colour = max((red, "red"), (green, "green"), (blue, "blue"))[1]
    shape = "wide" if image.width > image.height else "tall" if image.height > image.width else "square"
    return f"a {light} {colour} picture on a {shape} canvas, mean {red:.0f} {green:.0f} {blue:.0f}"


def _write(request: PromptRequest) -> PromptResult:
    text = f"{request.caption}, {request.level} change {request.seed % 1000}, {request.style}"
    count = len(text.split())
    return PromptResult(draft=text, text=text, draft_tokens=count, tokens=count, brief="fake")


def _tint(request: RepaintRequest) -> Image.Image:
    rng = random.Random(f"{request.seed} {request.prompt}")
    tint = Image.new("RGB", request.image.size, (rng.randrange(256), rng.randrange(256), rng.randrange(256)))
    mixed = Image.blend(request.image.convert("RGB"), tint, 0.25)
    bands = list(mixed.split())
    rng.shuffle(bands)
    return Image.merge("RGB", bands)
