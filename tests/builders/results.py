"""What a worker would make of a claimed batch: made up, but fitting what the database holds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from db.jobs.inputs import CaptionInput, MissingInput, PromptInput, RecaptionInput, RepaintInput, load_inputs
from db.results.stage_results import CaptionRecord, PromptRecord, RepaintRecord, Result

if TYPE_CHECKING:
    from db.engine import Database
    from db.jobs.claim import Batch
    from db.jobs.inputs import JobInput

FAKE: Any = {"model": "fake", "revision": "fake"}


def results_of(database: Database, batch: Batch, mark: str = "") -> list[Result]:
    """One result for each job of the batch; `mark` tells those of one round from those of another."""
    return [_result(job, mark) for job in load_inputs(database, batch)]


def _result(job: JobInput | MissingInput, mark: str) -> Result:
    match job:
        case MissingInput():
            raise AssertionError(f"job {job.job_id} was claimed and the database lacks what it is made from: {job.reason}")
        case CaptionInput():
            return CaptionRecord(job_id=job.job_id, text=f"original {job.content_hash}{mark}", **FAKE)
        case RecaptionInput():
            return CaptionRecord(job_id=job.job_id, text=f"repaint {job.content_hash}{mark}", image_id=job.image_id, **FAKE)
        case PromptInput():
            text = f"{job.caption}, {job.level}{mark}"
            return PromptRecord(job_id=job.job_id, draft=text, text=text, draft_tokens=4, tokens=4, brief="fake", **FAKE)
        case RepaintInput():
            return _repaint(job, mark)


def _repaint(job: RepaintInput, mark: str) -> RepaintRecord:
    content_hash = hashlib.sha256(f"{job.prompt}\x1f{job.seed}{mark}".encode()).hexdigest()
    return RepaintRecord(
        job_id=job.job_id,
        prompt_id=job.prompt_id,
        content_hash=content_hash,
        pixel_hash=content_hash[::-1],
        format="png",
        byte_size=1000,
        width=64,
        height=48,
        content_box=(0, 8, 64, 56),
        provenance={"prompt": job.prompt, "seed": job.seed},
        seed=job.seed,
    )
