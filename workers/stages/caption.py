"""Caption: a sentence about the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.results.stage_results import CaptionRecord
from workers.backends.protocol import CaptionRequest
from workers.errors import JobFault
from workers.stages.stage import Context, Prepared, load_image

if TYPE_CHECKING:
    from db.jobs.inputs import JobInput
    from workers.backends.protocol import CaptionResult


class CaptionStage:
    """Describes the picture of a job."""

    def prepare(self, work: JobInput, context: Context) -> Prepared:
        """Decode the picture."""
        return Prepared(work=work, request=CaptionRequest(image=load_image(work, context.store)))

    def finish(self, prepared: Prepared, answer: CaptionResult, context: Context) -> CaptionRecord:
        """Keep the sentence; an empty one is degenerate."""
        if not answer.text.strip():
            raise JobFault(FailureKind.DEGENERATE, "the captioner said nothing")
        return CaptionRecord(
            job_id=prepared.work.job_id,
            text=answer.text.strip(),
            model=context.parameters.model,
            revision=context.revision,
            image_id=prepared.work.image_id,
        )
