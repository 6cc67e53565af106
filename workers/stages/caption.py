"""Caption: a sentence about the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.jobs.inputs import CaptionInput
from db.results.stage_results import CaptionRecord
from workers.backends.caption_cleaning import clean_caption
from workers.backends.protocol import CaptionRequest
from workers.backends.settings.base import BackendSettings
from workers.errors import JobFault
from workers.stages.image_loading import load_image
from workers.stages.stage import PreparedJob

if TYPE_CHECKING:
    from workers.backends.protocol import CaptionResult
    from workers.stages.stage import StageContext


class CaptionStage:
    """Describes an original."""

    needs_store = True
    input_type = CaptionInput
    settings_type = BackendSettings

    def prepare(self, job: CaptionInput, context: StageContext[BackendSettings]) -> PreparedJob[CaptionInput, CaptionRequest]:
        """Decode the original."""
        image = load_image(context, job.content_hash, link=job.link)
        return PreparedJob(job=job, request=CaptionRequest(image=image))

    def finish(
        self,
        prepared: PreparedJob[CaptionInput, CaptionRequest],
        answer: CaptionResult,
        context: StageContext[BackendSettings],
        *,
        revision: str,
    ) -> CaptionRecord:
        """Keep the sentence."""
        job, model = prepared.job, context.parameters.model
        text = checked_caption(answer)
        return CaptionRecord(job_id=job.job_id, text=text, model=model, revision=revision, content_hash=job.content_hash)


def checked_caption(answer: CaptionResult) -> str:
    """The sentence without the captioner's faults (`clean_caption`); if nothing is left it is degenerate."""
    text = clean_caption(answer.text)
    if not text:
        raise JobFault(FailureKind.DEGENERATE, "degenerate output: the caption is empty")
    return text
