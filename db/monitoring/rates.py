"""How fast the work goes, and how long it will take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select

from db.engine.metadata import Id
from db.enums import UNFINISHED_STATES, AttemptOutcome, JobState
from db.jobs.tables import attempts, jobs
from db.monitoring.counts import of_campaign_unindexed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from db.monitoring.counts import StageCounts

#: Seconds over which rates are measured.
RATE_WINDOW = 300.0
#: Attempts from which they are measured at most: of more, one in so many is looked at, and stands for those between.
SAMPLED_ATTEMPTS = 1_500

_MOVING = (JobState.READY, JobState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class Finishes:
    """Jobs of one stage that one worker finished within the window."""

    stage: str
    worker_id: str
    jobs: int
    #: When the first of them was.
    first: float


def recent_finishes(connection: Connection, campaign_id: int | None, at: float) -> list[Finishes]:
    """What was finished in the window before `at`, by stage and worker; of a fast fleet as a sample of its attempts tells it."""
    recent = attempts.c.ended_at > at - RATE_WINDOW
    first = select(attempts.c.id).where(recent).order_by(attempts.c.ended_at).limit(1).scalar_subquery()
    first_id, last_id = connection.execute(select(first, select(func.max(attempts.c.id)).scalar_subquery())).one()
    if first_id is None:
        return []
    step = max(1, math.ceil((last_id - first_id) / SAMPLED_ATTEMPTS))
    ids = select(literal(first_id, Id).label("id")).cte("ids", recursive=True)
    ids = ids.union_all(select(ids.c.id + step).where(ids.c.id + step <= last_id))
    query = (
        select(jobs.c.stage, attempts.c.worker_id, func.count(), func.min(attempts.c.ended_at))
        .select_from(ids)
        .join(attempts, attempts.c.id == ids.c.id)
        .join(jobs, jobs.c.id == attempts.c.job_id)
        .where(recent, attempts.c.outcome == str(AttemptOutcome.DONE), *of_campaign_unindexed(jobs, campaign_id))
        .group_by(jobs.c.stage, attempts.c.worker_id)
    )
    return [
        Finishes(stage=stage, worker_id=worker, jobs=step * count, first=first_end)
        for stage, worker, count, first_end in connection.execute(query)
    ]


def stage_rates(finishes: Sequence[Finishes], at: float) -> dict[str, float]:
    """Jobs per second by stage, over the window before `at` or since the first that was finished in it if that is later."""
    found: dict[str, float] = {}
    for stage in {one.stage for one in finishes}:
        of_stage = [one for one in finishes if one.stage == stage]
        found[stage] = sum(one.jobs for one in of_stage) / max(1.0, at - min(one.first for one in of_stage))
    return found


def worker_rates(finishes: Sequence[Finishes], worker_id: str, *, up_for: float) -> dict[str, float]:
    """Jobs per second by stage of one worker, over the window or its life of `up_for` seconds if that is shorter."""
    seconds = max(1.0, min(RATE_WINDOW, up_for))
    return {one.stage: one.jobs / seconds for one in finishes if one.worker_id == worker_id}


def seconds_left(total: StageCounts, rates: Mapping[str, float]) -> float | None:
    """Seconds until all is done; None if nothing moves, or a stage with jobs left has no rate.

    Stages share the devices, so it is the sum over stages of what remains by their pace.
    """
    remaining = {stage: sum(states.get(str(state), 0) for state in UNFINISHED_STATES) for stage, states in total.items()}
    moving = any(states.get(str(state)) for states in total.values() for state in _MOVING)
    if not moving or any(count and not rates.get(stage) for stage, count in remaining.items()):
        return None
    return sum(count / rates[stage] for stage, count in remaining.items() if count)
