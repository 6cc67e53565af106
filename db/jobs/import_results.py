"""Results that were made elsewhere become finished jobs, a few hundred in one transaction; importing them again changes nothing.

They have no attempts: nothing was tried here. What replaces an older result supersedes it, as a requeued job's result would.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from db.campaigns import check_not_cancelled, is_imported, lock_campaign
from db.campaigns.imported import UNKNOWN_MODEL
from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.bulk import analyze, runs
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState, JobState, Stage
from db.jobs.arrival import hold_arrivals, originals_arrived
from db.jobs.batch_keys import write_batch_keys
from db.jobs.dependents import ready_dependents, supersede
from db.jobs.imported_jobs import ImportJob, Name, complete_imported, stages_to_write, write_jobs, write_variations
from db.jobs.tables import jobs
from db.results.imported import IMPORT_WORKER, ImportedPrompt, ImportedResult, ImportOutcome
from db.results.tables import captions, holds_now, images, prompts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table

    from db.campaigns import Campaign
    from db.engine import Database
    from db.results.imported import ImportedRepaint, ImportedText

#: What a repaint has in place of a brief.
IMPORTED_BRIEF = "imported"


def write_imported(database: Database, campaign_id: int, rows: Sequence[ImportedResult]) -> list[ImportOutcome]:
    """Write these results, whose blobs are in the store already; what became of each, in their order.

    No two of them may be of the same variation, or give a caption of the same original.

    Raises:
        CampaignCancelled: the campaign was cancelled, which is final.
    """
    write = partial(_write, campaign_id=campaign_id, rows=rows)
    return database.write(write, timeout_seconds=BULK_SECONDS)


def finish_import(database: Database) -> None:
    """Let the database's planner know what the import brought."""
    database.write(lambda connection: analyze(connection, variations, jobs), timeout_seconds=BULK_SECONDS)


def _write(connection: Connection, *, campaign_id: int, rows: Sequence[ImportedResult]) -> list[ImportOutcome]:
    campaign = lock_campaign(connection, campaign_id)
    check_not_cancelled(campaign)
    hold_arrivals(connection)
    write_batch_keys(connection, campaign)
    return _Import(connection, campaign, rows).run()


