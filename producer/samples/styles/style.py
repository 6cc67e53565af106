"""What a style is: a name, artists of its own, and a way of painting a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from numpy.random import Generator
    from PIL import Image

    from producer.samples.palettes import Palette
    from producer.samples.scene import Scene


@dataclass(frozen=True, kw_only=True, slots=True)
class Artist:
    """An invented artist and the hand that tells them from others of the style."""

    name: str
    #: Names of the palettes that the artist likes.
    palettes: tuple[str, ...]
    #: Breadth of the stroke, dot, facet or field: 1 is the style's own, more is coarser.
    stroke: float = 1.0
    #: Breadth of contours.
    line: float = 1.0
    #: Radians that strokes lean by.
    slant: float = 0.0
    #: How freely colour and direction wander.
    loose: float = 1.0


class Style(Protocol):
    """One way of painting."""

    #: WikiArt's name.
    name: str
    #: How a sentence says it: "a pointillist painting of".
    adjective: str

    @property
    def artists(self) -> tuple[Artist, ...]:
        """Artists who paint so."""
        ...

    def paint(self, scene: Scene, palette: Palette, size: tuple[int, int], artist: Artist, rng: Generator) -> Image.Image:
        """The scene as RGB of the given width and height in pixels."""
        ...
