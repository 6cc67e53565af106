"""Jobs by stage and state, and current repaints: what `status` shows first, over millions of jobs in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal_column, select, text

from db.enums import JobState, Stage
from db.jobs.tables import batch_keys, jobs
from db.results.tables import images

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

#: Stage to state to number of jobs; states without jobs are left out.
StageCounts = dict[str, dict[str, int]]


def count_jobs(connection: Connection, campaign_ids: Sequence[int]) -> dict[int, StageCounts]:
    """Campaign to stage to state to number of jobs."""
    found: dict[int, StageCounts] = {campaign_id: {str(stage): {} for stage in Stage} for campaign_id in campaign_ids}
    for row in connection.execute(_COUNTS, {"campaigns": list(campaign_ids)}).mappings():
        counts = {str(state): int(row[state]) for state in _UNDONE}
        counts[JobState.DONE] = int(row["planned"]) - sum(counts.values())
        found[row["campaign_id"]][row["stage"]] = {str(state): counts[state] for state in JobState if counts[state]}
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


#: The states of jobs that are counted; what is in no other state is done.
_UNDONE = tuple(state for state in JobState if state is not JobState.DONE)
#: All jobs as planned.
_PLANNED = (
    select(batch_keys.c.campaign_id, batch_keys.c.stage, func.sum(batch_keys.c.planned_jobs).label("planned"))
    .where(batch_keys.c.campaign_id.in_(bindparam("campaigns", expanding=True)))
    .group_by(batch_keys.c.campaign_id, batch_keys.c.stage)
    .cte("planned")
)


def _in_state(state: JobState) -> ColumnElement[int]:
    """How many jobs of a campaign's stage are in this state."""
    belongs = (jobs.c.campaign_id == _PLANNED.c.campaign_id, jobs.c.stage == _PLANNED.c.stage)
    return select(func.count()).where(*belongs, jobs.c.state == literal_column(f"'{state}'")).scalar_subquery().label(str(state))


#: Each state but `done` is one stretch of ix_jobs_progress: the jobs that are done, in time nearly all, are not gone through. Counted by
#: itself, a stretch takes half the time that its share of a GROUP BY takes. One statement sees one moment.
_COUNTS = select(_PLANNED, *(_in_state(state) for state in _UNDONE))
