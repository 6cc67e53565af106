"""Prompt: from the caption, the style and a brief to the text that the generator reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.results.stage_results import PromptRecord
from workers.backends.protocol import PromptRequest
from workers.errors import JobFault
from workers.stages.stage import Context, Prepared

if TYPE_CHECKING:
    from db.jobs.inputs import JobInput
    from workers.backends.protocol import PromptResult


class PromptStage:
    """Writes the prompt of one variation."""

    def prepare(self, work: JobInput, context: Context) -> Prepared:  # noqa: ARG002  # needs no picture
        """Gather the facts; artist and title are given to be kept out."""
        request = PromptRequest(
            caption=work.caption,
            style=work.style or "",
            artist=work.artist or "",
            title=work.title or "",
            level=work.level,
            seed=work.seed,
        )
        return Prepared(work=work, request=request)

    def finish(self, prepared: Prepared, answer: PromptResult, context: Context) -> PromptRecord:
        """Keep the prompt with its draft and both counts."""
        most = int(context.parameters.settings["max_tokens"])
        if not answer.text.strip() or answer.tokens > most:
            raise JobFault(FailureKind.DEGENERATE, f"the writer gave a prompt of {answer.tokens} tokens: 1 to {most} are allowed")
        return PromptRecord(
            job_id=prepared.work.job_id,
            draft=answer.draft,
            text=answer.text,
            draft_tokens=answer.draft_tokens,
            tokens=answer.tokens,
            brief=answer.brief,
            model=context.parameters.backend,
            revision=context.revision,
        )
