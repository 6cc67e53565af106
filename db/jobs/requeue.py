"""Requeueing by filter: failed jobs again, or done ones to be superseded.

A few thousand jobs at a time, each slice a transaction of its own. Later stages go first: whether a job follows from one before it, which
is chosen too, can be asked as long as that one has not been requeued.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal_column, or_, select

from db.campaigns import check_not_cancelled, lock_campaign
from db.campaigns.imported import imported_campaigns
from db.campaigns.tables import campaigns, variations
from db.catalogue.tables import artworks
from db.engine.bulk import runs
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS
from db.enums import CampaignState, FailureKind, JobState, Stage
from db.errors import CampaignCancelled
from db.jobs.dependents import reset_values
from db.jobs.reseed import reseed
from db.jobs.tables import jobs
from db.jobs.transitions import move
from db.results.tables import images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from db.engine import Database

#: Jobs in one transaction.
AT_ONCE = 4_500


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs are meant; every given field must hold."""

    campaign_id: int | None = None
    stage: Stage | None = None
    kind: FailureKind | None = None
    #: Part of the error's text, in any case.
    error: str | None = None
    style: str | None = None
    artwork_id: int | None = None
    #: Seconds since the job ended.
    older_than: float | None = None
    #: Done jobs instead of failed ones.
    done: bool = False
    #: Only jobs of variations whose current repaint fits: a condition on `images`, as `db.quality.where` gives it.
    repaint: ColumnElement[bool] | None = None

    @property
    def query_seconds(self) -> float | None:
        """What a query may take: one that looks at repaints looks at all of them."""
        return None if self.repaint is None else BULK_SECONDS


@dataclass(frozen=True, kw_only=True)
class Requeueable:
    """The jobs that a filter chooses."""

    #: Campaign to stage to how many would be requeued.
    jobs: dict[int, dict[Stage, int]]
    #: Those in cancelled campaigns, which stay as they are.
    cancelled: int
    #: Those in campaigns of imported results, which no worker can make again.
    imported: int = 0

    @property
    def total(self) -> int:
        """How many would be requeued."""
        return sum(sum(stages.values()) for stages in self.jobs.values())


def count_requeueable(database: Database, chosen: JobFilter) -> Requeueable:
    """Count the chosen jobs; where a job's predecessor is chosen too only the predecessor counts."""
    found: dict[int, dict[Stage, int]] = {}
    cancelled = imported = 0
    with database.read(timeout_seconds=chosen.query_seconds) as connection:
        of_imports = imported_campaigns(connection)
        for stage in Stage if chosen.stage is None else [chosen.stage]:
            query = select(jobs.c.campaign_id, campaigns.c.state, func.count()).join(campaigns, campaigns.c.id == jobs.c.campaign_id)
            query = query.where(*_first_of_chain(chosen, stage)).group_by(jobs.c.campaign_id, campaigns.c.state)
            for campaign_id, state, count in connection.execute(query):
                if state == str(CampaignState.CANCELLED):
                    cancelled += count
                elif campaign_id in of_imports:
                    imported += count
                else:
                    found.setdefault(campaign_id, {})[stage] = count
    return Requeueable(jobs=found, cancelled=cancelled, imported=imported)


def requeue(database: Database, chosen: JobFilter, *, new_seed: bool = False) -> int:
    """Make the chosen jobs ready again, but for those of cancelled campaigns and of imported results; returns how many.

    A done job's result stays current until the new one is committed; then what was made from it is made again.
    Where a job's predecessor is chosen too only the predecessor is requeued: the rest follows from it.

    Raises:
        CampaignCancelled: the campaign that the filter names was cancelled just now.
    """
    total = 0
    for campaign_id, stages in count_requeueable(database, chosen).jobs.items():
        try:
            total += sum(
                _requeue_stage(database, chosen, campaign_id, stage, new_seed=new_seed) for stage in reversed(Stage) if stage in stages
            )
        except CampaignCancelled:  # while it was being requeued, which took out again what was requeued by then
            if chosen.campaign_id is not None:
                raise
    return total


