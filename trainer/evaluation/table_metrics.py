"""The metrics of the table: each from `trainer.metrics`, one value a repaint, over all negatives and the whole gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.data.pair_table import UNKNOWN
from trainer.evaluation.columns import AVERAGE_PRECISION, GENERATED, HEADLINE, OTHER_STYLE, RECALL_AT_1
from trainer.evaluation.figures import EvaluationFigure, ReferenceDifference
from trainer.evaluation.metric_suite import MetricSuite
from trainer.evaluation.table import ScorerKind
from trainer.metrics import collapse, negatives
from trainer.metrics.figure import share_figure
from trainer.metrics.graded import graded_sameness
from trainer.metrics.intervals import clusters_of_repaints, paired_difference
from trainer.metrics.own_pairs import own_pairs
from trainer.metrics.retrieval import original_to_repaint, repaint_to_original
from trainer.metrics.similarities import CosineSimilarities, row_blocks
from trainer.metrics.triplet_accuracy import triplet_accuracy
from trainer.metrics.verification import verification_scores
from trainer.metrics.verification_figures import verification_figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.evaluation.scorers import EvaluatedScorer
    from trainer.metrics.similarities import Block, Rows, Similarities

    Numbers = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]

#: Columns to their negatives.
_NEGATIVES = {
    HEADLINE: negatives.HEADLINE,
    OTHER_STYLE: negatives.NegativeSet(kind=negatives.NegativeKind.OTHER_STYLE),
    "same_style": negatives.NegativeSet(kind=negatives.NegativeKind.SAME_STYLE),
    "same_artist": negatives.NegativeSet(kind=negatives.NegativeKind.SAME_ARTIST),
    GENERATED: negatives.NegativeSet(kind=negatives.NegativeKind.GENERATED),
    "nearest": negatives.NegativeSet(kind=negatives.NegativeKind.NEAREST),
}

#: Columns to the names of `verification_figures`.
_VERIFICATION = {"auc": "pair AUC", "tpr_at_1_fpr": "TPR at 1 % FPR", "equal_error": "equal error rate"}

#: Vectors by which it is seen whether they fall together, at most: of more, so many evenly spaced ones.
_MOST_VECTORS = 4096


class _NearestFirst(CosineSimilarities):
    """Similarity 1 to the originals that were found nearest, 0 to all others."""

    def __init__(self, nearest: Numbers) -> None:
        empty = np.zeros((len(nearest), 0), dtype=np.float32)
        super().__init__(empty, empty)
        self._nearest = nearest

    def originals_to_originals(self, rows: Rows) -> Block:
        """(n, N)."""
        found = np.zeros((len(rows), len(self._nearest)), dtype=np.float32)
        places, columns = np.nonzero(self._nearest[rows] != UNKNOWN)
        found[places, self._nearest[rows][places, columns]] = 1
        return found


def table_accuracies(similarities: Similarities, table: PairTable, nearest: Numbers) -> dict[str, Values]:
    """Column to (M,): the accuracy against each kind of negatives, and whether the original's grades are in order."""
    found = triplet_accuracy(similarities, table, list(_NEGATIVES.values()), _NearestFirst(nearest))
    values = {name: one.accuracies for name, one in zip(_NEGATIVES, found, strict=True)}
    return values | {"graded_order": graded_sameness(similarities, table).in_order}


def table_retrieval(similarities: Similarities, table: PairTable) -> dict[str, Values]:
    """Column to (M,): repaints that look for their original, and originals that look for their repaints of the same level."""
    there = repaint_to_original(similarities, table)
    values = {
        RECALL_AT_1: there.recall_at_1,
        "recall_at_5": there.recall_at_5,
        "recall_at_10": there.recall_at_10,
        AVERAGE_PRECISION: there.average_precision,
        "map_at_r": there.map_at_r,
    }
    back = ("repaint_recall_at_1", "repaint_recall_at_10", "repaint_average_precision")
    values |= {name: np.full(len(table.repaints), np.nan) for name in back}
    for level in table.levels:
        rows = np.flatnonzero(table.repaints.levels == level)
        asked, places = np.unique(table.repaints.originals[rows], return_inverse=True)
        found = original_to_repaint(similarities, table, level, asked)
        for name, answers in zip(back, (found.recall_at_1, found.recall_at_10, found.average_precision), strict=True):
            values[name][rows] = answers[places]
    return values


