"""Whether a worker can still expect work, or may end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, null, select, union_all

from db.enums import JobState
from db.jobs.keys_in_use import BACKING_OFF, CLAIMABLE, keys_in_use
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import in_state

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Select

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
    with database.read() as connection:
        keys = connection.scalars(_LEFT, {"stages": upstream}).all()
    return any(key is None or key not in without for key in keys)


def _ready(name: str, condition: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    """Keys that have such jobs and are not paused."""
    keys = keys_in_use(name, condition)
    found = select(batch_keys.c.batch_key).join(keys, keys.c.batch_key == batch_keys.c.batch_key)
    return found.where(batch_keys.c.paused.is_(False), batch_keys.c.stage.in_(_STAGES))


_STAGES: BindParameter[str] = bindparam("stages", expanding=True)
_RUNNING = select(null()).where(
    select(jobs.c.id).where(jobs.c.lease_token.is_not(None), in_state(JobState.RUNNING), jobs.c.stage.in_(_STAGES)).exists()
)
#: Keys with ready jobs, two conditions for two partial indexes, and NULL if a job runs. One statement sees one moment, or a job that is
#: claimed or given back between two would be missed.
_LEFT = union_all(_ready("claimable", CLAIMABLE), _ready("pausing", BACKING_OFF), _RUNNING)
