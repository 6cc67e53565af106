"""The variations and jobs that imported results belong to: made where they are lacking, and moved to `done` without a worker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from db.campaigns import is_imported, variation_seed
from db.campaigns.tables import variations
from db.engine.bulk import bulk_insert, runs, update_by_id
from db.engine.clock import now
from db.enums import JobState, Stage
from db.jobs.batch_keys import batch_key
from db.jobs.dependents import reset_values
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import move

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection, Row

    from db.campaigns import Campaign
    from db.results.imported import ImportedResult

#: Artwork, level and ordinal: what a variation is within its campaign.
Name = tuple[int, str, int]

_VARIATION_COLUMNS = ("campaign_id", "artwork_id", "level", "ordinal", "seed", "redraws")
_JOB_COLUMNS = (
    "job_key",
    "campaign_id",
    "artwork_id",
    "variation_id",
    "stage",
    "batch_key",
    "priority",
    "state",
    "created_at",
    "changed_at",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportJob:
    """A job to which imported results belong; named as complete_batch's rows are, for those who look for what follows from it."""

    id: int
    artwork_id: int
    variation_id: int | None
    stage: Stage
    state: JobState


def write_variations(connection: Connection, campaign: Campaign, rows: Iterable[ImportedResult]) -> dict[Name, int]:
    """The ids of these results' variations, made where they are lacking; a seed that was given rules."""
    wanted = {(row.artwork_id, row.level, row.ordinal): row for row in rows}
    present = _present(connection, campaign, wanted)
    missing = [
        (campaign.id, row.artwork_id, row.level, row.ordinal, _seed(campaign, row), 0)
        for name, row in wanted.items()
        if name not in present
    ]
    if missing:
        bulk_insert(connection, variations, _VARIATION_COLUMNS, missing)
    given = [(held, wanted[name].seed) for name, held in present.items()]
    update_by_id(
        connection, variations, [{"the_id": held.id, "seed": seed} for held, seed in given if seed is not None and seed != held.seed]
    )
    found = _present(connection, campaign, wanted) if missing else present
    return {name: held.id for name, held in found.items()}


def write_jobs(
    connection: Connection, campaign: Campaign, given: Collection[tuple[Stage, int, str, int | None]]
) -> dict[tuple[Stage, int], ImportJob]:
    """The jobs of these (stage, artwork, level, variation), made where they are lacking, by stage and by variation (captions: artwork).

    They are held until the transaction ends, so that nobody completes one of them meanwhile.
    """
    keys = {
        _job_key(campaign, stage, artwork_id, variation_id): (stage, artwork_id, level, variation_id)
        for stage, artwork_id, level, variation_id in given
    }
    held = _held(connection, list(keys))
    missing = {key: one for key, one in keys.items() if key not in held}
    if missing:
        moment = connection.execute(select(now())).scalar_one()
        bulk_insert(connection, jobs, _JOB_COLUMNS, (_row(campaign, key, one, moment) for key, one in missing.items()))
        _count_planned(connection, campaign, missing.values())
        held |= _held(connection, list(missing))
    found = [_import_job(row) for row in held.values()]
    return {(job.stage, job.variation_id or job.artwork_id): job for job in found}


def stages_to_write(campaign: Campaign, row: ImportedResult) -> list[Stage]:
    """The stages of which a result needs jobs: where nothing is ever made, those that were given; else all that a plan would have."""
    if not is_imported(campaign.config):
        return list(campaign.config.stages)
    given = {
        Stage.CAPTION: row.caption is not None,
        Stage.PROMPT: row.has_variation,  # a repaint names its prompt, be it empty
        Stage.GENERATE: row.repaint is not None,
        Stage.RECAPTION: row.recaption is not None,
    }
    return [stage for stage in Stage if given[stage]]


def complete_imported(connection: Connection, done: Sequence[ImportJob]) -> None:
    """Move these jobs to `done`; who holds one of them loses it."""
    ended = {
        "finished_at": now(),
        "lease_token": None,
        "suspect": False,
        "crashes": 0,
        "error_kind": None,
        "error_text": None,
        "not_before": 0,
    }
    for some in runs([job.id for job in done]):
        mine = jobs.c.id.in_(some)
        again = {JobState.READY, JobState.RUNNING, JobState.DONE, JobState.FAILED}
        connection.execute(move(JobState.READY, leaving=again).where(mine).values(**reset_values()))
        connection.execute(move(JobState.READY, leaving={JobState.WAITING}).where(mine))
        connection.execute(move(JobState.DONE, leaving={JobState.READY}).where(mine).values(**ended))


def _present(connection: Connection, campaign: Campaign, wanted: Collection[Name]) -> dict[Name, Row[Any]]:
    found: dict[Name, Any] = {}
    query = select(variations.c.id, variations.c.artwork_id, variations.c.level, variations.c.ordinal, variations.c.seed)
    query = query.where(variations.c.campaign_id == campaign.id)
    for some in runs(sorted({artwork_id for artwork_id, _, _ in wanted})):
        for row in connection.execute(query.where(variations.c.artwork_id.in_(some))):
            found[row.artwork_id, row.level, row.ordinal] = row
    return {name: row for name, row in found.items() if name in wanted}


def _seed(campaign: Campaign, row: ImportedResult) -> int:
    if row.seed is not None:
        return row.seed
    return variation_seed(campaign_seed=campaign.config.seed, artwork_key=row.artwork_key, level=row.level, ordinal=row.ordinal)


def _held(connection: Connection, keys: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    columns = select(jobs.c.job_key, jobs.c.id, jobs.c.artwork_id, jobs.c.variation_id, jobs.c.stage, jobs.c.state)
    for some in runs(keys):
        rows: Iterable[Any] = connection.execute(columns.where(jobs.c.job_key.in_(some)).order_by(jobs.c.id).with_for_update())
        found |= {row.job_key: row for row in rows}
    return found


def _import_job(row: Row[Any]) -> ImportJob:
    state, stage = JobState(row.state), Stage(row.stage)
    return ImportJob(id=row.id, artwork_id=row.artwork_id, variation_id=row.variation_id, stage=stage, state=state)


def _job_key(campaign: Campaign, stage: Stage, artwork_id: int, variation_id: int | None) -> str:
    return f"c{campaign.id}-a{artwork_id}-v{variation_id or 0}-{stage}"


def _row(campaign: Campaign, key: str, one: tuple[Stage, int, str, int | None], moment: float) -> tuple[Any, ...]:
    stage, artwork_id, level, variation_id = one
    of_batch = batch_key(campaign.id, stage, level)
    return key, campaign.id, artwork_id, variation_id, str(stage), of_batch, 0, str(JobState.WAITING), moment, moment


def _count_planned(connection: Connection, campaign: Campaign, planned: Iterable[tuple[Stage, int, str, int | None]]) -> None:
    for key, count in Counter(batch_key(campaign.id, stage, level) for stage, _, level, _ in planned).items():
        more = batch_keys.c.planned_jobs + count
        connection.execute(update(batch_keys).where(batch_keys.c.batch_key == key).values(planned_jobs=more))
