"""Settings of Stable Diffusion XL img2img."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from workers.backends.settings.base import RepaintSettings


class Img2ImgSettings(RepaintSettings):
    """How a batch is repainted."""

    #: CLIP's text encoder has 77 places.
    longest_prompt: ClassVar[int | None] = 75

    negative_prompt: str = ""
    #: The refiner was trained with a score of each image's beauty (1 to 10); base ignores both.
    aesthetic_score: float = Field(default=6.0, ge=0, le=10)
    negative_aesthetic_score: float = Field(default=2.5, ge=0, le=10)
