"""How far the work is: counts, rates, what is stuck and why, what failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, bindparam, exists, func, literal_column, select, text, union

from db.campaigns import all_campaigns
from db.catalogue.tables import artworks
from db.engine.clock import now
from db.enums import AttemptOutcome, ImageState, JobState, Stage
from db.jobs.tables import attempts, batch_keys, jobs
from db.monitoring.worker_registry import RegisteredWorker, live_workers
from db.results.tables import images

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from db.engine import Database

#: Seconds over which rates are measured.
RATE_WINDOW = 300.0
_ORDER = list(Stage)
#: Jobs that stop their successors for good.
_ENDED = (JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of the work at one moment."""

    #: Campaign name to {"state", "jobs": {stage: {state: count}}}.
    campaigns: dict[str, dict[str, Any]]
    #: Stage to state to count, over the chosen campaigns.
    jobs: dict[str, dict[str, int]]
    #: Current repaints.
    images: int
    workers: tuple[RegisteredWorker, ...]
    #: Stage to jobs finished per second lately.
    rates: dict[str, float] = field(default_factory=dict)
    #: Seconds until all is done at the present pace; None if nothing moves or nothing is left.
    eta_seconds: float | None = None
    #: Why work that is not done does not go on, with counts.
    stuck: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """One job that was given up."""

    job: str
    stage: str
    kind: str
    error: str
    attempts: int
    #: The artwork's key and a path of it are what an operator recognises.
    artwork: str
    artwork_id: int
    campaign_id: int


def progress(database: Database, campaign_id: int | None = None, *, workers_within: float = 30.0, details: bool = True) -> Progress:
    """Counts by stage and state; with `details` also rates, the time left, and what is stuck."""
    books = {campaign.id: campaign for campaign in all_campaigns(database) if campaign_id in {None, campaign.id}}
    workers = tuple(live_workers(database, within_seconds=workers_within))
    with database.read() as connection:
        counts = _counts(connection, books)
        # Asked for once: PostgreSQL takes no index for a comparison with a clock that runs on, and reads that clock for every row.
        at = connection.scalar(select(now())) or 0.0
        rates = _rates(connection, campaign_id, at) if details else {}
        stuck = _stuck(connection, campaign_id, counts, workers, at) if details else {}
        painted = _painted(connection, campaign_id)
    total = _added(counts.values())
    return Progress(
        campaigns={book.name: {"state": str(book.state), "jobs": counts.get(id_, {})} for id_, book in books.items()},
        jobs=total,
        images=painted,
        workers=workers,
        rates=rates,
        eta_seconds=_eta(total, rates),
        stuck=stuck,
    )


def failures(database: Database, campaign_id: int | None = None, stage: Stage | None = None, kind: str | None = None) -> list[FailedJob]:
    """The jobs that were given up, oldest first."""
    query = (
        select(jobs, artworks.c.key)
        .join(artworks, artworks.c.id == jobs.c.artwork_id)
        .where(jobs.c.state == literal_column(f"'{JobState.FAILED}'"), *_of(jobs, campaign_id))
        .order_by(jobs.c.id)
    )
    if stage is not None:
        query = query.where(jobs.c.stage == str(stage))
    if kind is not None:
        query = query.where(jobs.c.error_kind == kind)
    with database.read() as connection:
        return [
            FailedJob(
                job=row["job_key"],
                stage=row["stage"],
                kind=row["error_kind"],
                error=row["error_text"],
                attempts=row["attempt_count"],
                artwork=row["key"],
                artwork_id=row["artwork_id"],
                campaign_id=row["campaign_id"],
            )
            for row in connection.execute(query).mappings()
        ]


def work_left(database: Database, stages: Sequence[Stage], *, without: Collection[str] = ()) -> bool:
    """Whether a worker of these stages can still expect work.

    True while a job of its stages, or of one before them that they wait for, is running, or ready (even if backing off) and not paused.
    Jobs behind a failed one, or without a picture, wait for nothing that will happen by itself. Ready jobs of the batch keys in `without`
    do not count: their model cannot be had here.
    """
    last = max(_ORDER.index(stage) for stage in stages)
    upstream = [str(stage) for stage in _ORDER[: last + 1]]
    ready = and_(jobs.c.batch_key == batch_keys.c.batch_key, jobs.c.state == literal_column(f"'{JobState.READY}'"))
    claimable = select(batch_keys.c.batch_key).where(
        batch_keys.c.stage.in_(upstream),
        batch_keys.c.paused == literal_column("false"),
        batch_keys.c.batch_key.not_in(without),
        exists().where(ready),
    )
    running = select(jobs.c.id).where(jobs.c.lease_token.is_not(None), jobs.c.state == str(JobState.RUNNING), jobs.c.stage.in_(upstream))
    with database.read() as connection:
        return connection.scalar(claimable.limit(1)) is not None or connection.scalar(running.limit(1)) is not None


def _painted(connection: Connection, campaign_id: int | None) -> int:
    """Current repaints. The condition is the partial index' own, as it stands there: SQLite uses it for no other."""
    query = select(func.count()).select_from(images).where(text("images.current"), *_of(images, campaign_id))
    return connection.scalar(query) or 0


def _of(table: Any, campaign_id: int | None) -> list[ColumnElement[bool]]:
    return [] if campaign_id is None else [table.c.campaign_id == campaign_id]


def _not_led_by(table: Any, campaign_id: int | None) -> list[ColumnElement[bool]]:
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