def nearest_originals(similarities: Similarities, table: PairTable) -> Numbers:
    """(N, at most 10) the originals of other groups that are most like each original, -1 where there are fewer."""
    groups = table.originals.groups
    count = min(negatives.NEAREST, len(groups))
    nearest = np.full((len(groups), count), UNKNOWN, dtype=np.int64)
    for rows in row_blocks(len(groups), len(groups)):
        block = similarities.originals_to_originals(rows)
        for place, row in enumerate(rows.tolist()):
            found = np.flatnonzero(negatives.nearest(block[place], groups != groups[row], count))
            nearest[row, : len(found)] = found
    return nearest


def share_of_values(values: Values, clusters: Numbers) -> EvaluationFigure:
    """The mean of values in [0, 1] with its interval over clusters."""
    return EvaluationFigure.model_validate(share_figure("", values, clusters))


def reference_difference(values: Values, reference: Values, clusters: Numbers) -> ReferenceDifference:
    """The mean difference with its interval over clusters; of one cluster nothing is known of it."""
    found = paired_difference(values, reference, clusters)
    if found.low is None or found.high is None or found.p is None:
        return ReferenceDifference(value=found.mean, low=-1.0, high=1.0, p=1.0)
    return ReferenceDifference(value=found.mean, low=found.low, high=found.high, p=found.p)


def set_figures(scorer: EvaluatedScorer, table: PairTable, repaints: Numbers) -> dict[str, EvaluationFigure]:
    """Column to figure: verification over all pairs, and of vectors whether they still use their space."""
    if len(np.unique(table.originals.groups)) < 2:  # noqa: PLR2004  # there is no wrong pair
        return {}
    scores = verification_scores(scorer.similarities, table, queries=repaints)
    by_name = {one.name: one for one in verification_figures(scores)}
    figures = {column: EvaluationFigure.model_validate(by_name[name]) for column, name in _VERIFICATION.items()}
    if scorer.kind in {ScorerKind.FROZEN, ScorerKind.TRAINED} and isinstance(scorer.similarities, CosineSimilarities):
        clusters = len(np.unique(clusters_of_repaints(table)[repaints]))
        for column, value in _of_vectors(scorer.similarities, table, repaints):
            figures[column] = EvaluationFigure(value=value, count=len(repaints), clusters=clusters)
    return figures


def _of_vectors(similarities: CosineSimilarities, table: PairTable, repaints: Numbers) -> Iterator[tuple[str, float]]:
    chosen = repaints[:: -(-len(repaints) // (_MOST_VECTORS // 2))]
    originals = np.unique(table.repaints.originals[chosen])
    vectors = np.concatenate([np.asarray(similarities.originals[originals]), np.asarray(similarities.repaints[chosen])])
    groups = np.concatenate([table.originals.groups[originals], table.repaint_groups[chosen]])
    yield "effective_rank", collapse.effective_rank(vectors)
    yield "uniformity", collapse.uniformity(vectors)
    if len(np.unique(groups)) > 1:
        yield "off_pair_cosine", collapse.mean_off_pair_cosine(vectors, groups)
    yield "alignment", float(collapse.alignment(own_pairs(similarities, table)[repaints]).mean())


TABLE_METRICS = MetricSuite(
    accuracies=table_accuracies,
    retrieval=table_retrieval,
    nearest=nearest_originals,
    mean=share_of_values,
    difference=reference_difference,
    set_figures=set_figures,
)
