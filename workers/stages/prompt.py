"""Prompt: from the caption, the style and a brief to the text that the generator reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.jobs.inputs import PromptInput
from db.results.stage_results import PromptRecord
from workers.backends.protocol import PromptRequest
from workers.backends.settings.base import PromptSettings
from workers.errors import JobFault
from workers.stages.stage import PreparedJob

if TYPE_CHECKING:
    from workers.backends.protocol import PromptResult
    from workers.stages.stage import StageContext


class PromptStage:
    """Writes the prompt of one variation."""

    needs_store = False
    input_type = PromptInput
    settings_type = PromptSettings

    def prepare(
        self,
        job: PromptInput,
        context: StageContext[PromptSettings],  # noqa: ARG002  # reads no image
    ) -> PreparedJob[PromptInput, PromptRequest]:
        """Gather the facts; artist and title are given to be kept out."""
        request = PromptRequest(caption=job.caption, style=job.style, artist=job.artist, title=job.title, level=job.level, seed=job.seed)
        return PreparedJob(job=job, request=request)

    def finish(
        self,
        prepared: PreparedJob[PromptInput, PromptRequest],
        answer: PromptResult,
        context: StageContext[PromptSettings],
        *,
        revision: str,
    ) -> PromptRecord:
        """Keep the prompt with its draft and both counts."""
        most = context.settings.max_tokens
        if not answer.text.strip() or answer.tokens > most:
            raise JobFault(FailureKind.DEGENERATE, f"degenerate output: a prompt of {answer.tokens} tokens, where 1 to {most} are allowed")
        return PromptRecord(
            job_id=prepared.job.job_id,
            draft=answer.draft,
            text=answer.text,
            draft_tokens=answer.draft_tokens,
            tokens=answer.tokens,
            brief=answer.brief,
            model=_model(context),
            revision=revision,
            writing=None if answer.writing is None else dict(answer.writing),
        )


def _model(context: StageContext[PromptSettings]) -> str:
    """The language model that wrote; the backend's name where the model is only the generator, whose tokenizer counts."""
    parameters = context.parameters
    return parameters.backend if context.settings.counted_by is None else parameters.model