def _counts(connection: Connection, campaign_ids: Iterable[int]) -> dict[int, dict[str, dict[str, int]]]:
    found = {}
    for campaign_id in campaign_ids:
        row = iter(connection.execute(_COUNTS, {"campaign": campaign_id}).one())
        found[campaign_id] = {str(stage): _of_stage(int(next(row)), {state: int(next(row)) for state in _UNDONE}) for stage in Stage}
    return found


def _of_stage(planned: int, undone: dict[JobState, int]) -> dict[str, int]:
    counts = {**undone, JobState.DONE: planned - sum(undone.values())}
    return {str(state): counts[state] for state in JobState if counts[state]}


def _added(counts: Any) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {str(stage): {} for stage in Stage}
    for stages in counts:
        for stage, states in stages.items():
            for state, count in states.items():
                total[stage][state] = total[stage].get(state, 0) + count
    return total


def _rates(connection: Connection, campaign_id: int | None, at: float) -> dict[str, float]:
    """Jobs per second by stage, over the window or since the first attempt in it if that is later."""
    query = (
        select(jobs.c.stage, func.count(), func.min(attempts.c.ended_at))
        .join(attempts, attempts.c.job_id == jobs.c.id)
        .where(attempts.c.ended_at > at - RATE_WINDOW, attempts.c.outcome == str(AttemptOutcome.DONE), *_not_led_by(jobs, campaign_id))
        .group_by(jobs.c.stage)
    )
    rates = {}
    for stage, count, first in connection.execute(query):
        rates[stage] = count / max(1.0, at - first)
    return rates


def _eta(total: dict[str, dict[str, int]], rates: dict[str, float]) -> float | None:
    """Stages share the devices, so the time left is the sum over stages of what remains by their pace."""
    remaining = {stage: sum(states.get(state, 0) for state in ("waiting", "ready", "running")) for stage, states in total.items()}
    moving = any(states.get(state) for states in total.values() for state in ("ready", "running"))
    if not moving or any(count and not rates.get(stage) for stage, count in remaining.items()):
        return None
    return sum(count / rates[stage] for stage, count in remaining.items() if count)


def _stuck(
    connection: Connection,
    campaign_id: int | None,
    counts: dict[int, dict[str, dict[str, int]]],
    workers: Sequence[RegisteredWorker],
    at: float,
) -> dict[str, int]:
    total = _added(counts.values())
    found: dict[str, int] = {}
    if total["caption"].get("waiting"):
        planned = (jobs.c.artwork_id == artworks.c.id, artworks.c.picture != str(ImageState.PRESENT))
        query = select(func.count()).select_from(jobs).join(artworks, and_(*planned))
        waiting = (jobs.c.stage == str(Stage.CAPTION), jobs.c.state == str(JobState.WAITING))
        found["waiting for their picture: run ingest on the images"] = (
            connection.scalar(query.where(*waiting, *_of(jobs, campaign_id))) or 0
        )
    found["waiting behind a failed or cancelled job"] = _behind_ended(connection, counts)
    backing_off = (
        select(func.count())
        .select_from(jobs)
        .where(jobs.c.state == literal_column(f"'{JobState.READY}'"), jobs.c.not_before > at, *_not_led_by(jobs, campaign_id))
    )
    if any(states.get("ready") for states in total.values()):
        found["backing off before a retry"] = connection.scalar(backing_off) or 0
    paused = connection.scalars(select(batch_keys.c.stage).where(batch_keys.c.paused, *_of(batch_keys, campaign_id)).distinct()).all()
    for stage in paused:
        found[f"paused at {stage}: `paragone resume`"] = total[stage].get("ready", 0)
    served = {stage for worker in workers for stage in worker.stages}
    for stage in Stage:
        if str(stage) not in served and str(stage) not in paused and total[stage].get("ready"):
            found[f"ready for {stage}, but no living worker serves it: `paragone work`"] = total[stage]["ready"]
    for worker in workers:
        if worker.trouble:
            found[worker.trouble] = found.get(worker.trouble, 0) + 1
    return {reason: count for reason, count in found.items() if count}


def _behind_ended(connection: Connection, counts: dict[int, dict[str, dict[str, int]]]) -> int:
    """Waiting jobs of chains that an ended job has cut, found from the few that ended, campaign by campaign."""
    behind = [
        _cut(campaign_id, stage)
        for campaign_id, stages in counts.items()
        for position, stage in enumerate(_ORDER[:-1])
        if any(stages[str(stage)].get(str(state)) for state in _ENDED)
        and any(stages[str(later)].get(str(JobState.WAITING)) for later in _ORDER[position + 1 :])
    ]
    if not behind:
        return 0
    return connection.scalar(select(func.count()).select_from(union(*behind).subquery())) or 0


def _cut(campaign_id: int, stage: Stage) -> Select[Any]:
    ended = jobs.alias("ended")
    same_artwork = and_(jobs.c.artwork_id == ended.c.artwork_id, jobs.c.campaign_id + 0 == ended.c.campaign_id)
    same_variation = jobs.c.variation_id == ended.c.variation_id
    later = [str(other) for other in _ORDER[_ORDER.index(stage) + 1 :]]
    return (
        select(jobs.c.id)
        .join(ended, same_variation if stage.per_variation else same_artwork)
        .where(ended.c.campaign_id == campaign_id, ended.c.stage == str(stage), ended.c.state.in_([str(state) for state in _ENDED]))
        .where(jobs.c.stage.in_(later), jobs.c.state == str(JobState.WAITING))
    )