class _Import:
    """One transaction of an import."""

    def __init__(self, connection: Connection, campaign: Campaign, rows: Sequence[ImportedResult]) -> None:
        self._connection = connection
        self._campaign = campaign
        self._rows = rows
        self._variations: dict[Name, int] = {}
        self._jobs: dict[tuple[Stage, int], ImportJob] = {}
        #: Rows, by their position, of which something was written; True where it took the place of an older result.
        self._touched: dict[int, bool] = {}
        self._outcomes: dict[int, ImportOutcome] = {}

    def run(self) -> list[ImportOutcome]:
        with_variation = [row for row in self._rows if row.has_variation]
        self._variations = write_variations(self._connection, self._campaign, with_variation)
        self._write_jobs()
        self._write_prompts()
        self._write_repaints()
        self._write_captions(Stage.CAPTION)
        self._write_captions(Stage.RECAPTION)
        if not is_imported(self._campaign.config):
            self._ready_the_rest()
        return [self._outcome(position) for position in range(len(self._rows))]

    def _outcome(self, position: int) -> ImportOutcome:
        if position in self._outcomes:
            return self._outcomes[position]
        if position not in self._touched:
            return ImportOutcome.UNCHANGED
        return ImportOutcome.SUPERSEDED if self._touched[position] else ImportOutcome.ADDED

    def _variation(self, row: ImportedResult) -> int | None:
        return self._variations.get((row.artwork_id, row.level, row.ordinal)) if row.has_variation else None

    def _write_jobs(self) -> None:
        """The jobs of all rows; what belongs to a cancelled one, or to an artwork that its campaign has yet to plan, stays out."""
        planned = self._planned([row.artwork_id for row in self._rows if not row.has_variation])
        wanted: dict[tuple[Stage, int], tuple[Stage, int, str, int | None]] = {}
        for position, row in enumerate(self._rows):
            if not row.has_variation and planned is not None and row.artwork_id not in planned:
                self._outcomes[position] = ImportOutcome.NOT_PLANNED
                continue
            variation_id = self._variation(row)
            for stage in stages_to_write(self._campaign, row):
                if stage is Stage.CAPTION:
                    wanted[stage, row.artwork_id] = (stage, row.artwork_id, row.level, None)
                elif variation_id is not None:
                    wanted[stage, variation_id] = (stage, row.artwork_id, row.level, variation_id)
        self._jobs = write_jobs(self._connection, self._campaign, list(wanted.values()))
        for position, row in enumerate(self._rows):
            given = [job for stage in Stage if self._gives(row, stage) and (job := self._job(row, stage)) is not None]
            if any(job.state is JobState.CANCELLED for job in given):
                self._outcomes[position] = ImportOutcome.CANCELLED

    def _planned(self, artwork_ids: Sequence[int]) -> set[int] | None:
        """Those of these artworks that the campaign has jobs for; None where it plans nothing itself."""
        if is_imported(self._campaign.config):
            return None
        found: set[int] = set()
        for some in runs(artwork_ids):
            query = select(jobs.c.artwork_id).where(jobs.c.artwork_id.in_(some), jobs.c.campaign_id == self._campaign.id)
            found.update(self._connection.scalars(query.where(jobs.c.stage == str(Stage.CAPTION))))
        return found

    def _gives(self, row: ImportedResult, stage: Stage) -> bool:
        given = {Stage.CAPTION: row.caption, Stage.PROMPT: row.prompt, Stage.GENERATE: row.repaint, Stage.RECAPTION: row.recaption}
        return given[stage] is not None

    def _job(self, row: ImportedResult, stage: Stage) -> ImportJob | None:
        of = row.artwork_id if stage is Stage.CAPTION else self._variation(row)
        return None if of is None else self._jobs.get((stage, of))

    def _open_rows(self) -> list[tuple[int, ImportedResult]]:
        return [(position, row) for position, row in enumerate(self._rows) if position not in self._outcomes]

    def _write_prompts(self) -> None:
        current = self._current(prompts, Stage.PROMPT)
        written: list[tuple[int, ImportJob, dict[str, Any]]] = []
        for position, row in self._open_rows():
            job = self._job(row, Stage.PROMPT)
            if job is None:
                continue
            held = current.get(job.id)
            prompt = row.prompt
            if prompt is None and held is None and row.repaint is not None:
                prompt = _no_prompt(row.repaint)
            if prompt is not None and (held is None or (held.draft, held.text) != (prompt.draft, prompt.text)):
                written.append((position, job, _prompt_row(self._campaign, job, prompt)))
        self._replace(prompts, Stage.PROMPT, written, current)

    def _write_repaints(self) -> None:
        current = self._current(images, Stage.GENERATE)
        prompt_ids = {row.variation_id: row.id for row in self._current(prompts, Stage.PROMPT).values()}
        seeds = self._seeds()
        written: list[tuple[int, ImportJob, dict[str, Any]]] = []
        for position, row in self._open_rows():
            job = self._job(row, Stage.GENERATE)
            if job is None or row.repaint is None or job.variation_id is None:
                continue
            values = _repaint_row(self._campaign, job, row.repaint)
            values |= {"prompt_id": prompt_ids[job.variation_id], "seed": seeds[job.variation_id]}
            held = current.get(job.id)
            told = ("content_hash", "content_box", "prompt_id", "seed", "original_hash")
            if held is None or any(getattr(held, name) != values[name] for name in told):
                written.append((position, job, values))
        self._replace(images, Stage.GENERATE, written, current)

    def _write_captions(self, stage: Stage) -> None:
        current = self._current(captions, stage)
        image_ids = {row.variation_id: row.id for row in self._current(images, Stage.GENERATE).values()} if stage.per_variation else {}
        written: list[tuple[int, ImportJob, dict[str, Any]]] = []
        for position, row in self._open_rows():
            job = self._job(row, stage)
            text = row.recaption if stage.per_variation else row.caption
            if job is None or text is None or (stage.per_variation and job.variation_id not in image_ids):
                continue
            held = current.get(job.id)
            if held is None or held.text != text.text:
                values = _caption_row(self._campaign, job, text, image_id=image_ids.get(job.variation_id))
                written.append((position, job, values))
        self._replace(captions, stage, written, current)

    def _current(self, table: Table, stage: Stage) -> dict[int, Any]:
        """The current results of this import's jobs of a stage, by job."""
        found: dict[int, Any] = {}
        column, ids = _looked_up(table, [job for job in self._jobs.values() if job.stage is stage])
        for some in runs(ids):
            for row in self._connection.execute(select(table).where(column.in_(some), holds_now(table))):
                found[row.job_id] = row
        return found

    def _replace(
        self, table: Table, stage: Stage, written: Sequence[tuple[int, ImportJob, dict[str, Any]]], current: Mapping[int, Any]
    ) -> None:
        """Write new results; what they replace becomes history, and with it what was made from it."""
        if not written:
            return
        older = [job for _, job, _ in written if job.id in current]
        column, ids = _looked_up(table, older)
        for some in runs(ids):
            self._connection.execute(update(table).where(column.in_(some), holds_now(table)).values(current=False))
        if older and stage is not Stage.CAPTION:  # a caption that was told apart from its prompts does not make them stale
            for jobs_of in runs(older):
                supersede(self._connection, self._campaign.id, stage, jobs_of)  # type: ignore[arg-type]  # they have the fields it reads
        complete_imported(self._connection, [job for _, job, _ in written])
        self._connection.execute(insert(table).values(created_at=now()), [values for _, _, values in written])
        for position, job, _ in written:
            self._touched[position] = self._touched.get(position, False) or job.id in current

    def _seeds(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for some in runs(list(self._variations.values())):
            query = select(variations.c.id, variations.c.seed).where(variations.c.id.in_(some))
            found.update({row.id: row.seed for row in self._connection.execute(query)})
        return found

    def _ready_the_rest(self) -> None:
        """What follows from imported results, or from a picture that is there, workers make."""
        artwork_ids = sorted({row.artwork_id for row in self._rows})
        for some in runs(artwork_ids):
            there = select(artworks.c.id).where(artworks.c.id.in_(some), artworks.c.picture == str(ImageState.PRESENT))
            originals_arrived(self._connection, list(self._connection.scalars(there)))
        for stage in (Stage.CAPTION, Stage.PROMPT, Stage.GENERATE):
            mine = [job for job in self._jobs.values() if job.stage is stage]
            for some_jobs in runs(mine):
                query = select(jobs.c.id, jobs.c.artwork_id, jobs.c.variation_id)
                done: Sequence[Any] = self._connection.execute(
                    query.where(jobs.c.id.in_([job.id for job in some_jobs]), jobs.c.state == str(JobState.DONE))
                ).all()
                if done:
                    ready_dependents(self._connection, self._campaign.id, stage, done)


def _looked_up(table: Table, of: Sequence[ImportJob]) -> tuple[Any, list[Any]]:
    """By which column an index finds the current results of these jobs, and its values."""
    if table is images:
        return table.c.variation_id, [job.variation_id for job in of]
    return table.c.job_id, [job.id for job in of]


def _no_prompt(repaint: ImportedRepaint) -> ImportedPrompt:
    """A repaint that came without its prompt has an empty one."""
    return ImportedPrompt(
        draft="", text="", model=UNKNOWN_MODEL, origin=f"imported from {repaint.provenance.get('imported_from', 'elsewhere')}"
    )


def _prompt_row(campaign: Campaign, job: ImportJob, prompt: ImportedPrompt) -> dict[str, Any]:
    facts = {"draft": prompt.draft, "text": prompt.text, "model": prompt.model, "revision": prompt.origin}
    same = {"job_id": job.id, "campaign_id": campaign.id, "variation_id": job.variation_id, "current": True}
    return {**facts, **same, "draft_tokens": 0, "tokens": 0, "brief": IMPORTED_BRIEF}


def _repaint_row(campaign: Campaign, job: ImportJob, repaint: ImportedRepaint) -> dict[str, Any]:
    names = ("content_hash", "pixel_hash", "format", "byte_size", "width", "height", "provenance")
    facts = {name: getattr(repaint, name) for name in names}
    same = {"job_id": job.id, "campaign_id": campaign.id, "artwork_id": job.artwork_id, "variation_id": job.variation_id, "current": True}
    made = {"original_hash": repaint.provenance.get("original"), "content_box": list(repaint.content_box), "worker_id": IMPORT_WORKER}
    return {**facts, **same, **made}


def _caption_row(campaign: Campaign, job: ImportJob, text: ImportedText, *, image_id: int | None) -> dict[str, Any]:
    of = {"artwork_id": job.artwork_id, "variation_id": job.variation_id, "image_id": image_id}
    same = {"job_id": job.id, "campaign_id": campaign.id, "current": True}
    return {"text": text.text, "model": text.model, "revision": text.origin, **of, **same}
