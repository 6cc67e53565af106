"""Whether a worker can still expect work, or may end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, literal_column, or_, select

from db.enums import JobState
from db.jobs.backoff import BACKING_OFF
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import in_literal_state, in_state

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from db.engine import Database
    from db.enums import Stage


def work_left(database: Database, stages: Sequence[Stage], *, without: Collection[str] = ()) -> bool:
    """Whether a worker of these stages can still expect work.

    True while a job of its stages, or of one before them that they wait for, is running, or ready (even if backing off) and not paused.
    Jobs behind a failed one, or without an original, wait for nothing that will happen by itself. Ready jobs of the batch keys in `without`
    do not count: their model is unavailable on this worker.
    """
    last = max(stages, key=lambda stage: stage.position)
    upstream = [str(stage) for stage in last.up_to]
    mine = and_(jobs.c.batch_key == batch_keys.c.batch_key, in_literal_state(JobState.READY))
    # Two conditions for two partial indexes.
    ready = or_(exists().where(mine, jobs.c.not_before == literal_column("0")), exists().where(mine, *BACKING_OFF))
    claimable = select(batch_keys.c.batch_key).where(
        batch_keys.c.stage.in_(upstream),
        batch_keys.c.paused == literal_column("false"),
        batch_keys.c.batch_key.not_in(without),
        ready,
    )
    running = select(jobs.c.id).where(jobs.c.lease_token.is_not(None), in_state(JobState.RUNNING), jobs.c.stage.in_(upstream))
    with database.read() as connection:
        return connection.scalar(claimable.limit(1)) is not None or connection.scalar(running.limit(1)) is not None
