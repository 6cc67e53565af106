"""Subjects by the water."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from producer.samples.scene import Role
from producer.samples.scenery import ridges, sky, sun, water

if TYPE_CHECKING:
    from producer.samples.sketch import Sketch


def boats(sketch: Sketch) -> None:
    """Sailing boats on the water under a low coast, with their reflections."""
    horizon = sketch.height * sketch.rng.uniform(0.38, 0.48)
    sky(sketch, horizon)
    ridges(sketch, horizon)
    water(sketch, horizon)
    for x in sketch.places():
        size = min(sketch.slot * 0.4, 0.27) * sketch.rng.uniform(0.92, 1.05)
        base = max(sketch.height * sketch.rng.uniform(0.66, 0.76), size * 1.75 + 0.03)
        sketch.add("main", (x - size * 0.5, base + size * 0.32), (x + size * 0.7, base + size * 0.32), (x, base + size * 1.0),
                   into="ground", veil=(0.55, 0.95))  # fmt: skip
        sketch.thing(
            "main", (x + size * 0.03, base - size * 1.7), (x + size * 0.85, base - size * 0.1), (x + size * 0.03, base - size * 0.1)
        )
        sketch.thing("main", (x - size * 0.06, base - size * 1.45), (x - size * 0.06, base - size * 0.1),
                     (x - size * 0.68, base - size * 0.1), shade=-0.2)  # fmt: skip
        sketch.thing("dark", (x - size * 0.06, base - size * 1.75), (x + size * 0.03, base - size * 1.75), (x + size * 0.03, base),
                     (x - size * 0.06, base))  # fmt: skip
        hull = ((x - size, base), (x + size, base), (x + size * 0.68, base + size * 0.34), (x - size * 0.7, base + size * 0.34))
        sketch.thing("accent", *hull, turn=0.2)
        sketch.box("light", x - size * 0.92, base + size * 0.03, x + size * 0.93, base + size * 0.1, role=Role.DETAIL)


def birds(sketch: Sketch) -> None:
    """The sun over the sea, and gulls before it."""
    horizon = sketch.height * sketch.rng.uniform(0.64, 0.72)
    sky(sketch, horizon, clouds=False)
    x = sketch.width * sketch.rng.uniform(0.3, 0.7)
    sun(sketch, x, horizon - sketch.rng.uniform(0.02, 0.1), 0.13)
    water(sketch, horizon, glint=x)
    for number, place in enumerate(sketch.places(0.03)):
        span = min(sketch.slot * 0.42, 0.3)
        y = sketch.height * (sketch.rng.uniform(0.27, 0.33) + (0.1 if number % 2 else 0.0))
        wing = []
        for side in (-1, 1):
            for step in range(7):
                out = step / 6 if side == 1 else 1 - step / 6
                wing.append((place + side * out * span, y - span * 0.48 * math.sin(out * math.pi * 0.72) + span * 0.1 * out))
        under = [(px, py + span * 0.24 * (1 - (abs(px - place) / span) ** 1.5)) for px, py in reversed(wing)]
        sketch.thing("main", *wing, *under, turn=0.06)


def bridge(sketch: Sketch) -> None:
    """A stone bridge over a river, with the arches' reflections."""
    horizon = sketch.height * sketch.rng.uniform(0.46, 0.54)
    sky(sketch, horizon)
    ridges(sketch, horizon, high=0.2)
    water(sketch, horizon)
    level = horizon + sketch.height * 0.2
    deck = level - min(0.36, sketch.height * 0.36)
    span = sketch.width / sketch.count
    rise = min(span * 0.38, (level - deck) * 0.72)
    stone = [(0.0, deck + 0.02), (sketch.width / 2, deck - 0.03), (sketch.width, deck + 0.02), (sketch.width, level)]
    reflection: list[list[tuple[float, float]]] = []
    for number in reversed(range(sketch.count)):
        middle, half = (number + 0.5) * span, span * 0.4
        arch = [(middle + half * math.cos(math.pi * step / 16), level - rise * math.sin(math.pi * step / 16)) for step in range(17)]
        stone += arch
        reflection.append(arch)
    stone.append((0.0, level))
    sketch.add("main", *((x, level + (level - y) * 0.8) for x, y in stone), into="ground", veil=(0.72, 0.95))
    sketch.add("main", *stone, role=Role.THING, turn=0.12, axis=1, flow=0.0)
    top = [(0.0, deck + 0.02), (sketch.width / 2, deck - 0.03), (sketch.width, deck + 0.02)]
    sketch.add("accent", *top, *((x, y + 0.045) for x, y in reversed(top)), role=Role.THING, shade=-0.1)
    for arch in reflection:
        lip = [(x, y - 0.03) for x, y in reversed(arch)]
        sketch.add("main", *arch, *lip, role=Role.DETAIL, shade=-0.32)


def lighthouses(sketch: Sketch) -> None:
    """Lighthouses with banded towers on a cliff."""
    horizon = sketch.height * sketch.rng.uniform(0.66, 0.72)
    sky(sketch, horizon)
    water(sketch, horizon)
    top = horizon + 0.02
    cliff = [(0.0, top + 0.05), (sketch.width * 0.1, top), (sketch.width * 0.9, top + 0.01), (sketch.width * 0.97, top + 0.09),
             (sketch.width * 0.93, sketch.height * 0.9), (sketch.width, sketch.height), (0.0, sketch.height)]  # fmt: skip
    sketch.add("far", *cliff, turn=0.1, shade=-0.3, flow=1.3)
    for x in sketch.places(0.03):
        size = min(sketch.slot * 0.3, 0.13)
        x = min(x, sketch.width * 0.86)  # noqa: PLW2901
        high = min(horizon * 0.78, size * 4.6)
        foot, lamp = top + 0.04, top + 0.04 - high

        def half(y: float, *, foot: float = foot, high: float = high, size: float = size) -> float:
            return size * (0.58 + 0.42 * (1 - (foot - y) / high))

        bands = [foot - high * step / 5 for step in range(6)]
        for band, (low, up) in enumerate(itertools.pairwise(bands)):
            sides = ((x - half(low), low), (x - half(up), up), (x + half(up), up), (x + half(low), low))
            sketch.thing("accent" if band % 2 else "main", *sides, turn=0.2)
        reach = half(lamp)
        for beam in (-1, 1):
            far = x + beam * sketch.slot * 0.46
            sketch.add("light", (x, lamp - size * 0.4), (far, lamp - size * 0.95), (far, lamp + size * 0.1), into="sky", veil=(0.45, 0.6))
        sketch.thing("light", (x - reach * 0.7, lamp), (x - reach * 0.7, lamp - size * 0.75), (x + reach * 0.7, lamp - size * 0.75),
                     (x + reach * 0.7, lamp))  # fmt: skip
        sketch.thing("dark", (x - reach * 1.25, lamp + size * 0.08), (x - reach * 1.25, lamp - size * 0.08),
                     (x + reach * 1.25, lamp - size * 0.08), (x + reach * 1.25, lamp + size * 0.08))  # fmt: skip
        sketch.thing("dark", (x - reach, lamp - size * 0.72), (x, lamp - size * 1.4), (x + reach, lamp - size * 0.72))
