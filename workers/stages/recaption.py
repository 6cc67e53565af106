"""Recaption: a sentence about the repaint, whose id the caption keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.jobs.inputs import RecaptionInput
from db.results.stage_results import CaptionRecord
from workers.backends.protocol import CaptionRequest
from workers.backends.settings.base import BackendSettings
from workers.stages.caption import checked_caption
from workers.stages.image_loading import load_image
from workers.stages.stage import PreparedJob

if TYPE_CHECKING:
    from workers.backends.protocol import CaptionResult
    from workers.stages.stage import StageContext


class RecaptionStage:
    """Describes a repaint."""

    needs_store = True
    input_type = RecaptionInput
    settings_type = BackendSettings

    def prepare(self, job: RecaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[RecaptionInput, CaptionRequest]:
        """Decode the repaint."""
        return PreparedJob(job=job, request=CaptionRequest(image=load_image(context, job.content_hash)))

    def finish(
        self,
        prepared: PreparedJob[RecaptionInput, CaptionRequest],
        answer: CaptionResult,
        context: StageContext[BackendSettings],
        *,
        revision: str,
    ) -> CaptionRecord:
        """Keep the sentence with the repaint that it is about."""
        job, model = prepared.job, context.parameters.model
        text = checked_caption(answer)
        return CaptionRecord(
            job_id=job.job_id, text=text, model=model, revision=revision, image_id=job.image_id, content_hash=job.content_hash
        )
