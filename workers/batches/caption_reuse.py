"""Captions that another job made already, by the same model at the same revision: they are copied, and no device is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import Stage
from db.jobs.inputs import CaptionInput, RecaptionInput
from db.results.caption_reuse import known_captions
from db.results.stage_results import CaptionRecord
from workers.backends.errors import BadSettings
from workers.errors import ModelTrouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.jobs.batch_keys import Parameters
    from db.jobs.claim import Batch
    from db.jobs.inputs import JobInput, MissingInput
    from workers.worker_context import WorkerContext

#: The stages that describe pictures.
DESCRIBING_STAGES = frozenset({Stage.CAPTION, Stage.RECAPTION})


def reusable_captions(
    worker: WorkerContext, batch: Batch, inputs: Sequence[JobInput | MissingInput], *, revision: str | None
) -> list[CaptionRecord]:
    """Copies for those of the batch's jobs whose picture was described before.

    Without a revision: what there would be of any, to tell whether it is worth finding out which one this campaign uses. A model's name
    alone says too little: its weights may have changed.
    """
    model = batch.parameters.model
    described = [found for found in inputs if isinstance(found, CaptionInput | RecaptionInput)]
    if batch.stage not in DESCRIBING_STAGES or not model or not described:
        return []
    pictures = {found.job_id: found.content_hash for found in described}
    known = known_captions(
        worker.database, pictures, model=model, revision=revision, is_alike=lambda other: _are_alike(worker, batch, other)
    )
    return [
        CaptionRecord(
            job_id=found.job_id,
            text=known[found.job_id].text,
            model=model,
            revision=known[found.job_id].revision,
            image_id=found.image_id if isinstance(found, RecaptionInput) else None,
            content_hash=found.content_hash,
            reused_from=known[found.job_id].id,
        )
        for found in described
        if found.job_id in known
    ]


def _are_alike(worker: WorkerContext, batch: Batch, other: Parameters) -> bool:
    """Whether these parameters and the batch's make the same sentences at one revision: settings count with their defaults."""
    mine = batch.parameters
    if (mine.backend, mine.model, mine.dtype) != (other.backend, other.model, other.dtype):
        return False
    try:
        return worker.models.settings(batch.campaign_id, mine) == worker.models.settings(batch.campaign_id, other)
    except (BadSettings, ModelTrouble):
        return False
