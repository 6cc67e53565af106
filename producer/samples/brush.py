"""A brush: thousands of strokes laid at once, one over the other, each in its own colour and direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from producer.samples.study import Pixels, Plane, Study

#: Points of strokes that are laid at once: bounds the memory.
_AT_ONCE = 2_000_000
#: How far apart a stroke's points may lie, in pixels, whatever its angle.
_DENSE = 0.85
#: Directions that a stroke may take within half a turn.
_DIRECTIONS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Brush:
    """A stroke's shape, in the scene's units."""

    #: Half its length and half its width.
    length: float
    width: float
    #: How far a stroke bends off its tangent, in lengths.
    bend: float = 0.0
    #: How much the bristles' tracks differ in tone.
    relief: float = 0.0
    #: Ragged ends for 1, smooth round ones for 0.
    ragged: float = 0.0


def scattered(rng: Generator, study: Study, number: int) -> NDArray[np.intp]:
    """Places all over the image, evenly and in random order: rows and columns of fine pixels; 2 x number or so."""
    height, width = study.index.shape
    across = max(1, round(math.sqrt(number * study.scene.width / study.scene.height)))
    down = max(1, round(number / across))
    order = rng.permutation(across * down)
    row = (order // across + rng.uniform(0, 1, order.size)) / down * height
    column = (order % across + rng.uniform(0, 1, order.size)) / across * width
    return np.stack((row, column)).astype(np.intp)


def colours_at(pixels: Pixels, places: NDArray[np.intp], rng: Generator, *, spread: float) -> Plane:
    """The colours at places, each a little off: mostly in tone, somewhat in hue; number x 3."""
    seen = pixels[places[0], places[1]].astype(np.float32)
    tone = rng.normal(0, spread, (len(seen), 1)).astype(np.float32)
    near: Plane = seen + tone + rng.normal(0, spread * 0.6, seen.shape).astype(np.float32)
    return near


def stroked(
    ground: Pixels,
    study: Study,
    *,
    places: NDArray[np.intp],
    angles: Plane,
    colours: Plane,
    brush: Brush,
    rng: Generator,
    keep: NDArray[np.bool_] | None = None,
) -> Pixels:
    """The ground under strokes at the places; later ones lie over earlier ones. Of all only those to keep are laid.

    A stroke takes the nearest of some directions and bends whose points were worked out once, so laying it is adding and marking.
    """
    length, width = max(0.6, brush.length * study.scale), max(0.6, brush.width * study.scale)
    u, v, track = _template(length, width, brush, rng)
    bends = np.array([-1, 0, 1] if brush.bend else [0], np.float32) * brush.bend / length
    rim = math.ceil(length + width + abs(brush.bend) * length) + 1
    canvas = np.zeros((ground.shape[0] + 2 * rim, ground.shape[1] + 2 * rim), np.int32)
    patterns = _patterns(u, v, bends, canvas.shape[1])
    turn = np.round(angles * (_DIRECTIONS / math.pi)).astype(np.intp) % _DIRECTIONS
    pattern = turn * len(bends) + rng.integers(0, len(bends), len(turn))
    base = (places[0] + rim) * canvas.shape[1] + places[1] + rim
    if keep is not None:  # after all random draws, which must be the same at every size
        base, pattern, colours = base[keep], pattern[keep], colours[keep]
    tracks = int(track.max()) + 1
    step = max(1, _AT_ONCE // u.size)
    for start in range(0, len(base), step):
        some = slice(start, start + step)
        spots = patterns[pattern[some]]
        spots += base[some, None]
        marks = np.arange(start + 1, start + len(spots) + 1, dtype=np.int32)[:, None] * np.int32(tracks) + track[None, :]
        canvas.ravel()[spots] = marks
    relief = rng.uniform(-brush.relief, brush.relief, (1, tracks, 1)).astype(np.float32)
    return _inked(ground, canvas[rim:-rim, rim:-rim], np.clip(colours[:, None, :] + relief, 0, 255))


def _patterns(u: Plane, v: Plane, bends: Plane, stride: int) -> NDArray[np.intp]:
    """Where a stroke's points lie from its middle, by direction and bend; a stroke is the same after half a turn."""
    turns = (np.arange(_DIRECTIONS, dtype=np.float32) * np.float32(math.pi / _DIRECTIONS))[:, None, None]
    side = v + bends[None, :, None] * u * u
    row = np.rint(u * np.sin(turns) + side * np.cos(turns)).astype(np.intp)
    column = np.rint(u * np.cos(turns) - side * np.sin(turns)).astype(np.intp)
    spots: NDArray[np.intp] = row * stride + column
    return spots.reshape(_DIRECTIONS * len(bends), -1)


def _template(length: float, width: float, brush: Brush, rng: Generator) -> tuple[Plane, Plane, NDArray[np.int32]]:
    """One stroke's points along and across it, and the bristle that makes each."""
    along = np.linspace(-1, 1, max(2, math.ceil(2 * length / _DENSE) + 1), dtype=np.float32)
    beside = np.linspace(-1, 1, max(2, math.ceil(2 * width / _DENSE) + 1), dtype=np.float32)
    bristles = 8
    ends = 1 - brush.ragged * 0.5 * rng.uniform(0, 1, (2, bristles)).astype(np.float32)
    track = np.clip(((beside + 1) / 2 * bristles).astype(np.int32), 0, bristles - 1)
    u, v = np.meshgrid(along, beside)
    body = max(0.0, 1 - width / length)
    inside = (np.maximum(np.abs(u) - body, 0) / max(1 - body, 1e-3)) ** 2 + v**2 <= 1.08  # noqa: PLR2004  # a capsule
    inside &= (u <= ends[0][track][:, None]) & (u >= -ends[1][track][:, None])
    tracks = np.broadcast_to(track[:, None], u.shape)
    return u[inside] * length, v[inside] * width, tracks[inside]


def _inked(ground: Pixels, canvas: NDArray[np.int32], inks: Plane) -> Pixels:
    """The inks where strokes lie; strokes x tracks x 3."""
    table = np.zeros((inks.shape[0] + 1, inks.shape[1], 4), np.uint8)
    table[1:, :, :3] = inks
    painted: Pixels = table.reshape(-1, 4).view(np.uint32).ravel()[canvas].view(np.uint8).reshape(*canvas.shape, 4)[..., :3]
    bare = np.nonzero(canvas == 0)
    painted[bare] = ground[bare]
    return painted
