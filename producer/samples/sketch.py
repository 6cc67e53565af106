"""A sketch: the sheet on which a subject lays its shapes, back to front."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from producer.samples.scene import Point, Role, Shape

if TYPE_CHECKING:
    from random import Random


#: How far areas reach over the image's edge.
BEYOND = 0.04


class Sketch:
    """Shapes as they are added, with the random generator and the space available. Light comes from the left until it is mirrored."""

    def __init__(self, rng: Random, *, count: int, width: float, height: float) -> None:
        self.rng = rng
        self.count = count
        self.width = width
        self.height = height
        self.shapes: list[Shape] = []

    @property
    def slot(self) -> float:
        """The width that each of the counted things has."""
        return self.width / self.count

    def places(self, wander: float = 0.06) -> list[float]:
        """Where the counted things stand, from left to right."""
        return [(number + 0.5 + self.rng.uniform(-wander, wander)) * self.slot for number in range(self.count)]

    def add(self, part: str, *points: Point, role: Role = Role.SCENERY, **look: Any) -> None:
        """A polygon."""
        self.shapes.append(Shape(points=points, part=part, role=role, **look))

    def area(self, part: str, top: float, bottom: float | None = None, **look: Any) -> None:
        """A great area from edge to edge and beyond: contours run along its top only."""
        low = self.height + BEYOND if bottom is None else bottom
        self.box(part, -BEYOND, top or -BEYOND, self.width + BEYOND, low, role=Role.AREA, **look)

    def box(self, part: str, left: float, top: float, right: float, bottom: float, **look: Any) -> None:
        """A rectangle."""
        self.add(part, (left, top), (right, top), (right, bottom), (left, bottom), **look)

    def disc(self, part: str, x: float, y: float, size: float, *, squash: float = 1.0, role: Role = Role.SCENERY, **look: Any) -> None:
        """A disc, or an ellipse that is `squash` times as high as wide."""
        corners = ((x - size, y - size * squash), (x + size, y + size * squash))
        self.shapes.append(Shape(points=corners, part=part, role=role, round=True, **look))

    def thing(self, part: str, *points: Point, turn: float = 0.14, **look: Any) -> None:
        """A polygon of a counted thing, lit from the left."""
        self.add(part, *points, role=Role.THING, turn=turn, axis=0, **look)

    def ball(self, part: str, x: float, y: float, size: float, *, turn: float = 0.16, **look: Any) -> None:
        """A round piece of a counted thing, lit from the left."""
        self.disc(part, x, y, size, role=Role.THING, turn=turn, axis=0, **look)

    def cloud(self, part: str, x: float, y: float, size: float, *, lobes: int = 4, **look: Any) -> None:
        """A flat-bottomed heap of round lobes."""
        heaps = [((lobe + 0.5) / lobes * 2 - 1, self.rng.uniform(0.28, 0.5)) for lobe in range(lobes)]
        steps = [step / 12 - 1 for step in range(25)]
        heights = [max(math.sqrt(max(0.0, reach**2 - (step - at) ** 2)) for at, reach in heaps) for step in steps]
        self.add(part, *((x + step * size, y - high * size * 0.8) for step, high in zip(steps, heights, strict=True)), **look)

    def bush(self, part: str, x: float, y: float, size: float, *, lobes: int = 7, **look: Any) -> None:
        """A round crown of leaves."""
        phase = self.rng.random() * math.tau
        turns = [math.tau * step / 36 for step in range(36)]
        reach = [size * (0.86 + 0.16 * abs(math.sin(lobes * turn / 2 + phase))) for turn in turns]
        points = ((x + math.cos(turn) * far, y + math.sin(turn) * far * 0.92) for turn, far in zip(turns, reach, strict=True))
        self.add(part, *points, **look)

    def mirrored(self) -> tuple[Shape, ...]:
        """The shapes seen in a mirror; the light turns with them."""
        flip = {0: -1.0, 1: 1.0}
        return tuple(
            replace(
                shape,
                points=tuple((self.width - x, y) for x, y in shape.points),
                turn=shape.turn * flip[shape.axis],
                veil=shape.veil if shape.axis else shape.veil[::-1],
                flow=-shape.flow,
            )
            for shape in self.shapes
        )
