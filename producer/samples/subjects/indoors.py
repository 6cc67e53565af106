"""Subjects on a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from producer.samples.scene import Role
from producer.samples.scenery import shadow, table

if TYPE_CHECKING:
    from producer.samples.sketch import Sketch


def flowers(sketch: Sketch) -> None:
    """A vase with great flowers on a table."""
    level = sketch.height * sketch.rng.uniform(0.72, 0.78)
    table(sketch, level)
    x, base = sketch.width * sketch.rng.uniform(0.45, 0.55), level + 0.12
    scale = min(1.0, sketch.height * 1.02)
    neck = base - 0.4 * scale
    shadow(sketch, x, base, 0.15)
    bloom = {1: 0.17, 2: 0.15, 3: 0.125}[sketch.count] * scale
    heads = []
    for number in range(sketch.count):
        lean = (number - (sketch.count - 1) / 2) * {1: 0.0, 2: 0.95, 3: 0.86}[sketch.count] + sketch.rng.uniform(-0.06, 0.06)
        reach = min(neck - bloom * 1.1, 0.31 + 0.05 * (number % 2))
        head = x + math.sin(lean) * 0.36, max(bloom * 1.1, neck - math.cos(lean) * reach)
        heads.append(head)
        sketch.thing("dark", (x - 0.011, neck + 0.02), (head[0] - 0.009, head[1]), (head[0] + 0.009, head[1]), (x + 0.011, neck + 0.02),
                     into="far", veil=(0.2, 0.2))  # fmt: skip
    body = ((0.075, 0.0), (0.05, 0.07), (0.13, 0.2), (0.14, 0.28), (0.085, 0.4))
    left = [(x - across * scale, neck + down * scale) for across, down in body]
    right = [(x + across * scale, neck + down * scale) for across, down in reversed(body)]
    sketch.thing("light", *left, *right, turn=0.0, shade=-0.12, into="ground", veil=(0.0, 0.45))
    sketch.box("accent", x - 0.125 * scale, neck + 0.19 * scale, x + 0.125 * scale, neck + 0.225 * scale, role=Role.DETAIL)
    for across, up in heads:
        phase = sketch.rng.random()
        for petal in range(6):
            turn = phase + math.tau * petal / 6
            sketch.ball("main", across + math.cos(turn) * bloom * 0.58, up + math.sin(turn) * bloom * 0.58, bloom * 0.46,
                        shade=0.06 if petal % 2 else -0.1)  # fmt: skip
        sketch.ball("accent", across, up, bloom * 0.36)


def fruit(sketch: Sketch) -> None:
    """Apples on a cloth."""
    level = sketch.height * sketch.rng.uniform(0.44, 0.52)
    table(sketch, level)
    cloth = level + 0.1
    sketch.add("light", (sketch.width * 0.04, cloth), (sketch.width * 0.92, cloth - 0.02), (sketch.width, sketch.height * 0.92),
               (sketch.width * 0.1, sketch.height * 0.97), into="ground", veil=(0.5, 0.8))  # fmt: skip
    for x in sketch.places(0.04):
        size = min(sketch.slot * 0.38, sketch.height * 0.24)
        y = sketch.height * sketch.rng.uniform(0.62, 0.68)
        shadow(sketch, x, y + size * 0.85, size * 0.95, squash=0.24)
        apple = []
        for step in range(32):
            turn = math.tau * step / 32
            dent = 1 - 0.2 * math.exp(-(((turn - math.pi * 1.5) / 0.4) ** 2)) - 0.06 * math.exp(-(((turn - math.pi / 2) / 0.4) ** 2))
            apple.append((x + math.cos(turn) * size * 1.02, y + math.sin(turn) * size * dent))
        sketch.thing("main", *apple, turn=0.26)
        sketch.disc("light", x - size * 0.4, y - size * 0.38, size * 0.17, squash=1.3, role=Role.DETAIL)
        sketch.thing("dark", (x - size * 0.05, y - size * 0.72), (x + size * 0.1, y - size * 1.25), (x + size * 0.2, y - size * 1.2),
                     (x + size * 0.06, y - size * 0.7))  # fmt: skip
        leaf = ((0.12, -1.0), (0.36, -1.3), (0.75, -1.3), (0.5, -1.02))
        sketch.thing("accent", *((x + across * size, y + down * size) for across, down in leaf))


def candles(sketch: Sketch) -> None:
    """Burning candles on a table."""
    level = sketch.height * sketch.rng.uniform(0.7, 0.76)
    table(sketch, level)
    for x in sketch.places(0.04):
        size = min(sketch.slot * 0.2, 0.09)
        base = level + sketch.height * sketch.rng.uniform(0.07, 0.13)
        high = min(sketch.height * 0.42, size * 5) * sketch.rng.uniform(0.85, 1.0)
        top = base - high
        flame = top - size * 1.3
        for halo, veil in ((3.0, 0.82), (2.1, 0.6)):
            sketch.disc("light", x, flame, size * halo, into="far", veil=(veil, veil))
        shadow(sketch, x, base, size * 1.5)
        sketch.ball("dark", x, base, size * 1.75, squash=0.3)
        sketch.thing("main", (x - size, top), (x + size, top), (x + size, base), (x - size, base), turn=0.2)
        sketch.disc("main", x, top, size, squash=0.25, role=Role.DETAIL, shade=0.25)
        sketch.thing("dark", (x - size * 0.09, flame), (x + size * 0.09, flame), (x + size * 0.09, top), (x - size * 0.09, top))
        for share, part in ((1.0, "accent"), (0.55, "light")):
            turns = [math.tau * step / 20 for step in range(20)]
            tear = [(math.cos(turn) * (0.72 if math.sin(turn) > 0 else 0.72 + 0.5 * math.sin(turn)), math.sin(turn)) for turn in turns]
            sketch.thing(part, *((x + across * size * share, flame + size * (0.3 * share + (1.25 if up < 0 else 0.7) * up * share))
                                 for across, up in tear), turn=0.0)  # fmt: skip


def fish(sketch: Sketch) -> None:
    """Fish in a round bowl."""
    level = sketch.height * sketch.rng.uniform(0.74, 0.8)
    table(sketch, level)
    x, size = sketch.width * sketch.rng.uniform(0.48, 0.52), min(sketch.width * 0.46, sketch.height * 0.44, 0.44)
    y = min(level + 0.08 - size * 0.86, sketch.height - size)
    y = max(y, size * 0.98)
    shadow(sketch, x, y + size * 0.9, size * 0.7, squash=0.14)
    turns = [-math.pi / 2 + 0.7 + (math.tau - 1.4) * step / 30 for step in range(31)]
    sketch.add("light", *((x + math.cos(turn) * size, y + math.sin(turn) * size * 0.95) for turn in turns), role=Role.THING,
               into="sky", veil=(0.55, 0.85))  # fmt: skip
    turns = [-0.42 + (math.pi + 0.84) * step / 24 for step in range(25)]
    bowl = [(x + math.cos(turn) * size * 0.93, y + math.sin(turn) * size * 0.88) for turn in turns]
    sketch.add("sky", *bowl, role=Role.THING, turn=0.1, into="ground", veil=(0.0, 0.5))
    rim = size * math.sin(0.75)
    sketch.disc("light", x, y - size * 0.72, rim, squash=0.13, role=Role.DETAIL, into="sky", veil=(0.1, 0.3))
    sizes = {1: 0.42, 2: 0.33, 3: 0.27}
    spots = {1: ((0.0, 0.12),), 2: ((-0.28, -0.1), (0.28, 0.4)), 3: ((-0.36, -0.08), (0.42, 0.12), (-0.14, 0.54))}
    for across, down in spots[sketch.count]:
        swim, head = sketch.rng.choice((-1, 1)), size * sizes[sketch.count]
        fx, fy = x + across * size, y + down * size * 0.95
        sketch.thing("main", (fx - swim * head * 0.5, fy), (fx - swim * head * 1.1, fy - head * 0.5), (fx - swim * head * 0.95, fy),
                     (fx - swim * head * 1.1, fy + head * 0.5))  # fmt: skip
        sketch.thing("accent", (fx - swim * head * 0.2, fy - head * 0.35), (fx - swim * head * 0.2, fy - head * 0.72),
                     (fx + swim * head * 0.3, fy - head * 0.35))  # fmt: skip
        sketch.ball("main", fx, fy, head * 0.78, squash=0.6)
        sketch.disc("light", fx + swim * head * 0.42, fy - head * 0.08, head * 0.16, role=Role.DETAIL)
        sketch.disc("dark", fx + swim * head * 0.45, fy - head * 0.08, head * 0.09, role=Role.DETAIL)
