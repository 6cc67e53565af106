"""Whether every artwork of a campaign has its chain: caption, prompts, repaints and their captions, one current result of each job.

One statement sees one moment, so that what workers commit meanwhile is never half seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, literal_column, not_, select

from db.campaigns import is_imported
from db.campaigns.tables import variations
from db.engine.limits import BULK_SECONDS
from db.enums import JobState, Stage
from db.jobs.tables import jobs
from db.results.tables import captions, images, prompts
from db.verification.findings import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Select, Table

    from db.campaigns import Campaign
    from db.engine import Database
    from db.verification.findings import Verification

#: Jobs that are looked at together.
PAGE = 5_000

#: Where each stage's results lie, and by which column of a job they are found with an index.
RESULTS: dict[Stage, tuple[Table, str]] = {
    Stage.CAPTION: (captions, "job_id"),
    Stage.PROMPT: (prompts, "job_id"),
    Stage.GENERATE: (images, "variation_id"),
    Stage.RECAPTION: (captions, "job_id"),
}


def check_chains(database: Database, result: Verification, campaign: Campaign) -> Iterator[list[Finding]]:
    """The findings of one campaign, page by page, earlier stages first; jobs that are done are counted in `result`."""
    for stage in campaign.config.stages:
        if not is_imported(campaign.config):  # there a job stands for a result that was given, and not everything was
            yield from _missing_jobs(database, campaign, stage)
        yield from _results(database, result, campaign, stage)
    yield from _stale(database, _REPAINTS_OF_OLD_PROMPTS, campaign, FindingKind.PROMPT_SUPERSEDED)
    yield from _stale(database, _CAPTIONS_OF_OLD_REPAINTS, campaign, FindingKind.REPAINT_SUPERSEDED)


def is_current(table: Table) -> ColumnElement[bool]:
    """As the partial indexes have it: SQLite uses them for no other way to write it."""
    return literal_column(f"{table.name}.current")


def _results(database: Database, result: Verification, campaign: Campaign, stage: Stage) -> Iterator[list[Finding]]:
    table, key = RESULTS[stage]
    after = 0
    while True:
        page = (
            select(jobs.c.id, jobs.c.job_key, (jobs.c.id if key == "job_id" else jobs.c.variation_id).label("looked_up"))
            .where(jobs.c.campaign_id == campaign.id, jobs.c.stage == str(stage), jobs.c.state == str(JobState.DONE), jobs.c.id > after)
            .order_by(jobs.c.id)
            .limit(PAGE)
            .subquery()
        )
        counted = (
            select(page.c.id, page.c.job_key, func.count(table.c.id))
            .select_from(page.outerjoin(table, and_(table.c[key] == page.c.looked_up, is_current(table))))
            .group_by(page.c.id, page.c.job_key)
            .order_by(page.c.id)
        )
        with database.read(timeout_seconds=BULK_SECONDS) as connection:
            rows = connection.execute(counted).all()
        if not rows:
            return
        after = rows[-1][0]
        result.jobs += len(rows)
        yield [_of_count(job_id, job_key, count) for job_id, job_key, count in rows if count != 1]


def _of_count(job_id: int, job_key: str, count: int) -> Finding:
    if count:
        return Finding(kind=FindingKind.SEVERAL_CURRENT, subject=job_key, detail=f"{count} are current", job_id=job_id)
    return Finding(
        kind=FindingKind.RESULT_MISSING, subject=job_key, detail="the job is done, nothing that it made is current", job_id=job_id
    )


def _missing_jobs(database: Database, campaign: Campaign, stage: Stage) -> Iterator[list[Finding]]:
    """Planned repaints without a job of this stage; of captions, artworks."""
    key = variations.c.id if stage.per_variation else variations.c.artwork_id
    there = (jobs.c.variation_id if stage.per_variation else jobs.c.artwork_id) == key
    of_stage = select(jobs.c.id).where(there, jobs.c.stage == str(stage), jobs.c.campaign_id == campaign.id)
    query = select(key.label("id")).where(variations.c.campaign_id == campaign.id, not_(of_stage.exists())).distinct()
    what = "variation" if stage.per_variation else "artwork"
    for rows in _found(database, query, key):
        yield [
            Finding(kind=FindingKind.JOB_MISSING, subject=f"{what} {row_id} of campaign {campaign.name}", detail=f"it has no {stage} job")
            for (row_id,) in rows
        ]


def _stale(database: Database, query: Select[Any], campaign: Campaign, kind: FindingKind) -> Iterator[list[Finding]]:
    for rows in _found(database, query.where(jobs.c.campaign_id == campaign.id), jobs.c.id):
        yield [
            Finding(kind=kind, subject=job_key, detail="what it was made from was made again", job_id=job_id) for job_id, job_key in rows
        ]


def _found(database: Database, query: Select[Any], key: Any) -> Iterator[list[Any]]:
    """The rows of a query for what should not be, by pages; the first column of each is `key`."""
    after = 0
    while True:
        with database.read(timeout_seconds=BULK_SECONDS) as connection:
            rows: list[Any] = list(connection.execute(query.where(key > after).order_by(key).limit(PAGE)))
        if not rows:
            return
        yield rows
        after = rows[-1][0]


_DONE = jobs.c.state == str(JobState.DONE)
_REPAINTS_OF_OLD_PROMPTS = (
    select(jobs.c.id, jobs.c.job_key)
    .join(images, images.c.job_id == jobs.c.id)
    .join(prompts, prompts.c.id == images.c.prompt_id)
    .where(is_current(images), not_(prompts.c.current), _DONE)
)
_CAPTIONS_OF_OLD_REPAINTS = (
    select(jobs.c.id, jobs.c.job_key)
    .join(captions, captions.c.job_id == jobs.c.id)
    .join(images, images.c.id == captions.c.image_id)
    .where(is_current(captions), not_(images.c.current), _DONE)
)
