"""The figures of verification with their intervals, as a table shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trainer.metrics.figure import Direction, Figure
from trainer.metrics.intervals import FEWEST_CLUSTERS, share_interval
from trainer.metrics.verification import equal_error_rate, f1, micro_average_precision, pair_auc, tpr_at_fpr

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.metrics.score_counts import ScoreCounts
    from trainer.metrics.verification import VerificationScores


def verification_figures(scores: VerificationScores, f1_threshold: float | None = None) -> list[Figure]:
    """Pair AUC, TPR at 1 % FPR, equal error rate and uAP; F1 too, at a threshold from `best_f1_threshold` of validation pairs."""
    measures: dict[str, Callable[[ScoreCounts], float]] = {
        "pair AUC": pair_auc,
        "TPR at 1 % FPR": tpr_at_fpr,
        "equal error rate": equal_error_rate,
        "uAP": micro_average_precision,
    }
    if f1_threshold is not None:
        measures["F1"] = lambda counts: f1(counts, f1_threshold)
    return [_figure(name, scores, measure) for name, measure in measures.items()]


def _figure(name: str, scores: VerificationScores, measure: Callable[[ScoreCounts], float]) -> Figure:
    value = measure(scores.counts)
    spread = replace(scores.sets.spread(measure), mean=value)
    low, high = share_interval(spread)
    return Figure(
        name=name,
        value=value,
        low=low,
        high=high,
        direction=Direction.LOWER if measure is equal_error_rate else Direction.HIGHER,
        count=len(scores.own),
        clusters=spread.clusters,
        too_few=spread.clusters < FEWEST_CLUSTERS,
    )
