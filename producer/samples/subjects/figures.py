"""Subjects that are alive, and an abstract one that is not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from producer.samples.scene import Role
from producer.samples.scenery import ridges, sky
from producer.samples.sketch import BEYOND

if TYPE_CHECKING:
    from producer.samples.sketch import Sketch


def women(sketch: Sketch) -> None:
    """Women from the chest up, before a wall with a window's light."""
    sketch.area("far", 0.0, into="glow", veil=(0.4, 0.0), axis=0, flow=1.1)
    edge = sketch.width * sketch.rng.uniform(0.45, 0.7)
    low = sketch.height + BEYOND
    light = (-BEYOND, -BEYOND), (edge, -BEYOND), (edge * 0.6, low), (-BEYOND, low)
    sketch.add("sky", *light, role=Role.AREA, turn=0.1, axis=0, flow=1.1)
    for x in sketch.places(0.03):
        size = min(sketch.slot * 0.3, sketch.height * 0.19)
        y = sketch.height * sketch.rng.uniform(0.4, 0.46)
        wide = min(size * 1.75, sketch.slot * 0.47)
        hair = sketch.rng.uniform(1.0, 1.5)
        sketch.ball("dark", x, y - size * 0.15, size * 1.18, squash=1.15, turn=0.2)
        sketch.thing("dark", (x - size * 1.17, y - size * 0.1), (x + size * 1.17, y - size * 0.1), (x + size * 1.2, y + size * hair),
                     (x - size * 1.2, y + size * hair), turn=0.15)  # fmt: skip
        shoulder = y + size * 1.75
        sketch.thing("main", (x - wide, sketch.height), (x - wide * 0.9, shoulder + size * 0.35), (x - size * 0.75, shoulder - size * 0.1),
                     (x + size * 0.75, shoulder - size * 0.1), (x + wide * 0.9, shoulder + size * 0.35),
                     (x + wide, sketch.height), turn=0.2)  # fmt: skip
        skin: dict[str, object] = {"into": "accent", "veil": (0.1, 0.34)}
        sketch.thing("light", (x - size * 0.32, y + size * 0.5), (x + size * 0.32, y + size * 0.5), (x + size * 0.42, shoulder),
                     (x, shoulder + size * 0.4), (x - size * 0.42, shoulder), turn=0.0, shade=-0.12, **skin)  # fmt: skip
        sketch.ball("light", x, y, size * 0.82, squash=1.24, turn=0.0, **skin)
        sketch.add("dark", (x - size * 0.9, y - size * 0.1), (x - size * 0.6, y - size * 1.05), (x + size * 0.5, y - size * 1.12),
                   (x + size * 0.92, y - size * 0.1), (x + size * 0.45, y - size * 0.62), role=Role.THING, turn=0.1, axis=0)  # fmt: skip
        for side in (-1, 1):
            eye = x + side * size * 0.33
            sketch.disc("dark", eye, y + size * 0.02, size * 0.13, squash=0.75, role=Role.DETAIL)
            sketch.box("dark", eye - size * 0.17, y - size * 0.24, eye + size * 0.17, y - size * 0.18, role=Role.DETAIL)
        sketch.add("accent", (x + size * 0.02, y + size * 0.05), (x + size * 0.15, y + size * 0.42), (x - size * 0.06, y + size * 0.42),
                   role=Role.DETAIL, shade=-0.25)  # fmt: skip
        sketch.disc("main", x, y + size * 0.64, size * 0.25, squash=0.36, role=Role.DETAIL)


def cats(sketch: Sketch) -> None:
    """Cats that sit on a wall."""
    level = sketch.height * sketch.rng.uniform(0.74, 0.8)
    sky(sketch, level, clouds=False)
    ridges(sketch, level, high=0.12, number=1)
    sketch.area("ground", level, turn=0.18)
    bricks = (sketch.height - level) / 3
    for row in range(3):
        y = level + row * bricks
        sketch.box("ground", 0.0, y, sketch.width, y + 0.012, shade=0.28 if row == 0 else -0.3)
        for step in range(5):
            joint = (step + 0.3 + 0.5 * (row % 2)) * sketch.width / 5
            sketch.box("ground", joint, y, joint + 0.008, y + bricks, shade=-0.3)
    for x in sketch.places(0.03):
        size = min(sketch.slot * 0.36, sketch.height * 0.2)
        base = level + 0.012
        way = sketch.rng.choice((-1, 1))
        tail = [(x + way * size * (0.6 + 0.5 * math.sin(step / 8 * math.pi)), base - size * 0.1 + size * step / 8) for step in range(9)]
        inner = [(px - way * size * 0.2, py) for px, py in reversed(tail)]
        sketch.thing("main", *tail, *inner, turn=0.05)
        body = []
        for step in range(25):
            turn = math.pi * step / 24
            body.append((x + math.cos(turn) * size * 0.78, base - math.sin(turn) ** 0.8 * size * 1.9))
        sketch.thing("main", *body, turn=0.16)
        head = base - size * 2.0
        for side in (-1, 1):
            sketch.thing("main", (x + side * size * 0.2, head - size * 0.3), (x + side * size * 0.62, head - size * 0.98),
                         (x + side * size * 0.68, head), turn=0.05)  # fmt: skip
        sketch.ball("main", x, head, size * 0.7, squash=0.86, turn=0.14)
        for side in (-1, 1):
            sketch.disc("light", x + side * size * 0.28, head - size * 0.06, size * 0.17, squash=0.9, role=Role.DETAIL)
            sketch.disc("dark", x + side * size * 0.28, head - size * 0.06, size * 0.07, squash=1.9, role=Role.DETAIL)
        sketch.add(
            "accent", (x - size * 0.1, head + size * 0.18), (x + size * 0.1, head + size * 0.18), (x, head + size * 0.32), role=Role.DETAIL
        )


