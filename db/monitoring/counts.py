"""Jobs by stage and state, and current repaints: what `status` shows first, over millions of jobs in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, text

from db.enums import JobState, Stage
from db.jobs.tables import batch_keys, jobs
from db.results.tables import images

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

#: Stage to state to number of jobs; states without jobs are left out.
StageCounts = dict[str, dict[str, int]]


def count_jobs(connection: Connection, campaign_ids: Iterable[int]) -> dict[int, StageCounts]:
    """Campaign to stage to state to number of jobs."""
    found = {}
    for campaign_id in campaign_ids:
        row = iter(connection.execute(_COUNTS, {"campaign": campaign_id}).one())
        found[campaign_id] = {str(stage): _by_state(int(next(row)), {state: int(next(row)) for state in _UNDONE}) for stage in Stage}
    return found


def added_up(counts: Iterable[StageCounts]) -> StageCounts:
    """The counts of several campaigns as one; every stage is named."""
    total: StageCounts = {str(stage): {} for stage in Stage}
    for stages in counts:
        for stage, states in stages.items():
            for state, count in states.items():
                total[stage][state] = total[stage].get(state, 0) + count
    return total


def count_repaints(connection: Connection, campaign_id: int | None) -> int:
    """Current repaints of one campaign, or of all."""
    # The condition is the partial index' own, as it stands there: SQLite uses it for no other.
    query = select(func.count()).select_from(images).where(text("images.current"), *of_campaign(images, campaign_id))
    return connection.scalar(query) or 0


def of_campaign(table: Any, campaign_id: int | None) -> list[ColumnElement[bool]]:
    """The condition that a row is of this campaign; none for all campaigns."""
    return [] if campaign_id is None else [table.c.campaign_id == campaign_id]


def of_campaign_unindexed(table: Any, campaign_id: int | None) -> list[ColumnElement[bool]]:
    """The same, but no reason to begin with that campaign's rows: there are a million of them, and few of what else is asked for."""
    return [] if campaign_id is None else [table.c.campaign_id + 0 == campaign_id]


def _counted(table: Any, what: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(what).select_from(table).where(table.c.campaign_id == bindparam("campaign"), *conditions).scalar_subquery()


#: Of one campaign, for each stage: all jobs as planned, then those in every state but `done`, each count along its stretch of
#: ix_jobs_progress. One statement sees one moment, so what is in no other state is done.
_UNDONE = [state for state in JobState if state is not JobState.DONE]
_COUNTS = select(
    *(
        count
        for stage in Stage
        for count in (
            _counted(batch_keys, func.coalesce(func.sum(batch_keys.c.planned_jobs), 0), batch_keys.c.stage == str(stage)),
            *(_counted(jobs, func.count(), jobs.c.stage == str(stage), jobs.c.state == str(state)) for state in _UNDONE),
        )
    )
)


def _by_state(planned: int, undone: dict[JobState, int]) -> dict[str, int]:
    counts = {**undone, JobState.DONE: planned - sum(undone.values())}
    return {str(state): counts[state] for state in JobState if counts[state]}
