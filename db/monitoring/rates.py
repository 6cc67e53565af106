"""How fast the work goes, and how long it will take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select

from db.engine.metadata import Id
from db.enums import AttemptOutcome, JobState
from db.jobs.tables import attempts, jobs
from db.monitoring.counts import of_campaign_unindexed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from db.monitoring.counts import StageCounts

#: Seconds over which rates are measured.
RATE_WINDOW = 300.0
#: Attempts from which they are measured at most: of more, one in so many is looked at, and stands for those between.
SAMPLED_ATTEMPTS = 1_500

_REMAINING = (JobState.WAITING, JobState.READY, JobState.RUNNING)
_MOVING = (JobState.READY, JobState.RUNNING)


def finish_rates(connection: Connection, campaign_id: int | None, at: float) -> dict[str, float]:
    """Jobs per second by stage, over the window before `at` or since the first attempt in it if that is later."""
    recent = attempts.c.ended_at > at - RATE_WINDOW
    first = select(attempts.c.id).where(recent).order_by(attempts.c.ended_at).limit(1).scalar_subquery()
    first_id, last_id = connection.execute(select(first, select(func.max(attempts.c.id)).scalar_subquery())).one()
    if first_id is None:
        return {}
    step = max(1, math.ceil((last_id - first_id) / SAMPLED_ATTEMPTS))
    ids = select(literal(first_id, Id).label("id")).cte("ids", recursive=True)
    ids = ids.union_all(select(ids.c.id + step).where(ids.c.id + step <= last_id))
    query = (
        select(jobs.c.stage, func.count(), func.min(attempts.c.ended_at))
        .select_from(ids)
        .join(attempts, attempts.c.id == ids.c.id)
        .join(jobs, jobs.c.id == attempts.c.job_id)
        .where(recent, attempts.c.outcome == str(AttemptOutcome.DONE), *of_campaign_unindexed(jobs, campaign_id))
        .group_by(jobs.c.stage)
    )
    return {stage: step * count / max(1.0, at - first_end) for stage, count, first_end in connection.execute(query)}


def seconds_left(total: StageCounts, rates: Mapping[str, float]) -> float | None:
    """Seconds until all is done; None if nothing moves, or a stage with jobs left has no rate.

    Stages share the devices, so it is the sum over stages of what remains by their pace.
    """
    remaining = {stage: sum(states.get(str(state), 0) for state in _REMAINING) for stage, states in total.items()}
    moving = any(states.get(str(state)) for states in total.values() for state in _MOVING)
    if not moving or any(count and not rates.get(stage) for stage, count in remaining.items()):
        return None
    return sum(count / rates[stage] for stage, count in remaining.items() if count)