def umbrellas(sketch: Sketch) -> None:
    """Walkers under great umbrellas in the rain."""
    horizon = sketch.height * sketch.rng.uniform(0.6, 0.68)
    sketch.area("sky", 0.0, horizon + 0.02, into="far", veil=(0.35, 0.1), turn=-0.05, flow=1.3)
    left = 0.0
    while left < sketch.width:  # a street in the mist
        wide, high = sketch.rng.uniform(0.1, 0.2), sketch.rng.uniform(0.14, 0.3)
        sketch.box("far", left, horizon - high, left + wide * 0.96, horizon + 0.02, into="sky", veil=(0.35, 0.7), flow=1.57)
        left += wide
    sketch.area("ground", horizon, into="sky", veil=(0.3, 0.0), flow=0.0)
    for x in sketch.places(0.02):
        size = min(sketch.slot * 0.45, sketch.height * 0.29)
        top = sketch.height * sketch.rng.uniform(0.4, 0.45)
        base = min(sketch.height * 0.9, top + size * 1.75)
        sketch.add("main", (x - size * 0.3, base), (x + size * 0.3, base), (x + size * 0.6, base + size * 0.3),
                   (x - size * 0.6, base + size * 0.3),
                   into="ground", veil=(0.55, 0.95))  # fmt: skip
        hem = base - size * 0.42
        for side in (-1, 1):
            foot = x + side * size * 0.15
            sketch.thing(
                "dark", (foot - size * 0.07, hem), (foot + size * 0.07, hem), (foot + size * 0.07, base), (foot - size * 0.07, base)
            )
        coat = (x - size * 0.18, top), (x + size * 0.18, top), (x + size * 0.4, hem), (x - size * 0.4, hem)
        sketch.thing("accent", *coat, turn=0.25, shade=-0.2)
        sketch.ball("dark", x, top + size * 0.08, size * 0.19, turn=0.2)
        dome = [(x + math.cos(math.pi * step / 20) * size, top - math.sin(math.pi * step / 20) * size * 0.72) for step in range(21)]
        scallops = [(x - size + size * step / 6, top + size * 0.02 - (0.09 * size if step % 2 else 0.0)) for step in range(13)]
        sketch.thing("main", *dome, *scallops, turn=0.14)
        for rib in (-0.36, 0.36):
            sketch.add(
                "main", (x, top - size * 0.72), (x + size * (rib + 0.13), top), (x + size * (rib - 0.13), top), role=Role.DETAIL, shade=-0.2
            )
        sketch.thing("dark", (x - size * 0.03, top - size * 0.9), (x + size * 0.03, top - size * 0.9), (x + size * 0.03, top - size * 0.7),
                     (x - size * 0.03, top - size * 0.7))  # fmt: skip
    for _ in range(26):
        x, y, length = sketch.rng.uniform(0, sketch.width), sketch.rng.uniform(0, sketch.height), sketch.rng.uniform(0.06, 0.12)
        drop = (x, y), (x + 0.005, y), (x + 0.005 - length * 0.35, y + length), (x - length * 0.35, y + length)
        sketch.add("light", *drop, into="sky", veil=(0.5, 0.7))


def circles(sketch: Sketch) -> None:
    """An abstract composition: circles over crossing bars."""
    sketch.area("sky", 0.0, into="glow", veil=(0.2, 0.8), flow=0.5)
    slope = sketch.rng.uniform(-0.25, 0.25)
    middle = sketch.height * sketch.rng.uniform(0.74, 0.82)
    right, low = sketch.width + BEYOND, sketch.height + BEYOND
    sketch.add("ground", (-BEYOND, middle - slope * 0.3), (right, middle + slope * 0.3), (right, low), (-BEYOND, low),
               role=Role.AREA, turn=0.1, flow=slope)  # fmt: skip
    wedge = sketch.width * sketch.rng.uniform(0.3, 0.6)
    sketch.add("far", (0.0, 0.0), (wedge, 0.0), (0.0, sketch.height * 0.7), turn=0.12, flow=-0.9)
    for x in sketch.places(0.03):
        size = min(sketch.slot * 0.42, sketch.height * 0.26)
        y = sketch.height * sketch.rng.uniform(0.34, 0.46)
        sketch.ball("main", x, y, size, turn=0.16)
        sketch.disc("accent", x, y, size * 0.6, role=Role.THING)
        sketch.disc("light", x, y, size * 0.26, role=Role.DETAIL)
    reach, thick = sketch.width * 0.46, 0.05
    x, y = sketch.width / 2, sketch.height * sketch.rng.uniform(0.84, 0.87)
    tilt = slope * 0.2
    sketch.thing("dark", (x - reach, y - tilt), (x + reach, y + tilt), (x + reach, y + tilt + thick), (x - reach, y - tilt + thick))
