"""What a worker would make of a claimed batch: made up, but fitting what the database holds."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from db.enums import Stage
from db.jobs.inputs import load_inputs
from db.results.stage_results import CaptionRecord, PromptRecord, RepaintRecord, Result

if TYPE_CHECKING:
    from db.engine import Database
    from db.jobs.claim import Batch
    from db.jobs.inputs import JobInput

FAKE: Any = {"model": "fake", "revision": "fake"}


def results_of(database: Database, batch: Batch, mark: str = "") -> list[Result]:
    """One result for each job of the batch; `mark` tells those of one round from those of another."""
    return [_result(batch.stage, work, mark) for work in load_inputs(database, batch)]


def _result(stage: Stage, work: JobInput, mark: str) -> Result:
    if not work.key:
        raise AssertionError(f"job {work.job_id} was claimed for {stage} and the database lacks what it is made from")
    if stage is Stage.CAPTION:
        return CaptionRecord(job_id=work.job_id, text=f"original {work.content_hash}{mark}", **FAKE)
    if stage is Stage.RECAPTION:
        return CaptionRecord(job_id=work.job_id, text=f"repaint {work.content_hash}{mark}", image_id=work.image_id, **FAKE)
    if stage is Stage.PROMPT:
        text = f"{work.caption}, {work.level}{mark}"
        return PromptRecord(job_id=work.job_id, draft=text, text=text, draft_tokens=4, tokens=4, brief="fake", **FAKE)
    assert work.prompt_id is not None
    content_hash = hashlib.sha256(f"{work.prompt}\x1f{work.seed}{mark}".encode()).hexdigest()
    return RepaintRecord(
        job_id=work.job_id,
        prompt_id=work.prompt_id,
        content_hash=content_hash,
        pixel_hash=content_hash[::-1],
        format="png",
        byte_size=1000,
        width=64,
        height=48,
        content_box=(0, 8, 64, 56),
        provenance={"prompt": work.prompt, "seed": work.seed},
        seed=work.seed,
    )
