"""Warps: where each fine pixel takes its colour from when the scene sways or breaks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from producer.samples.study import Study


def swayed(drawn: Study, rng: Generator, reach: float) -> NDArray[np.intp]:
    """Flat indices of a scene that sways by up to `reach` of its units, in slow waves; height x width."""
    height, width = drawn.index.shape
    waves, phases = rng.uniform(0.7, 1.5, 4), rng.uniform(0, math.tau, 4)
    x, y = np.arange(width) / drawn.scale * math.tau, np.arange(height) / drawn.scale * math.tau
    push = reach * drawn.scale
    across = push * (np.sin(y * waves[0] + phases[0])[:, None] + 0.5 * np.sin(x * waves[1] + phases[1])[None, :])
    down = push * (0.7 * np.sin(x * waves[2] + phases[2])[None, :] + 0.4 * np.sin(y * waves[3] + phases[3])[:, None])
    return taken(drawn, across, down)


def taken(drawn: Study, across: NDArray[np.floating], down: NDArray[np.floating]) -> NDArray[np.intp]:
    """Flat indices of the pixels so far away from each; the image's edge is not left."""
    height, width = drawn.index.shape
    column = np.clip(np.arange(width)[None, :] + across, 0, width - 1).astype(np.intp)
    row = np.clip(np.arange(height)[:, None] + down, 0, height - 1).astype(np.intp)
    spots: NDArray[np.intp] = row * width + column
    return spots
