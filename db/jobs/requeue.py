"""Requeueing by filter: failed jobs again, or done ones to be superseded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.catalogue.tables import artworks
from db.engine.bulk import runs
from db.engine.clock import now
from db.enums import FailureKind, JobState, Stage
from db.jobs.dependents import reset_values
from db.jobs.fail import reseed
from db.jobs.tables import jobs
from db.jobs.transitions import in_state, move

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row, Select

    from db.engine import Database


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


def requeue(database: Database, chosen: JobFilter, *, new_seed: bool = False, dry_run: bool = False) -> int:
    """Make the chosen jobs ready again; returns how many.

    A done job's result stays current until the new one is committed; then what was made from it is made again.
    Where a job's predecessor is chosen too only the predecessor is requeued: the rest follows from it.
    """
    if dry_run:
        with database.read() as connection:
            return len(_first_of_each_chain(connection.execute(_query(chosen)).all()))
    again = move(JobState.READY, leaving={_ended(chosen)}).values(**reset_values())

    def write(connection: Connection) -> int:
        found = _first_of_each_chain(connection.execute(_query(chosen).with_for_update(of=jobs)).all())
        if new_seed:
            for variation_id in _variations(connection, found):
                reseed(connection, variation_id)
        for some in runs([row.id for row in found]):
            connection.execute(again.where(jobs.c.id.in_(some)))
        return len(found)

    return database.write(write)


def _ended(chosen: JobFilter) -> JobState:
    return JobState.DONE if chosen.done else JobState.FAILED


def _query(chosen: JobFilter) -> Select[Any]:
    query = select(jobs.c.id, jobs.c.campaign_id, jobs.c.artwork_id, jobs.c.variation_id, jobs.c.stage)
    query = query.where(in_state(_ended(chosen)))
    exact = {
        jobs.c.campaign_id: chosen.campaign_id,
        jobs.c.stage: chosen.stage and str(chosen.stage),
        jobs.c.error_kind: chosen.kind and str(chosen.kind),
        jobs.c.artwork_id: chosen.artwork_id,
    }
    for column, value in exact.items():
        if value is not None:
            query = query.where(column == value)
    if chosen.error is not None:
        query = query.where(jobs.c.error_text.icontains(chosen.error, autoescape=True))
    if chosen.older_than is not None:
        query = query.where(jobs.c.finished_at < now() - chosen.older_than)
    if chosen.style is not None:
        query = query.join(artworks, artworks.c.id == jobs.c.artwork_id).where(artworks.c.style == chosen.style)
    return query.order_by(jobs.c.id)


def _first_of_each_chain(rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    kept: list[Row[Any]] = []
    ahead: set[tuple[int, int, int | None]] = set()
    for row in sorted(rows, key=lambda row: Stage(row.stage).position):
        chain = (row.campaign_id, row.artwork_id, row.variation_id)
        if chain in ahead or (row.campaign_id, row.artwork_id, None) in ahead:
            continue
        ahead.add(chain)
        kept.append(row)
    return kept


def _variations(connection: Connection, rows: Iterable[Row[Any]]) -> list[int]:
    """The variations whose repaints these jobs lead to: their own, or after a caption all of the artwork's."""
    # A recaption leads to no repaint: another seed would only disagree with the one that stands.
    found = {row.variation_id for row in rows if row.variation_id is not None and row.stage != str(Stage.RECAPTION)}
    captions = [row.id for row in rows if row.variation_id is None]
    mine = jobs.alias("mine")
    for some in runs(captions):
        query = select(jobs.c.variation_id).join(
            mine, (mine.c.artwork_id == jobs.c.artwork_id) & (mine.c.campaign_id == jobs.c.campaign_id)
        )
        found |= set(connection.scalars(query.where(mine.c.id.in_(some), jobs.c.stage == str(Stage.GENERATE))))
    return sorted(found)
