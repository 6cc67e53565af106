"""Subjects on land and over it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from producer.samples.scene import Role
from producer.samples.scenery import land, ridges, shadow, sky, sun, water

if TYPE_CHECKING:
    from producer.samples.sketch import Sketch


def houses(sketch: Sketch) -> None:
    """Houses with steep roofs in a field."""
    horizon = sketch.height * sketch.rng.uniform(0.44, 0.52)
    sky(sketch, horizon)
    ridges(sketch, horizon)
    land(sketch, horizon)
    for x in sketch.places():
        size = min(sketch.slot * 0.34, 0.25) * sketch.rng.uniform(0.92, 1.05)
        base = sketch.height * sketch.rng.uniform(0.74, 0.82)
        top, peak = base - size * 1.05, base - size * sketch.rng.uniform(1.95, 2.15)
        shadow(sketch, x + size * 0.4, base, size, squash=0.12)
        sketch.thing("light", (x - size, top), (x + size, top), (x + size, base), (x - size, base), turn=0.0, shade=-0.06)
        sketch.thing("main", (x - size * 1.25, top), (x - size * 0.1, peak), (x + size * 0.1, peak), (x + size * 1.25, top), turn=0.18)
        sketch.box("dark", x + size * 0.5, peak + size * 0.1, x + size * 0.72, top - size * 0.3, role=Role.DETAIL)
        sketch.box("accent", x - size * 0.22, base - size * 0.66, x + size * 0.22, base, role=Role.DETAIL, turn=0.1)
        for side in (-0.62, 0.62):
            sketch.box("dark", x + size * (side - 0.2), base - size * 0.74, x + size * (side + 0.2), base - size * 0.34, role=Role.DETAIL)


def trees(sketch: Sketch) -> None:
    """Trees with round crowns on a plain."""
    horizon = sketch.height * sketch.rng.uniform(0.62, 0.7)
    sky(sketch, horizon)
    ridges(sketch, horizon, high=0.09)
    land(sketch, horizon)
    for x in sketch.places():
        size = min(sketch.slot * 0.42, sketch.height * 0.26) * sketch.rng.uniform(0.9, 1.02)
        base = sketch.height * sketch.rng.uniform(0.8, 0.88)
        crown = base - size * 1.75
        shadow(sketch, x, base, size * 0.8, squash=0.16)
        trunk = (x - size * 0.16, base), (x - size * 0.08, crown), (x + size * 0.08, crown), (x + size * 0.16, base)
        sketch.thing("dark", *trunk, turn=0.2)
        sketch.bush("main", x, crown, size, role=Role.THING, turn=0.16, axis=0, flow=0.8)
        sketch.bush("main", x - size * 0.3, crown - size * 0.3, size * 0.5, role=Role.DETAIL, shade=0.2, flow=0.8)
        sketch.bush("main", x + size * 0.36, crown + size * 0.34, size * 0.42, role=Role.DETAIL, shade=-0.22, flow=0.8)


def mountains(sketch: Sketch) -> None:
    """Mountains with snow on them behind a lake, upside down in it."""
    horizon = sketch.height * sketch.rng.uniform(0.62, 0.68)
    sky(sketch, horizon, clouds=False)
    sun(sketch, sketch.width * sketch.rng.uniform(0.1, 0.9), sketch.height * 0.14, 0.055)
    water(sketch, horizon)
    for x in sketch.places(0.03):
        half, peak = sketch.slot * 0.49, sketch.height * sketch.rng.uniform(0.17, 0.27)
        high = horizon - peak
        cap = peak + high * 0.34
        tilt = half * sketch.rng.uniform(-0.1, 0.1)
        deep = min(sketch.height * 0.97, horizon + high * 0.5)
        sketch.add("main", (x - half, horizon), (x + half, horizon), (x + tilt, deep), into="ground", veil=(0.5, 0.9))
        sketch.thing("main", (x - half, horizon), (x + tilt, peak), (x + half, horizon), turn=0.1)
        ridge = (x + tilt, peak), (x + half, horizon), (x + half * 0.2, horizon), (x + half * 0.02, horizon - high * 0.45)
        sketch.add("main", *ridge, role=Role.DETAIL, shade=-0.32)
        left, right = x + tilt - (half + tilt) * 0.34, x + tilt + (half - tilt) * 0.34
        zigzag = [(left + (right - left) * step / 6, cap - high * (0.0, 0.09, -0.02, 0.1, -0.03, 0.08, 0.0)[step]) for step in range(7)]
        sketch.thing("light", (x + tilt, peak), *reversed(zigzag), turn=-0.1, shade=-0.05)
    sketch.add("dark", (0.0, sketch.height * 0.95), (sketch.width * 0.4, sketch.height * 0.92), (sketch.width, sketch.height * 0.97),
               (sketch.width, sketch.height), (0.0, sketch.height), into="ground", veil=(0.6, 0.4))  # fmt: skip


def windmills(sketch: Sketch) -> None:
    """Windmills with crossed sails in flat country."""
    horizon = sketch.height * sketch.rng.uniform(0.68, 0.75)
    sky(sketch, horizon)
    ridges(sketch, horizon, high=0.05, number=1)
    land(sketch, horizon)
    for x in sketch.places(0.03):
        size = min(sketch.slot * 0.47, sketch.height * 0.27)
        base = sketch.height * sketch.rng.uniform(0.82, 0.88)
        hub = base - size * 1.65
        tower = (x - size * 0.46, base), (x - size * 0.26, hub), (x + size * 0.26, hub), (x + size * 0.46, base)
        shadow(sketch, x, base, size * 0.5)
        sketch.thing("main", *tower, turn=0.2)
        sketch.thing("accent", (x - size * 0.32, hub + size * 0.05), (x, hub - size * 0.42), (x + size * 0.32, hub + size * 0.05))
        sketch.box("dark", x - size * 0.1, base - size * 0.36, x + size * 0.1, base, role=Role.DETAIL)
        spin = math.pi / 4 + sketch.rng.uniform(-0.2, 0.2)
        for blade in range(4):
            turn = spin + blade * math.pi / 2
            dx, dy = math.cos(turn), math.sin(turn)
            tip = x + dx * size * 1.02, hub + dy * size * 1.02
            side = -dy * size * 0.2, dx * size * 0.2
            root = x + dx * size * 0.22, hub + dy * size * 0.22
            sketch.thing("main", root, tip, (tip[0] + side[0], tip[1] + side[1]), (root[0] + side[0], root[1] + side[1]), shade=0.12)
            back = -side[0] * 0.22, -side[1] * 0.22
            sketch.thing("dark", (x, hub), tip, (tip[0] + back[0], tip[1] + back[1]), (x + back[0], hub + back[1]))
        sketch.ball("dark", x, hub, size * 0.08)


def balloons(sketch: Sketch) -> None:
    """Hot-air balloons over hills."""
    horizon = sketch.height * sketch.rng.uniform(0.78, 0.84)
    sky(sketch, horizon)
    ridges(sketch, horizon, high=0.2, number=3)
    land(sketch, horizon)
    for x in sketch.places(0.03):
        size = min(sketch.slot * 0.42, sketch.height * 0.25) * sketch.rng.uniform(0.92, 1.0)
        y = max(size * 1.15, sketch.height * sketch.rng.uniform(0.28, 0.38))
        bag, slung = y + size * 1.55, size * 0.2
        turns = [math.pi * (0.8 + 1.4 * step / 18) for step in range(19)]
        round_ = [(math.cos(turn), math.sin(turn)) for turn in turns]
        for gore, part in ((1.0, "main"), (0.62, "accent"), (0.24, "main")):
            side = [(x + across * size * gore, y + down * size) for across, down in round_]
            sketch.thing(part, (x - size * 0.22 * gore, y + size * 1.15), *side, (x + size * 0.22 * gore, y + size * 1.15))
        for end in (-1, 1):
            rope = x + end * size * 0.2
            sketch.add("dark", (rope - 0.004, y + size * 1.13), (rope + 0.004, y + size * 1.13), (x + end * slung * 0.8 + 0.004, bag),
                       (x + end * slung * 0.8 - 0.004, bag), role=Role.DETAIL)  # fmt: skip
        sketch.thing("dark", (x - slung, bag), (x + slung, bag), (x + slung * 0.8, bag + size * 0.26), (x - slung * 0.8, bag + size * 0.26))
