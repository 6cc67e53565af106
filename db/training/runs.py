"""Training runs: begun or resumed, and finished with what they measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from db.campaigns.tables import campaigns
from db.engine.clock import now
from db.training.tables import training_runs, triplet_sets

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """One training of a head on a triplet set; times in seconds since 1970."""

    id: int
    name: str
    campaign: str
    triplet_set_id: int
    #: How its triplets were drawn.
    recipe: dict[str, Any]
    config: dict[str, Any]
    directory: str
    metrics: dict[str, Any] | None
    started_at: float
    finished_at: float | None


def begin_run(database: Database, *, name: str, triplet_set_id: int, config: dict[str, Any], directory: str) -> int:
    """The id of a run; an unfinished one of the same set and directory is resumed under the configuration given."""
    same = (training_runs.c.directory == directory, training_runs.c.triplet_set_id == triplet_set_id)

    def write(connection: Connection) -> int:
        unfinished = select(training_runs.c.id).where(*same, training_runs.c.finished_at.is_(None)).order_by(training_runs.c.id.desc())
        known = connection.scalar(unfinished.limit(1))
        if known is not None:
            connection.execute(update(training_runs).where(training_runs.c.id == known).values(name=name, config=config))
            return int(known)
        values = {"name": name, "triplet_set_id": triplet_set_id, "config": config, "directory": directory}
        return int(connection.execute(insert(training_runs).values(**values, started_at=now()).returning(training_runs.c.id)).scalar_one())

    return database.write(write)


def finish_run(database: Database, run_id: int, metrics: dict[str, Any]) -> None:
    """Write what the run measured; it counts as finished from now on."""
    finished = update(training_runs).where(training_runs.c.id == run_id).values(metrics=metrics, finished_at=now())
    database.write(lambda connection: connection.execute(finished), single_statement=True)


def finished_runs(database: Database, campaign_id: int | None = None) -> list[TrainingRun]:
    """Finished runs, the latest first; with a campaign only those trained from it."""
    query = (
        select(training_runs, campaigns.c.name.label("campaign"), triplet_sets.c.recipe)
        .join(triplet_sets, triplet_sets.c.id == training_runs.c.triplet_set_id)
        .join(campaigns, campaigns.c.id == triplet_sets.c.campaign_id)
        .where(training_runs.c.finished_at.is_not(None))
        .order_by(training_runs.c.finished_at.desc(), training_runs.c.id.desc())
    )
    if campaign_id is not None:
        query = query.where(triplet_sets.c.campaign_id == campaign_id)
    with database.read() as connection:
        rows = connection.execute(query).mappings()
        return [TrainingRun(**{field: row[field] for field in TrainingRun.__dataclass_fields__}) for row in rows]
