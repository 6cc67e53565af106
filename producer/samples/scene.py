"""A scene: shapes from back to front, before any palette or style has touched them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Point = tuple[float, float]


class Role(Enum):
    """What a shape is to the image."""

    #: Great areas that fill it: sky, land, water, a wall, a table.
    AREA = "area"
    #: What makes it a place: hills, clouds, ripples, reflections, shadows.
    SCENERY = "scenery"
    #: The things that are counted, and what they cannot be known without.
    THING = "thing"
    #: Windows, eyes, highlights.
    DETAIL = "detail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """An area with a gradient from its lit side to its other side."""

    #: Corners in the scene's units; a round shape has two, those of its box.
    points: tuple[Point, ...]
    #: The palette's part, such as "main".
    part: str
    role: Role
    round: bool = False
    #: Lighter than its part above zero, darker below.
    shade: float = 0.0
    #: How much lighter the lit side is, and how much darker the other.
    turn: float = 0.0
    #: The lit side is the left one for 0, the upper one for 1.
    axis: int = 1
    #: Another part that is mixed in, with its share on the lit side and on the other.
    into: str | None = None
    veil: tuple[float, float] = (0.0, 0.0)
    #: Where brush strokes run, in radians.
    flow: float = 0.0

    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        across, down = [x for x, _ in self.points], [y for _, y in self.points]
        return min(across), min(down), max(across), max(down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What is to be seen. Its units are square and its area is one, whatever its aspect ratio."""

    subject: str
    #: "two boats in a harbour".
    words: str
    count: int
    width: float
    height: float
    shapes: tuple[Shape, ...]
