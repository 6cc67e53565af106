"""The metrics of the table in their plainest form, over all negatives and by blocks; `PLAIN_METRICS` is what the table takes by default."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.pair_table import UNKNOWN
from trainer.evaluation.columns import AVERAGE_PRECISION, GENERATED, HEADLINE, OTHER_STYLE, RECALL_AT_1
from trainer.evaluation.figures import LEAST_CLUSTERS, EvaluationFigure, ReferenceDifference
from trainer.evaluation.metric_suite import MetricSuite
from trainer.metrics.similarities import BLOCK, TIE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Similarities

    Numbers = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

#: Similarities of one block: bounds the memory of a block and of what is computed from it.
_BLOCK_ENTRIES = 16_000_000

#: Hard negatives of each original.
_NEAREST = 10

#: Shapes are the same where the logarithms of width over height differ by no more.
SAME_SHAPE = 0.02

_KINDS = (HEADLINE, OTHER_STYLE, "same_style", "same_artist", GENERATED, "nearest")

_RESAMPLES, _RESAMPLES_AT_ONCE = 2000, 100
_LEVEL = 0.05


def plain_accuracies(similarities: Similarities, table: PairTable, nearest: Numbers) -> dict[str, Values]:
    """Share of the negatives of each kind that are less like the original than its repaint: s(o, r) > s(o, n), a tie counts half.

    Negatives are originals of other groups of copies, or for "generated" the repaints of other groups at the same level.
    """
    values = {name: np.full(len(table.repaints), np.nan) for name in _KINDS}
    style_rows = _style_rows(table)
    owner, groups = table.repaints.originals, table.repaint_groups
    levels = np.unique(table.repaints.levels, return_inverse=True)[1]
    order = np.argsort(owner, kind="stable")
    for block in _blocks(len(table.repaints), max(len(table.originals), len(table.repaints))):
        mine = order[block]
        rows, local = np.unique(owner[mine], return_inverse=True)
        to_repaints = similarities.originals_to_repaints(rows)
        positive = to_repaints[local, mine]
        foreign = (groups[None, :] != groups[mine, None]) & (levels[None, :] == levels[mine, None])
        values[GENERATED][mine] = _share(_ranked_right(positive, to_repaints[local]), foreign)
        right = _ranked_right(positive, similarities.originals_to_originals(rows)[local])
        for name, negatives in _kinds(table, rows, style_rows):
            values[name][mine] = _share(right, negatives[local])
        hard = nearest[owner[mine]]
        values["nearest"][mine] = _share(np.take_along_axis(right, np.maximum(hard, 0), axis=1), hard != UNKNOWN)
    return values


def plain_retrieval(similarities: Similarities, table: PairTable) -> dict[str, Values]:
    """R@1, R@10 and average precision of each repaint as a query over all originals, in expectation over the order of ties.

    Copies of the original count as it does: the rank is that of the best of them among the originals of other groups, so there is one right
    answer, and average precision is 1 / rank.
    """
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, len(table.originals) + 2))])
    ones, tens, precisions = (np.empty(len(table.repaints)) for _ in range(3))
    for rows in _blocks(len(table.repaints), len(table.originals)):
        scores = similarities.repaints_to_originals(rows)
        own = table.originals.groups[None, :] == table.repaint_groups[rows, None]
        best = np.where(own, scores, -np.inf).max(axis=1, keepdims=True)
        above = ((scores > best + TIE) & ~own).sum(axis=1)
        tied = ((np.abs(scores - best) <= TIE) & ~own).sum(axis=1)
        ones[rows] = np.clip((1 - above) / (tied + 1), 0, 1)
        tens[rows] = np.clip((10 - above) / (tied + 1), 0, 1)
        precisions[rows] = (harmonic[above + tied + 1] - harmonic[above]) / (tied + 1)
    return {RECALL_AT_1: ones, "recall_at_10": tens, AVERAGE_PRECISION: precisions}


def plain_nearest(similarities: Similarities, table: PairTable) -> Numbers:
    """(N, at most 10) the originals of other groups that are most like each original, -1 where there are fewer."""
    count = min(_NEAREST, len(table.originals))
    nearest = np.empty((len(table.originals), count), dtype=np.int64)
    for rows in _blocks(len(table.originals), len(table.originals)):
        own = table.originals.groups[None, :] == table.originals.groups[rows, None]
        scores = np.where(own, -np.inf, similarities.originals_to_originals(rows))
        found = np.argpartition(scores, -count, axis=1)[:, -count:]
        nearest[rows] = np.where(np.isfinite(np.take_along_axis(scores, found, axis=1)), found, UNKNOWN)
    return nearest


def clustered_mean(values: Values, clusters: Numbers) -> EvaluationFigure:
    """Mean and 95 % interval: percentiles of a bootstrap over clusters.

    Where all values are 0 or all are 1 a bootstrap has no width: then it is Clopper and Pearson's exact interval over the clusters.
    """
    sums, counts = _cluster_sums(values, clusters)
    value, count = float(values.mean()), len(sums)
    if (values == 1).all():
        low, high = (_LEVEL / 2) ** (1 / count), 1.0
    elif (values == 0).all():
        low, high = 0.0, 1 - (_LEVEL / 2) ** (1 / count)
    else:
        low, high = (float(end) for end in np.quantile(_resampled_means(sums, counts), [_LEVEL / 2, 1 - _LEVEL / 2]))
    return EvaluationFigure(value=value, low=low, high=high, count=len(values), clusters=count, too_few=count < LEAST_CLUSTERS)


def paired_difference(values: Values, reference: Values, clusters: Numbers) -> ReferenceDifference:
    """Mean difference on the same repaints, with percentiles of a bootstrap over clusters and its two-sided p."""
    sums, counts = _cluster_sums(values - reference, clusters)
    means = _resampled_means(sums, counts)
    low, high = np.quantile(means, [_LEVEL / 2, 1 - _LEVEL / 2])
    tail = min((means <= 0).sum(), (means >= 0).sum())
    p = min(1.0, 2 * (1 + tail) / (len(means) + 1))
    return ReferenceDifference(value=float((values - reference).mean()), low=float(low), high=float(high), p=float(p))


PLAIN_METRICS = MetricSuite(
    accuracies=plain_accuracies, retrieval=plain_retrieval, nearest=plain_nearest, mean=clustered_mean, difference=paired_difference
)


def _kinds(table: PairTable, rows: Numbers, style_rows: npt.NDArray[np.float32]) -> Iterator[tuple[str, Mask]]:
    """(n, N) which originals are negatives of these originals, by kind."""
    one = table.originals
    foreign = one.groups[None, :] != one.groups[rows, None]
    known = style_rows.any(axis=1)
    shared = style_rows[rows] @ style_rows.T > 0
    yield OTHER_STYLE, foreign & ~shared & known[None, :] & known[rows, None]
    yield "same_style", foreign & shared
    yield "same_artist", foreign & (one.artists[None, :] == one.artists[rows, None]) & (one.artists != UNKNOWN)[rows, None]
    shapes = np.log(one.aspects)
    yield HEADLINE, foreign & (np.abs(shapes[None, :] - shapes[rows, None]) <= SAME_SHAPE)


def _style_rows(table: PairTable) -> npt.NDArray[np.float32]:
    """(N, S) 1 where an original is of a style."""
    numbers = {style: number for number, style in enumerate(sorted(frozenset().union(*table.originals.styles)))}
    rows = np.zeros((len(table.originals), max(1, len(numbers))), dtype=np.float32)
    for row, styles in enumerate(table.originals.styles):
        rows[row, [numbers[style] for style in styles]] = 1
    return rows


def _ranked_right(positive: npt.NDArray[np.float32], negative: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(m, k): 1 where the positive's similarity (m,) is above the negative's (m, k), a half where they tie."""
    difference = positive[:, None] - negative
    right: npt.NDArray[np.float32] = np.where(difference > TIE, np.float32(1), np.where(difference < -TIE, np.float32(0), np.float32(0.5)))
    return right


