"""What follows a finished job: the next stage becomes ready; after a supersession what was made from the old result is made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, Update, and_, bindparam, select, update

from db.enums import JobState, Stage
from db.jobs.tables import jobs
from db.jobs.transitions import move
from db.results.tables import captions, images, prompts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row


def ready_dependents(connection: Connection, campaign_id: int, stage: Stage, done: Sequence[Row[Any]]) -> int:
    """Make ready the jobs of the next stage that waited for these; returns how many."""
    if stage.following is None:
        return 0
    if stage is Stage.CAPTION:
        facts = {"campaign": campaign_id, "ids": [row.artwork_id for row in done]}
        return connection.execute(_READY_PROMPTS, facts).rowcount
    return connection.execute(_READY_NEXT[stage], {"ids": [row.variation_id for row in done]}).rowcount


def _waiting(stage: Stage) -> Update:
    return move(JobState.READY, leaving={JobState.WAITING}).where(jobs.c.stage == str(stage))


_IDS: BindParameter[int] = bindparam("ids", expanding=True)
_READY_PROMPTS = _waiting(Stage.PROMPT).where(jobs.c.artwork_id.in_(_IDS), jobs.c.campaign_id == bindparam("campaign"))
_READY_NEXT = {
    stage: _waiting(stage.following).where(jobs.c.variation_id.in_(_IDS)) for stage in Stage if stage.per_variation and stage.following
}


def supersede(connection: Connection, campaign_id: int, stage: Stage, redone: Sequence[Row[Any]]) -> None:
    """Send everything that was made from an older result of these jobs back to `waiting`, its results into history.

    A successor that runs right now loses its lease, so what it makes from the old result cannot be committed.
    """
    if not stage.later:
        return
    made_from_it = (_descends(campaign_id, stage, redone), jobs.c.stage.in_([str(later) for later in stage.later]))
    # The jobs first: this waits for a successor that is being committed right now, and only a later statement sees its result. The other
    # way round that result, made from what is superseded here, would stay current.
    connection.execute(move(JobState.WAITING).where(*made_from_it).values(**reset_values()))
    # A cancelled job is not made again, but what it had made is stale all the same.
    stale = select(jobs.c.id).where(*made_from_it)
    for table in (captions, prompts, images):
        connection.execute(update(table).where(table.c.job_id.in_(stale), table.c.current).values(current=False))


def reset_values() -> dict[str, Any]:
    """Values for a job that starts over: its failures and crashes until now do not count against it."""
    return {
        "round": jobs.c.round + 1,
        "not_before": 0,
        "suspect": False,
        "crashes": 0,
        "lease_token": None,
        "error_kind": None,
        "error_text": None,
        "finished_at": None,
    }


def _descends(campaign_id: int, stage: Stage, done: Sequence[Row[Any]]) -> ColumnElement[bool]:
    """Jobs of later stages of the same artwork (after a caption) or of the same variation."""
    if stage is Stage.CAPTION:
        return and_(jobs.c.artwork_id.in_([row.artwork_id for row in done]), jobs.c.campaign_id == campaign_id)
    return jobs.c.variation_id.in_([row.variation_id for row in done])
