"""Scores of repaints, and the filter language over them."""

from __future__ import annotations

from db.quality.conditions import check_values, lacking, where
from db.quality.scoring import (
    RepaintScore,
    ScorableRepaint,
    ScoreSource,
    count_repaints,
    repaints_to_score,
    scored_revision,
    scores_of,
    write_scores,
)
from db.quality.summaries import FilterCount, ScoreSummary, count_fitting, score_summaries

__all__ = [
    "FilterCount",
    "RepaintScore",
    "ScorableRepaint",
    "ScoreSource",
    "ScoreSummary",
    "check_values",
    "count_fitting",
    "count_repaints",
    "lacking",
    "repaints_to_score",
    "score_summaries",
    "scored_revision",
    "scores_of",
    "where",
    "write_scores",
]
