"""Pairs of pictures of which it is known whether they are an original and its repaint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.calibration.scored_cases import ScoredCases, artists_of_repaints
from trainer.data.pair_table import UNKNOWN
from trainer.metrics.similarities import BLOCK

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Similarities

    Floats = npt.NDArray[np.float64]
    Booleans = npt.NDArray[np.bool_]


def pair_cases(similarities: Similarities, table: PairTable, repaints: npt.NDArray[np.int64], *, seed: int) -> ScoredCases:
    """Each of these repaints with its own original, and with originals of other groups: the nearest, one of the same artist, any one.

    The own original weighs as much as the others together, so that one pair in two is true; a repaint without any other is left out.
    """
    rng = np.random.default_rng(seed)
    artists = artists_of_repaints(table)
    parts = [_block(similarities, table, repaints[start : start + BLOCK], rng) for start in range(0, len(repaints), BLOCK)]
    scores = np.concatenate([np.zeros((0, 4)), *parts])  # own, nearest, same artist, any; NaN where there is none
    others = np.isfinite(scores[:, 1:]).sum(axis=1)
    weights = np.where(np.arange(4) == 0, 1.0, 1.0 / np.maximum(others, 1)[:, None])
    used = np.isfinite(scores) & (others > 0)[:, None]
    return ScoredCases(
        scores=scores[used],
        truth=np.broadcast_to(np.arange(4) == 0, scores.shape)[used],
        weights=weights[used],
        artists=np.broadcast_to(artists[repaints][:, None], scores.shape)[used],
    )


def _block(similarities: Similarities, table: PairTable, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> Floats:
    cosines = similarities.repaints_to_originals(rows).astype(np.float64)
    originals, own = table.originals, table.repaints.originals[rows]
    others = originals.groups[None, :] != originals.groups[own][:, None]
    artist = originals.artists[own][:, None]
    same_artist = others & (originals.artists[None, :] == artist) & (artist != UNKNOWN)
    nearest = np.where(others, cosines, -np.inf).max(axis=1)
    return np.column_stack(
        [
            cosines[np.arange(len(rows)), own],
            np.where(others.any(axis=1), nearest, np.nan),
            _any_of(cosines, same_artist, rng),
            _any_of(cosines, others, rng),
        ]
    )


def _any_of(cosines: Floats, chosen: Booleans, rng: np.random.Generator) -> Floats:
    """One of the chosen of each row, at random; NaN where none is chosen."""
    counts = chosen.sum(axis=1)
    wanted = (rng.random(len(counts)) * counts).astype(np.int64)
    drawn = (chosen & (np.cumsum(chosen, axis=1) == wanted[:, None] + 1)).argmax(axis=1)
    found: Floats = np.where(counts > 0, cosines[np.arange(len(drawn)), drawn], np.nan)
    return found
