"""Scenery that several subjects share: skies, ridges, water, tables and walls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from producer.samples.scene import Role

if TYPE_CHECKING:
    from producer.samples.sketch import Sketch


def sky(sketch: Sketch, horizon: float, *, clouds: bool = True) -> None:
    """A sky that glows towards the horizon, at times with a few clouds."""
    sketch.area("sky", 0.0, horizon + 0.02, into="glow", veil=(0.0, 1.0), flow=0.25)
    if not clouds:
        return
    for _ in range(sketch.rng.choice((0, 1, 2, 3))):
        x, y = sketch.rng.uniform(0.0, sketch.width), sketch.rng.uniform(0.12, 0.7) * horizon
        size = sketch.rng.uniform(0.1, 0.2)
        sketch.cloud("glow", x, y, size, lobes=sketch.rng.randint(3, 5), into="light", veil=(0.55, 0.0), turn=0.08)


def ridges(sketch: Sketch, horizon: float, *, high: float = 0.13, number: int = 2) -> None:
    """Soft ridges over the horizon, the farther the paler."""
    for ridge in range(number):
        near = (ridge + 1) / number
        waves = [(sketch.rng.uniform(2.0, 6.0), sketch.rng.random() * math.tau) for _ in range(3)]
        top = high * (1.25 - 0.6 * near)
        line = []
        for step in range(19):
            x = step / 18 * sketch.width
            lift = sum(math.sin(wave * x + phase) for wave, phase in waves) / 6 + 0.5
            line.append((x, horizon - top * (0.3 + 0.7 * lift)))
        haze = 0.62 * (1 - near) + 0.12
        edge = (sketch.width, horizon + 0.02), (0.0, horizon + 0.02)
        sketch.add("far", *line, *edge, into="glow", veil=(haze, min(1.0, haze + 0.2)), flow=0.15)


def land(sketch: Sketch, horizon: float, *, furrows: bool = True) -> None:
    """Land that darkens towards us, with slow curves in it."""
    sketch.area("ground", horizon, turn=0.2, flow=0.08)
    if not furrows:
        return
    for step in range(3):
        y = horizon + (sketch.height - horizon) * (0.25 + 0.27 * step)
        tilt, bow = sketch.rng.uniform(-0.04, 0.04), sketch.rng.uniform(-0.03, 0.05)
        curve = [(part / 10 * sketch.width, y + tilt * (part / 5 - 1) - bow * math.sin(part / 10 * math.pi)) for part in range(11)]
        edge = (sketch.width, sketch.height), (0.0, sketch.height)
        sketch.add("ground", *curve, *edge, shade=(0.08, -0.07, -0.14)[step], turn=0.1, flow=tilt)


def water(sketch: Sketch, horizon: float, *, glint: float | None = None) -> None:
    """Water with ripples, and a path of light on it under whatever shines at `glint`."""
    sketch.area("ground", horizon, into="sky", veil=(0.35, 0.0), turn=0.06, flow=0.0)
    depth = sketch.height - horizon
    for step in range(10):
        near = (step + 0.6) / 10
        x, y = sketch.rng.uniform(0.0, sketch.width), horizon + depth * near
        half, thick = sketch.rng.uniform(0.05, 0.11) * (0.5 + near), 0.0035 + 0.004 * near
        sketch.add("ground", (x - half, y), (x, y - thick), (x + half, y), (x, y + thick), shade=0.22 if step % 2 else -0.18)
    if glint is None:
        return
    for step in range(8):
        near = (step + 0.4) / 8
        y, thick = horizon + depth * near, 0.006 + 0.008 * near
        half = (0.035 + 0.06 * near) * sketch.rng.uniform(0.6, 1.2)
        x = glint + sketch.rng.uniform(-0.015, 0.015)
        sketch.add("light", (x - half, y), (x, y - thick), (x + half, y), (x, y + thick), into="ground", veil=(0.2, 0.45))


def sun(sketch: Sketch, x: float, y: float, size: float) -> None:
    """A sun or a moon within its halo."""
    for halo, veil in ((1.9, 0.78), (1.4, 0.5)):
        sketch.disc("light", x, y, size * halo, into="glow", veil=(veil, veil + 0.1))
    sketch.disc("light", x, y, size)


def table(sketch: Sketch, level: float) -> None:
    """A table before a wall that is lit from the left."""
    sketch.area("far", 0.0, level + 0.02, into="glow", veil=(0.45, 0.05), axis=0, flow=1.2)
    if sketch.rng.random() < 0.55:  # noqa: PLR2004  # a curtain at the lit side
        right = sketch.width * sketch.rng.uniform(0.1, 0.18)
        for fold in range(3):
            left = right * fold / 3
            sketch.box("sky", left, 0.0, left + right / 3, level, turn=0.18, axis=0, shade=-0.06, flow=1.57)
    sketch.area("ground", level, turn=0.16, flow=0.03)
    sketch.box("ground", 0.0, level, sketch.width, level + 0.012, shade=0.25)


def shadow(sketch: Sketch, x: float, y: float, size: float, *, squash: float = 0.22) -> None:
    """A soft shadow on the ground, to the right of what throws it."""
    sketch.disc("ground", x + size * 0.35, y, size * 1.15, squash=squash, shade=-0.42, role=Role.SCENERY)
