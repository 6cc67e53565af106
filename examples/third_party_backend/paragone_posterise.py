"""Repaints in a few flat colours, their hues turned by the seed: all that a backend for Paragone has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PIL import Image
from pydantic import Field

from workers.backends.protocol import ModelSource, RepaintRequest, RepaintResult
from workers.backends.settings import BackendSettings, RepaintSettings

if TYPE_CHECKING:
    from collections.abc import Sequence


class PosteriseSettings(RepaintSettings):
    """What a level's `settings` may say, beside the steps, strength and guidance that every level has."""

    colours: int = Field(default=8, ge=2, le=256)


class Posterise:
    """One instance serves one model on one device; this one needs neither."""

    needs_device: ClassVar[bool] = False
    settings_type: ClassVar[type[BackendSettings]] = PosteriseSettings

    def __init__(self, *, model: ModelSource, device: str) -> None:
        self.source, self.device, self.revision = model, device, ""

    def load(self) -> None:
        """Here a model would be brought onto the device, and its commit noted."""
        self.revision = "1"

    def run(self, batch: Sequence[RepaintRequest], settings: PosteriseSettings) -> Sequence[RepaintResult]:
        """One repaint for each canvas, in order."""
        return [RepaintResult(image=_posterised(request, settings)) for request in batch]

    def unload(self) -> None:
        """Here the device would be freed."""


def _posterised(request: RepaintRequest, settings: PosteriseSettings) -> Image.Image:
    hue, saturation, value = request.image.convert("HSV").split()
    turned = hue.point([(level + round(settings.strength * (request.seed % 256))) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB").quantize(settings.colours).convert("RGB")
