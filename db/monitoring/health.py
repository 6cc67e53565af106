"""What `paragone health` and `paragone doctor` need of the database, in a few quick queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from db.campaigns.tables import campaigns
from db.engine.clock import now
from db.enums import UNFINISHED_STATES, AttemptOutcome, CampaignState, Stage
from db.jobs.living import is_living
from db.jobs.tables import attempts, batch_keys, jobs, leases, workers
from db.monitoring.work_left import work_left
from db.monitoring.worker_registry import live_workers
from db.store.identity import read_store_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database
    from db.monitoring.worker_registry import RegisteredWorker


@dataclass(frozen=True, kw_only=True)
class NeededModel:
    """A model that jobs of an open campaign wait for."""

    campaign: str
    backend: str
    #: Hub id, directory, or `local:FOLDER` of the campaign's models directory.
    model: str
    revision: str
    models_directory: str


@dataclass(frozen=True, kw_only=True)
class HealthFacts:
    """The state of a fleet as the database has it."""

    #: Which store belongs to this database; None before the first one.
    store_id: str | None
    #: The living ones.
    workers: tuple[RegisteredWorker, ...]
    models: tuple[NeededModel, ...]
    #: Whether a job is running, or ready and not paused.
    work_left: bool
    #: Seconds since something was last done, claimed, planned, or a living worker began; None if none of that ever happened.
    quiet_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class ServerFacts:
    """How a database server is set up."""

    #: Seconds since 1970 by its clock.
    clock: float
    #: Version as it tells it.
    version: str
    #: Connections that it takes from ordinary users, and those that there are; None on SQLite.
    connections_allowed: int | None = None
    connections: int | None = None
    encoding: str | None = None
    #: Whether this user may create tables; None on SQLite.
    may_create: bool | None = None


def read_health_facts(database: Database, *, alive_within_seconds: float) -> HealthFacts:
    """The facts as they are now; the schema must be this program's.

    Raises:
        DatabaseUnavailable: the database does not answer.
    """
    return HealthFacts(
        store_id=read_store_id(database),
        workers=tuple(live_workers(database, within_seconds=alive_within_seconds)),
        models=tuple(_needed_models(database)),
        work_left=work_left(database, list(Stage)),
        quiet_seconds=_quiet_seconds(database, alive_within_seconds),
    )


def read_server_facts(database: Database) -> ServerFacts:
    """What the server says of itself; needs no tables. Raises `DatabaseUnavailable`."""
    with database.read() as connection:
        clock = float(connection.scalar(select(now())) or 0.0)
        if not database.is_postgresql:
            return ServerFacts(clock=clock, version=f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}")
        row = connection.execute(_SERVER).one()
    return ServerFacts(clock=clock, **row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for a row as a mapping


_SERVER = text(
    "SELECT 'PostgreSQL ' || current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,"
    " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS connections_allowed,"
    " (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,"
    " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create"
)


def _needed_models(database: Database) -> list[NeededModel]:
    open_keys = (
        select(campaigns.c.name, batch_keys.c.parameters)
        .join(campaigns, campaigns.c.id == batch_keys.c.campaign_id)
        .where(campaigns.c.state != str(CampaignState.CANCELLED))
        .where(
            select(jobs.c.id)
            .where(
                jobs.c.campaign_id == batch_keys.c.campaign_id,
                jobs.c.stage == batch_keys.c.stage,
                jobs.c.state.in_([str(state) for state in UNFINISHED_STATES]),
            )
            .exists()
        )
        .order_by(batch_keys.c.batch_key)
    )
    with database.read() as connection:
        rows: Sequence[tuple[str, dict[str, str]]] = [(row[0], row[1]) for row in connection.execute(open_keys)]
    found = [
        NeededModel(
            campaign=campaign,
            backend=parameters["backend"],
            model=parameters["model"],
            revision=parameters["revision"],
            models_directory=parameters.get("models_directory", ""),
        )
        for campaign, parameters in rows
        if parameters["model"]
    ]
    return list(dict.fromkeys(found))


def _quiet_seconds(database: Database, alive_within_seconds: float) -> float | None:
    moments = (
        select(attempts.c.ended_at)
        .where(attempts.c.outcome == str(AttemptOutcome.DONE))
        .order_by(attempts.c.ended_at.desc())
        .limit(1)
        .scalar_subquery(),
        select(func.max(leases.c.claimed_at)).scalar_subquery(),
        select(jobs.c.created_at).order_by(jobs.c.id.desc()).limit(1).scalar_subquery(),
        # The longest in service: one that restarts all the time is no progress.
        select(func.min(workers.c.started_at)).where(is_living(alive_within_seconds)).scalar_subquery(),
    )
    with database.read() as connection:
        row = connection.execute(select(now(), *moments)).one()
    known = [float(moment) for moment in row[1:] if moment is not None]
    return max(0.0, float(row[0]) - max(known)) if known else None
