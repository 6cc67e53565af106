"""Scores in figures: how they spread by level, and what a filter would take out."""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, case, func, select

from db.campaigns.tables import variations
from db.engine.limits import BULK_SECONDS
from db.quality.conditions import lacking, where
from db.quality.tables import scores
from db.results.tables import images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database


#: Rows that are fetched at once.
_ROWS = 10_000


@dataclass(frozen=True, kw_only=True)
class ScoreSummary:
    """One score of one level over the current repaints of a campaign."""

    #: The score's name.
    name: str
    level: str
    #: Repaints that have it.
    count: int
    mean: float
    #: Standard deviation of the population; 0 for one repaint.
    deviation: float
    #: Percentiles, linearly interpolated.
    p5: float
    p50: float
    p95: float
    #: With which model it was measured, and its commit or content hash; the last ones, if there are several.
    model: str
    revision: str


@dataclass(frozen=True, kw_only=True)
class FilterCount:
    """What a filter chooses of one level."""

    #: The filter as it was given.
    where: str
    level: str
    #: Current repaints of the level.
    repaints: int
    #: Those that fit the filter.
    fit: int
    #: Those that have the scores and do not fit: what is kept if those that fit are taken out.
    kept: int
    #: Those that lack a score that it names, and never fit.
    unscored: int


def score_summaries(database: Database, campaign_id: int) -> list[ScoreSummary]:
    """Every score of the current repaints of a campaign, by name and level; empty if none was scored."""
    current = (images.c.campaign_id == campaign_id, images.c.current)

    def chosen(*columns: Any) -> Select[Any]:
        query = select(*columns).select_from(scores).join(images, images.c.id == scores.c.image_id)
        return query.join(variations, variations.c.id == images.c.variation_id).where(*current)

    key = (scores.c.name, variations.c.level)
    made_with = (scores.c.model, scores.c.revision)
    last = chosen(*key, *made_with).group_by(*key, *made_with).order_by(func.max(scores.c.scored_at))
    values: defaultdict[tuple[str, str], array[float]] = defaultdict(lambda: array("d"))
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        models = {(name, level): (model, revision) for name, level, model, revision in connection.execute(last)}
        for name, level, value in connection.execute(chosen(*key, scores.c.value), execution_options={"yield_per": _ROWS}):
            values[name, level].append(value)
    return [_summary(*one, sorted(values[one]), *models[one]) for one in sorted(models.keys() & values.keys())]


def count_fitting(database: Database, campaign_id: int, text: str) -> list[FilterCount]:
    """What a filter chooses of the current repaints of a campaign, by level; raises `BadFilter`."""
    fits, lacks = where(text), lacking(text)
    query = (
        select(variations.c.level, func.count(), func.sum(case((fits, 1), else_=0)), func.sum(case((lacks, 1), else_=0)))
        .select_from(images)
        .join(variations, variations.c.id == images.c.variation_id)
        .where(images.c.campaign_id == campaign_id, images.c.current)
        .group_by(variations.c.level)
        .order_by(variations.c.level)
    )
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return [
            FilterCount(
                where=text, level=level, repaints=repaints, fit=int(fit), kept=repaints - int(fit) - int(unscored), unscored=int(unscored)
            )
            for level, repaints, fit, unscored in connection.execute(query)
        ]


def _summary(name: str, level: str, ordered: Sequence[float], model: str, revision: str) -> ScoreSummary:
    mean = math.fsum(ordered) / len(ordered)
    return ScoreSummary(
        name=name,
        level=level,
        count=len(ordered),
        mean=mean,
        deviation=math.sqrt(math.fsum((value - mean) ** 2 for value in ordered) / len(ordered)),
        p5=_percentile(ordered, 0.05),
        p50=_percentile(ordered, 0.5),
        p95=_percentile(ordered, 0.95),
        model=model,
        revision=revision,
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest ranks, as NumPy does by default."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