def _share(right: npt.NDArray[np.float32], negatives: Mask) -> Values:
    """(m,) mean of `right` over the negatives of each row; NaN where there is none."""
    counts = negatives.sum(axis=1)
    sums = np.where(negatives, right, 0).sum(axis=1, dtype=np.float64)
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


def _blocks(count: int, width: int) -> Iterator[Numbers]:
    """Rows 0 to count - 1, as many at once as keep a block of this width small."""
    step = max(1, min(BLOCK, _BLOCK_ENTRIES // max(1, width)))
    for start in range(0, count, step):
        yield np.arange(start, min(start + step, count))


def _cluster_sums(values: Values, clusters: Numbers) -> tuple[Values, Values]:
    """Sum of values and number of values of each cluster."""
    _, index = np.unique(clusters, return_inverse=True)
    return np.bincount(index, weights=values), np.bincount(index).astype(np.float64)


def _resampled_means(sums: Values, counts: Values) -> Values:
    """(2000,) means of resamples of whole clusters."""
    resampled = [(times @ sums) / (times @ counts) for times in _resamples(len(sums))]
    return np.concatenate(resampled)


@lru_cache(maxsize=8)
def _resamples(clusters: int, seed: int = 0) -> list[Values]:
    """How often each cluster is drawn in each resample: arrays (100, clusters), always the same, so differences are paired."""
    random = np.random.default_rng(seed)
    first = clusters * np.arange(_RESAMPLES_AT_ONCE)[:, None]
    made = []
    for _ in range(0, _RESAMPLES, _RESAMPLES_AT_ONCE):
        drawn = random.integers(clusters, size=(_RESAMPLES_AT_ONCE, clusters)) + first
        times = np.bincount(drawn.ravel(), minlength=_RESAMPLES_AT_ONCE * clusters)
        made.append(times.reshape(_RESAMPLES_AT_ONCE, clusters).astype(np.float64))
    return made
