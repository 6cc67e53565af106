"""The border between the table and the metrics: what a metric gives, and how means become figures.

A metric gives one value a repaint, NaN where it has nothing to say of it (an artwork without another by its artist). Levels, styles and
seeds are then parts of one array, and two scorers can be compared repaint by repaint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.evaluation.figures import EvaluationFigure, ReferenceDifference
    from trainer.evaluation.scorers import EvaluatedScorer
    from trainer.metrics.similarities import Similarities

    Numbers = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]


class Accuracies(Protocol):
    """Accuracy by kind of negative."""

    def __call__(self, similarities: Similarities, table: PairTable, nearest: Numbers) -> Mapping[str, Values]:
        """Column to (M,) values; `nearest` (N, k) holds each original's hard negatives, -1 where there are fewer."""
        ...


class Retrieval(Protocol):
    """Retrieval of originals by repaints, and of repaints by originals."""

    def __call__(self, similarities: Similarities, table: PairTable) -> Mapping[str, Values]:
        """Column to (M,) values."""
        ...


class NearestOriginals(Protocol):
    """The originals that a backbone takes for the most alike."""

    def __call__(self, similarities: Similarities, table: PairTable) -> Numbers:
        """(N, k) rows of originals of other groups, -1 where there are fewer."""
        ...


class MeanOverClusters(Protocol):
    """The mean of values with its interval over clusters."""

    def __call__(self, values: Values, clusters: Numbers) -> EvaluationFigure:
        """Of (n,) values, none NaN, in clusters (n,)."""
        ...


class DifferenceOverClusters(Protocol):
    """The mean difference of two scorers' values with its interval over clusters."""

    def __call__(self, values: Values, reference: Values, clusters: Numbers) -> ReferenceDifference:
        """Of (n,) values less (n,) values, none NaN, in clusters (n,)."""
        ...


class SetFigures(Protocol):
    """Figures that are no mean over repaints, such as an effective rank or a rate at a threshold."""

    def __call__(self, scorer: EvaluatedScorer, table: PairTable, repaints: Numbers) -> Mapping[str, EvaluationFigure]:
        """Column to figure, over these rows of repaints."""
        ...


@dataclass(frozen=True, kw_only=True)
class MetricSuite:
    """The metrics that the table is made of."""

    accuracies: Accuracies
    retrieval: Retrieval
    nearest: NearestOriginals
    mean: MeanOverClusters
    difference: DifferenceOverClusters
    set_figures: SetFigures | None = None
