"""The figures of one scorer (a trained head, frozen CLIP, chance) on triplets and in retrieval.

Ties count as what a coin would make of them, so a model that maps everything to one point scores chance and not 0 or 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from trainer.evaluation.projection import project_rows

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.data.triplet_indices import TripletIndices

    Floats = npt.NDArray[np.float64]

#: Pairs whose vectors are gathered at once.
_PAIRS = 8192

#: Cosines to the gallery that are held at once, and queries at most.
_COSINES, _QUERIES = 8_000_000, 1024

#: Differences below what float32 cosines can tell apart are ties.
_EPSILON = 1e-6

_RESAMPLES = 1000


class Score(BaseModel):
    """One row of the evaluation table."""

    model_config = ConfigDict(frozen=True)

    #: "trained", "clip" (another space's name, where CLIP is not among the model's) or "chance".
    scorer: str
    #: A level, or "all".
    level: str
    triplets: int
    #: Share of triplets with s+ > s-.
    accuracy: float
    #: 95 % bootstrap interval over groups of copies; None for chance.
    accuracy_interval: tuple[float, float] | None = None
    positive: float | None = None
    negative: float | None = None
    #: Mean of s+ - s-.
    margin: float | None = None
    roc_auc: float
    #: Share of repaints whose nearest original, among those of the split, is their own or a copy of it.
    recall_at_1: float
    #: Originals to choose from.
    gallery: int


def score_triplets(
    scorer: str, level: str, vectors: npt.NDArray[np.float32], indices: TripletIndices, chosen: npt.NDArray[np.bool_]
) -> Score:
    """The figures of unit `vectors` on the chosen triplets; the gallery is always the whole split's."""
    from sklearn.metrics import roc_auc_score

    anchors, groups = indices.anchors[chosen], indices.groups[chosen]
    s_plus = _cosines(vectors, anchors, indices.positives[chosen])
    s_minus = _cosines(vectors, anchors, indices.negatives[chosen])
    correct = _ranked_right(s_plus - s_minus)
    queries, first = np.unique(indices.positives[chosen], return_index=True)
    truth = np.repeat([1, 0], len(s_plus))
    return Score(
        scorer=scorer,
        level=level,
        triplets=len(anchors),
        accuracy=float(correct.mean()),
        accuracy_interval=interval(correct, groups),
        positive=float(s_plus.mean()),
        negative=float(s_minus.mean()),
        margin=float((s_plus - s_minus).mean()),
        roc_auc=float(roc_auc_score(truth, np.round(np.concatenate([s_plus, s_minus]), 6))),
        recall_at_1=float(_recall(vectors, queries, groups[first], indices.group_of_row).mean()),
        gallery=len(indices.group_of_row),
    )


def chance(level: str, indices: TripletIndices, chosen: npt.NDArray[np.bool_]) -> Score:
    """What a coin scores."""
    _, first = np.unique(indices.positives[chosen], return_index=True)
    owners = np.array(list(indices.group_of_row.values()))
    right = [(owners == group).mean() for group in indices.groups[chosen][first]]
    return Score(
        scorer="chance",
        level=level,
        triplets=int(chosen.sum()),
        accuracy=0.5,
        roc_auc=0.5,
        recall_at_1=float(np.mean(right)),
        gallery=len(owners),
    )


def interval(values: Floats, groups: npt.NDArray[np.int64], seed: int = 0) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean, resampling whole groups: triplets of one artwork are not independent."""
    _, index = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(index, weights=values), np.bincount(index)
    random = np.random.default_rng(seed)
    means = np.empty(_RESAMPLES)
    for resample in range(_RESAMPLES):
        drawn = random.integers(len(sums), size=len(sums))
        means[resample] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _cosines(vectors: npt.NDArray[np.float32], one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> Floats:
    cosines = np.empty(len(one))
    for start in range(0, len(one), _PAIRS):
        block = slice(start, start + _PAIRS)
        cosines[block] = np.einsum("nd,nd->n", vectors[one[block]], vectors[other[block]], dtype=np.float64)
    return cosines


def _ranked_right(difference: Floats) -> Floats:
    return np.where(np.abs(difference) <= _EPSILON, 0.5, (difference > 0).astype(np.float64))


def _recall(
    vectors: npt.NDArray[np.float32], queries: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], group_of_row: dict[int, int]
) -> Floats:
    """For each query the probability that the original picked as nearest, at random among ties, is of its group."""
    gallery = np.array(list(group_of_row), dtype=np.int64)
    owners = np.array(list(group_of_row.values()), dtype=np.int64)
    found = np.empty(len(queries))
    originals = project_rows(vectors, gallery, lambda rows: rows)
    step = max(1, min(_QUERIES, _COSINES // len(gallery)))
    for start in range(0, len(queries), step):
        block = slice(start, start + step)
        cosines = vectors[queries[block]] @ originals.T
        nearest = cosines >= cosines.max(axis=1, keepdims=True) - _EPSILON
        right = nearest & (owners[None, :] == groups[block, None])
        found[block] = right.sum(axis=1) / nearest.sum(axis=1)
    return found
