"""Deterministic stand-ins for every stage: no model, no torch, microseconds of work; public, for tests and benchmarks.

All take two settings beside those of their stage, which they accept and mostly ignore:

- `seconds_per_batch`: how long a batch holds the device, slept.
- `fail`: `{"kind": K, "when": TEXT, "above_batch": N}` fails a batch that has a request whose key contains `when` (any, if left out) and is
  larger than `above_batch` (0). The key is the prompt of a repaint, caption and style of a prompt request, and the fake's own caption of a
  picture to describe. Kinds: "oom", "transient" and "bad" raise the error of that name; "crash" ends the process at once with exit code 1;
  "hang" never returns; "black" (repaints) paints those requests black, "nan" gives None for them.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, Any, ClassVar

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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workers.backends.protocol import Settings

_ERRORS = {"oom": OutOfMemory, "transient": TransientFailure, "bad": BadRequest}
_OUTPUTS = ("black", "nan")


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

    def _simulate(self, keys: Sequence[str], settings: Settings) -> None:
        time.sleep(float(settings.get("seconds_per_batch", 0.0)))
        fail: Mapping[str, Any] = settings.get("fail") or {}
        kind = fail.get("kind")
        if not any(_is_meant(key, len(keys), fail) for key in keys):
            return
        if kind in _ERRORS:
            raise _ERRORS[kind](f"injected: {kind} in a batch of {len(keys)}")
        if kind == "crash":
            os._exit(1)
        while kind == "hang":
            time.sleep(60)


class FakeCaptioner(_Fake):
    """Says how light and of which colour a picture is."""

    def run(self, batch: Sequence[CaptionRequest], settings: Settings) -> Sequence[CaptionResult]:
        """One caption for each picture."""
        texts = [_describe(request.image) for request in batch]
        self._simulate(texts, settings)
        return [CaptionResult(text=text) for text in texts]


class FakePrompts(_Fake):
    """Joins caption, level and style; counts words for tokens; names neither artist nor title."""

    needs_device: ClassVar[bool] = False

    def run(self, batch: Sequence[PromptRequest], settings: Settings) -> Sequence[PromptResult]:
        """One prompt for each request."""
        self._simulate([f"{request.caption} {request.style}" for request in batch], settings)
        return [_write(request) for request in batch]


class FakeRepainter(_Fake):
    """Turns and tints a canvas by its seed, so that it differs from the original as a repaint does."""

    def run(self, batch: Sequence[RepaintRequest], settings: Settings) -> Sequence[RepaintResult]:
        """One repaint for each canvas."""
        fail: Mapping[str, Any] = settings.get("fail") or {}
        self._simulate([request.prompt for request in batch], settings)
        spoiled = fail.get("kind") if fail.get("kind") in _OUTPUTS else None
        return [
            _spoil(request, spoiled) if spoiled and _is_meant(request.prompt, len(batch), fail) else RepaintResult(image=_tint(request))
            for request in batch
        ]


def _is_meant(key: str, count: int, fail: Mapping[str, Any]) -> bool:
    return bool(fail) and count > int(fail.get("above_batch", 0)) and str(fail.get("when", "")) in key


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


def _spoil(request: RepaintRequest, kind: str) -> RepaintResult:
    return RepaintResult(image=None if kind == "nan" else Image.new("RGB", request.image.size))
