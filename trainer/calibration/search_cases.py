"""Candidates of searches of which it is known whether they are the query's origin, and by what they are judged.

A candidate is judged by its similarity and by how far it stands above the best of the others, or below: a high similarity says little where
ten works have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.calibration.scored_cases import artists_of_repaints

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Similarities

    Floats = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

#: The nearest originals of a query that count as candidates.
CANDIDATES = 10

#: Queries compared with the whole gallery at once.
_QUERIES = 128


@dataclass(frozen=True, kw_only=True)
class SearchCases:
    """Arrays (n,), one entry a candidate."""

    similarities: Floats
    margins: Floats
    truth: npt.NDArray[np.bool_]
    #: Whether it is the nearest of its search.
    nearest: npt.NDArray[np.bool_]
    #: The query's artist, or its group of copies.
    artists: Numbers
    #: Originals that were searched.
    gallery: int


def margins(scores: Floats, groups: Numbers) -> Floats:
    """(n, k) how far each candidate's score is above the best score of another group in its row, 0 where there is no other.

    Rows of `scores` (n, k) fall, and end in -inf where there are fewer; `groups` (n, k) are groups of copies, for a copy is no rival.
    """
    if not scores.size:
        return np.zeros_like(scores)
    of_first = groups == groups[:, :1]
    best_other = scores[np.arange(len(scores)), (~of_first).argmax(axis=1)]
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(of_first, scores - best_other[:, None], scores - scores[:, :1])
    return np.where(np.isfinite(found) & ~of_first.all(axis=1)[:, None], found, 0.0)


def search_cases(similarities: Similarities, table: PairTable, queries: Numbers) -> SearchCases:
    """The candidates of every query (a row of `table.repaints`) twice: with its origin in the gallery, and with it taken out."""
    artists = artists_of_repaints(table)
    gallery = len(table.originals)
    scores, truth, groups, owners = [], [], [], []
    for start in range(0, len(queries), _QUERIES):
        rows = queries[start : start + _QUERIES]
        cosines = similarities.repaints_to_originals(rows).astype(np.float64)
        own = table.repaint_groups[rows][:, None]
        for out in (False, True):
            shown = np.where(table.originals.groups[None, :] == own, -np.inf, cosines) if out else cosines
            nearest = _nearest(shown, min(CANDIDATES, gallery))
            scores.append(np.take_along_axis(shown, nearest, axis=1))
            groups.append(table.originals.groups[nearest])
            truth.append((groups[-1] == own) & (not out))
            owners.append(artists[rows])
    return _joined(scores, groups, truth, owners, gallery)


def _joined(
    scores: list[Floats], groups: list[Numbers], truth: list[npt.NDArray[np.bool_]], owners: list[Numbers], gallery: int
) -> SearchCases:
    width = scores[0].shape[1] if scores else 0
    s, g = np.concatenate([np.zeros((0, width)), *scores]), np.concatenate([np.zeros((0, width), dtype=np.int64), *groups])
    t, a = np.concatenate([np.zeros((0, width), dtype=np.bool_), *truth]), np.concatenate([np.zeros(0, dtype=np.int64), *owners])
    there = np.isfinite(s)  # what was taken out may come last where the gallery is small
    above = margins(s, g)
    return SearchCases(
        similarities=s[there],
        margins=above[there],
        truth=t[there],
        nearest=np.broadcast_to(np.arange(width) == 0, s.shape)[there],
        artists=np.broadcast_to(a[:, None], s.shape)[there],
        gallery=gallery,
    )


def _nearest(scores: Floats, count: int) -> Numbers:
    """(n, count) columns of the greatest, falling; of equal ones the first."""
    chosen = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(scores, chosen, axis=1), axis=1, kind="stable")
    found: Numbers = np.take_along_axis(chosen, order, axis=1)
    return found
