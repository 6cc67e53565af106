"""What a style is: a name, artists of its own, and a way of painting a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from random import Random

    from PIL import Image

    from producer.samples.palettes import Colour
    from producer.samples.scene import Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Artist:
    """An invented artist."""

    name: str
    #: Names of the palettes that the artist likes.
    palettes: tuple[str, ...]
    #: Breadth of the hand: 1 is the style's own stroke, more is coarser.
    hand: float


class Style(Protocol):
    """One way of painting."""

    #: WikiArt's name.
    name: str
    #: How a caption says it: "a pointillist painting of".
    adjective: str

    @property
    def artists(self) -> tuple[Artist, ...]:
        """Artists who paint so."""
        ...

    def paint(self, scene: Scene, size: tuple[int, int], hand: float, rng: Random) -> Image.Image:
        """The scene as RGB of the given width and height in pixels."""
        ...


def jittered(colour: Colour, rng: Random, spread: int) -> Colour:
    """A colour a little beside the given one."""
    red, green, blue = (max(0, min(255, channel + rng.randint(-spread, spread))) for channel in colour)
    return red, green, blue