def _requeue_stage(database: Database, chosen: JobFilter, campaign_id: int, stage: Stage, *, new_seed: bool) -> int:
    again = move(JobState.READY, leaving={_ended(chosen)}).values(**reset_values())
    query = (
        select(jobs.c.id, jobs.c.artwork_id, jobs.c.variation_id)
        .where(*_first_of_chain(chosen, stage), jobs.c.campaign_id == campaign_id)
        .order_by(jobs.c.id)
        .limit(AT_ONCE)
        .with_for_update(of=jobs)
    )

    def write(connection: Connection, after: int) -> Sequence[Row[*tuple[Any, ...]]]:
        check_not_cancelled(lock_campaign(connection, campaign_id))
        found = connection.execute(query.where(jobs.c.id > after)).all()
        if new_seed:
            reseed(connection, _variations(connection, campaign_id, stage, found))
        for some in runs([row.id for row in found]):
            connection.execute(again.where(jobs.c.id.in_(some)))
        return found

    total = last = 0
    while some := database.write(partial(write, after=last), timeout_seconds=chosen.query_seconds):
        total += len(some)
        last = some[-1].id
    return total


def _ended(chosen: JobFilter) -> JobState:
    return JobState.DONE if chosen.done else JobState.FAILED


def _first_of_chain(chosen: JobFilter, stage: Stage) -> list[ColumnElement[bool]]:
    """Jobs of one stage that the filter chooses, and of which it chooses none before."""
    found = [jobs.c.stage == str(stage), *_matches(jobs, chosen)]
    before = stage.up_to[:-1]
    if chosen.stage is None and before:
        earlier = jobs.alias("earlier")
        chain = (
            earlier.c.artwork_id == jobs.c.artwork_id,
            earlier.c.campaign_id == jobs.c.campaign_id,
            earlier.c.stage.in_([str(one) for one in before]),
            or_(earlier.c.variation_id.is_(None), earlier.c.variation_id == jobs.c.variation_id),
        )
        found.append(~select(earlier.c.id).where(*chain, *_matches(earlier, chosen)).exists())
    return found


def _matches(table: Any, chosen: JobFilter) -> list[ColumnElement[bool]]:
    """That a job fits the filter, whatever its stage."""
    # Written out for the partial index of failed jobs.
    found = [table.c.state == literal_column(f"'{_ended(chosen)}'")]
    exact = {table.c.campaign_id: chosen.campaign_id, table.c.error_kind: chosen.kind and str(chosen.kind)}
    exact |= {table.c.artwork_id: chosen.artwork_id}
    found += [column == value for column, value in exact.items() if value is not None]
    if chosen.error is not None:
        found.append(table.c.error_text.icontains(chosen.error, autoescape=True))
    if chosen.older_than is not None:
        found.append(table.c.finished_at < now() - chosen.older_than)
    if chosen.style is not None:
        found.append(table.c.artwork_id.in_(select(artworks.c.id).where(artworks.c.style == chosen.style)))
    if chosen.repaint is not None:
        current = select(images.c.id).where(images.c.variation_id == table.c.variation_id, images.c.current, chosen.repaint)
        found.append(current.correlate(table).exists())
    return found


def _variations(connection: Connection, campaign_id: int, stage: Stage, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[int]:
    """The variations whose repaints these jobs lead to: their own, or after a caption all of the artwork's."""
    if stage is Stage.RECAPTION:  # leads to no repaint: another seed would only disagree with the one that stands
        return []
    if stage is not Stage.CAPTION:
        return [row.variation_id for row in rows]
    found: list[int] = []
    for some in runs([row.artwork_id for row in rows]):
        query = select(variations.c.id).where(variations.c.campaign_id == campaign_id, variations.c.artwork_id.in_(some))
        found += connection.scalars(query)
    return found
