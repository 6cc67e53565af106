"""How fast the work goes, and how long it will take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from db.enums import AttemptOutcome, JobState
from db.jobs.tables import attempts, jobs
from db.monitoring.counts import of_campaign_unindexed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from db.monitoring.counts import StageCounts

#: Seconds over which rates are measured.
RATE_WINDOW = 300.0
#: Attempts that are looked at: a fleet that ends more of them within the window is measured over a shorter one.
LATEST = 30_000

_REMAINING = (JobState.WAITING, JobState.READY, JobState.RUNNING)
_MOVING = (JobState.READY, JobState.RUNNING)


def finish_rates(connection: Connection, campaign_id: int | None, at: float) -> dict[str, float]:
    """Jobs per second by stage, over the window before `at`, or since the first attempt in it if that is later."""
    columns = (attempts.c.job_id, attempts.c.outcome, attempts.c.ended_at)
    latest = select(*columns).where(attempts.c.ended_at > at - RATE_WINDOW).order_by(attempts.c.ended_at.desc()).limit(LATEST).subquery()
    query = (
        select(jobs.c.stage, func.count(), func.min(latest.c.ended_at))
        .join(latest, latest.c.job_id == jobs.c.id)
        .where(latest.c.outcome == str(AttemptOutcome.DONE), *of_campaign_unindexed(jobs, campaign_id))
        .group_by(jobs.c.stage)
    )
    return {stage: count / max(1.0, at - first) for stage, count, first in connection.execute(query)}


def seconds_left(total: StageCounts, rates: Mapping[str, float]) -> float | None:
    """Seconds until all is done; None if nothing moves, or a stage with jobs left has no rate.

    Stages share the devices, so it is the sum over stages of what remains by their pace.
    """
    remaining = {stage: sum(states.get(str(state), 0) for state in _REMAINING) for stage, states in total.items()}
    moving = any(states.get(str(state)) for states in total.values() for state in _MOVING)
    if not moving or any(count and not rates.get(stage) for stage, count in remaining.items()):
        return None
    return sum(count / rates[stage] for stage, count in remaining.items() if count)
