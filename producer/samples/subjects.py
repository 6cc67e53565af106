"""What is painted: each subject lays shapes from back to front and knows how to say what it shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from producer.samples.scene import Point, Scene, Shape

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from producer.samples.palettes import Palette

_NUMBERS = {1: "a", 2: "two", 3: "three"}


def boats(rng: Random, count: int) -> list[Shape]:
    """Sailing boats on the water under a low coast."""
    horizon = rng.uniform(0.42, 0.52)
    shapes = [*_land(rng, horizon), _band(horizon, "ground"), *_ripples(rng, horizon)]
    for place in _places(rng, count):
        size, base = rng.uniform(0.2, 0.28) * _near(count), rng.uniform(0.68, 0.82)
        hull = (
            (place - size, base),
            (place + size, base),
            (place + size * 0.7, base + size * 0.38),
            (place - size * 0.7, base + size * 0.38),
        )
        mast = place - size * 0.05
        shapes += [
            _polygon("accent", *hull),
            _polygon(
                "dark", (mast - 0.006, base - size * 1.7), (mast + 0.006, base - size * 1.7), (mast + 0.006, base), (mast - 0.006, base)
            ),
            _polygon("main", (mast, base - size * 1.6), (mast + size * 0.85, base - size * 0.1), (mast, base - size * 0.1)),
            _polygon("light", (mast, base - size * 1.4), (mast - size * 0.65, base - size * 0.1), (mast, base - size * 0.1)),
        ]
    return shapes


def houses(rng: Random, count: int) -> list[Shape]:
    """Houses in a field."""
    horizon = rng.uniform(0.45, 0.55)
    shapes = [
        *_land(rng, horizon),
        _band(horizon, "ground"),
        _polygon("ground", (0.0, 0.85), (1.0, 0.7), (1.0, 1.0), (0.0, 1.0), shade=0.18),
    ]
    for place in _places(rng, count):
        size, base = rng.uniform(0.13, 0.18) * _near(count), rng.uniform(0.68, 0.8)
        top = base - size * 1.3
        shapes += [
            _box("light", place - size, top, place + size, base),
            _polygon("main", (place - size * 1.2, top), (place, top - size * rng.uniform(0.8, 1.1)), (place + size * 1.2, top)),
            _box("dark", place - size * 0.2, base - size * 0.65, place + size * 0.2, base),
            _box("accent", place + size * 0.4, top + size * 0.3, place + size * 0.75, top + size * 0.7),
            _box("accent", place - size * 0.75, top + size * 0.3, place - size * 0.4, top + size * 0.7),
        ]
    return shapes


def trees(rng: Random, count: int) -> list[Shape]:
    """Trees on a plain."""
    horizon = rng.uniform(0.55, 0.66)
    shapes = [*_land(rng, horizon), _band(horizon, "ground")]
    for place in _places(rng, count):
        size, base = rng.uniform(0.17, 0.23) * _near(count), rng.uniform(0.78, 0.88)
        crown = base - size * 1.9
        shapes.append(_box("dark", place - size * 0.12, crown, place + size * 0.12, base))
        for dx, dy, scale, shade in (
            (-0.55, 0.25, 0.75, -0.15),
            (0.55, 0.2, 0.75, -0.08),
            (0.0, -0.35, 0.95, 0.0),
            (0.15, -0.45, 0.5, 0.25),
        ):
            shapes.append(_disc("main", place + size * dx, crown + size * dy, size * scale, shade=shade))
    return shapes


def mountains(rng: Random, count: int) -> list[Shape]:
    """Snowy mountains behind a lake."""
    horizon = rng.uniform(0.66, 0.74)
    shapes = [_disc("light", rng.uniform(0.15, 0.85), 0.16, 0.07)]
    for number, place in enumerate(_places(rng, count)):
        half, peak = rng.uniform(0.28, 0.36), rng.uniform(0.12, 0.28)
        drop = (horizon - peak) * 0.3
        shapes += [
            _polygon("far", (place - half, horizon), (place, peak), (place + half, horizon), shade=-0.1 * number),
            _polygon("main", (place, peak), (place + half, horizon), (place + half * 0.15, horizon), shade=-0.25),
            _polygon(
                "light", (place - half * 0.3, peak + drop), (place, peak), (place + half * 0.3, peak + drop), (place, peak + drop * 0.7)
            ),
        ]
    return [
        *shapes,
        _band(horizon, "ground"),
        *_ripples(rng, horizon),
        _polygon("accent", (0, 0.93), (0.5, 0.88), (1, 0.95), (1, 1), (0, 1)),
    ]


def flowers(rng: Random, count: int) -> list[Shape]:
    """A vase with flowers on a table."""
    table, middle = rng.uniform(0.7, 0.78), rng.uniform(0.46, 0.54)
    shapes = [
        _box("far", 0, 0, rng.uniform(0.3, 0.6), table, shade=0.3),
        _band(table, "ground"),
        _disc("dark", middle + 0.12, 0.9, 0.14, squash=0.25),
    ]
    blooms = []
    for number in range(count):
        angle = math.pi * (0.5 + (number - (count - 1) / 2) * 0.27 + rng.uniform(-0.04, 0.04))
        reach = rng.uniform(0.3, 0.38)
        x, y = middle + math.cos(angle) * reach, 0.55 - math.sin(angle) * reach
        shapes.append(_polygon("dark", (middle - 0.012, 0.6), (x - 0.008, y), (x + 0.008, y), (middle + 0.012, 0.6), shade=0.2))
        size = rng.uniform(0.055, 0.075)
        turns = [math.tau * turn / 6 for turn in range(6)]
        blooms += [_disc("main", x + math.cos(turn) * size * 0.9, y + math.sin(turn) * size * 0.9, size * 0.7, shade=0.1) for turn in turns]
        blooms.append(_disc("accent", x, y, size * 0.6))
    vase = ((0.09, 0.55), (0.06, 0.62), (0.14, 0.74), (0.1, 0.9), (-0.1, 0.9), (-0.14, 0.74), (-0.06, 0.62), (-0.09, 0.55))
    return [*shapes, _polygon("light", *((middle + x, y) for x, y in vase)), *blooms]


def portrait(rng: Random, count: int) -> list[Shape]:
    """People, from the chest up."""
    shapes = [_box("far", 0, 0, 1, 1), _polygon("sky", (0, 0), (1, 0), (1, rng.uniform(0.2, 0.6)), (0, rng.uniform(0.5, 0.9)))]
    for place in _places(rng, count):
        size = rng.uniform(0.17, 0.2) * _near(count)
        y = 0.42
        shapes += [
            _disc("dark", place, y - size * 0.15, size * 1.15, squash=1.3),
            _polygon(
                "main",
                (place - size * 2, 1.0),
                (place - size * 1.3, y + size * 1.7),
                (place + size * 1.3, y + size * 1.7),
                (place + size * 2, 1.0),
            ),
            _box("light", place - size * 0.35, y + size * 0.8, place + size * 0.35, y + size * 1.9, shade=-0.12),
            _disc("light", place, y, size * 0.85, squash=1.25),
            _disc("dark", place - size * 0.33, y - size * 0.1, size * 0.11),
            _disc("dark", place + size * 0.33, y - size * 0.1, size * 0.11),
            _polygon("ground", (place, y), (place + size * 0.16, y + size * 0.35), (place - size * 0.05, y + size * 0.35), shade=0.3),
            _disc("accent", place, y + size * 0.6, size * 0.26, squash=0.35),
        ]
    return shapes


def moon(rng: Random, count: int) -> list[Shape]:
    """The moon over the sea, with birds."""
    horizon, x = rng.uniform(0.55, 0.68), rng.uniform(0.25, 0.75)
    size = rng.uniform(0.12, 0.17)
    shapes = [_disc("light", x, horizon - 0.3, size), _band(horizon, "ground")]
    for step in range(6):
        y, half = horizon + 0.02 + step * 0.06, size * (1.0 - step * 0.09) * rng.uniform(0.6, 1.0)
        shapes.append(_box("light", x - half, y, x + half, y + 0.018, shade=-0.1))
    for place in _places(rng, count):
        y, span = rng.uniform(0.15, 0.35), 0.09
        shapes.append(_polygon("dark", (place - span, y - 0.03), (place, y + 0.025), (place + span, y - 0.03), (place, y + 0.004)))
    return [*shapes, _polygon("dark", (0, 0.9), (0.3, 0.86), (0.55, 1.0), (0, 1.0))]


def still_life(rng: Random, count: int) -> list[Shape]:
    """Fruit and a bottle on a table."""
    table, bottle = rng.uniform(0.58, 0.66), rng.uniform(0.15, 0.28)
    shapes = [
        _box("far", 0.55, 0, 1, table, shade=0.15),
        _band(table, "ground"),
        _polygon("light", (0.2, table + 0.06), (0.95, table + 0.02), (1.0, 0.95), (0.35, 0.98)),
        _box("dark", bottle - 0.035, 0.22, bottle + 0.035, 0.5),
        _polygon("dark", (bottle - 0.09, 0.5), (bottle + 0.09, 0.5), (bottle + 0.09, 0.84), (bottle - 0.09, 0.84), shade=0.12),
        _box("accent", bottle - 0.09, 0.6, bottle + 0.09, 0.72, shade=0.3),
    ]
    for place in range(count):
        x, y, size = 0.46 + place * 0.19, rng.uniform(0.72, 0.8), rng.uniform(0.095, 0.115)
        shapes += [
            _disc("dark", x + 0.03, y + size * 0.8, size, squash=0.3, shade=0.3),
            _disc("main" if place % 2 else "accent", x, y, size),
        ]
        shapes.append(_disc("light", x - size * 0.3, y - size * 0.35, size * 0.25))
    return shapes


#: Name, painter, and what it shows by its count ("{n}" is the number, "{s}" the plural's s).
SUBJECTS: dict[str, tuple[Callable[[Random, int], list[Shape]], str]] = {
    "boats": (boats, "{n} boat{s} in a harbour"),
    "houses": (houses, "{n} house{s} in a field"),
    "trees": (trees, "{n} tree{s} on a plain"),
    "mountains": (mountains, "{n} mountain{s} behind a lake"),
    "flowers": (flowers, "a vase with {n} flower{s}"),
    "portrait": (portrait, "a portrait of {n} {people}"),
    "moon": (moon, "the moon over the sea with {n} bird{s}"),
    "still life": (still_life, "a still life with {n} fruit{s} and a bottle"),
}


def compose(rng: Random, subject: str, count: int, palette: Palette) -> Scene:
    """The scene of a subject."""
    lay, words = SUBJECTS[subject]
    caption = words.format(n=_NUMBERS[count], s="s" if count > 1 else "", people="people" if count > 1 else "woman")
    return Scene(subject=subject, caption=caption, count=count, palette=palette, shapes=tuple(lay(rng, count)))


def _places(rng: Random, count: int) -> list[float]:
    return [(number + 0.5) / count + rng.uniform(-0.05, 0.05) for number in range(count)]


def _near(count: int) -> float:
    """One is painted larger than each of three."""
    return {1: 1.35, 2: 1.0, 3: 0.72}[count]


def _land(rng: Random, horizon: float) -> list[Shape]:
    ridge = [(x / 6, horizon - rng.uniform(0.03, 0.14)) for x in range(7)]
    return [_polygon("far", *ridge, (1.0, horizon + 0.01), (0.0, horizon + 0.01))]


def _ripples(rng: Random, horizon: float) -> list[Shape]:
    ripples = []
    for _ in range(9):
        x, y, half = rng.random(), rng.uniform(horizon + 0.04, 0.97), rng.uniform(0.05, 0.14)
        ripples.append(_box("light", x - half, y, x + half, y + 0.008, shade=-0.15))
    return ripples


def _band(top: float, part: str) -> Shape:
    return _box(part, 0.0, top, 1.0, 1.0)


def _box(part: str, left: float, top: float, right: float, bottom: float, *, shade: float = 0.0) -> Shape:
    return _polygon(part, (left, top), (right, top), (right, bottom), (left, bottom), shade=shade)


def _polygon(part: str, *points: Point, shade: float = 0.0) -> Shape:
    return Shape(points=points, part=part, shade=shade)


def _disc(part: str, x: float, y: float, size: float, *, squash: float = 1.0, shade: float = 0.0) -> Shape:
    return Shape(points=((x - size, y - size * squash), (x + size, y + size * squash)), part=part, round=True, shade=shade)
