from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from db.enums import FailureKind
from db.jobs.inputs import PromptInput
from db.results.stage_results import PromptRecord
from workers.backends.protocol import PromptRequest, PromptResult
from workers.backends.settings.base import CountedBy
from workers.errors import JobFault
from workers.stages.prompt import PromptStage

if TYPE_CHECKING:
    from workers.backends.settings.base import PromptSettings
    from workers.stages import StageContext

STAGE = PromptStage()
JOB = PromptInput(
    job_id=6,
    artwork_id=2,
    key="monet_lilies",
    caption="a pond",
    style="Impressionism",
    artist="Claude Monet",
    title="Lilies",
    level="radical",
    seed=99,
)


def answer(text: str = "a pond of glass", tokens: int = 4) -> PromptResult:
    return PromptResult(draft="a pond of glass, at dusk", text=text, draft_tokens=7, tokens=tokens, brief="material")


def test_the_writer_gets_the_facts_and_what_to_keep_out(prompt_context: StageContext[PromptSettings]) -> None:
    prepared = STAGE.prepare(JOB, prompt_context)

    assert prepared.request == PromptRequest(
        caption="a pond", style="Impressionism", artist="Claude Monet", title="Lilies", level="radical", seed=99
    )


def test_draft_text_both_counts_and_the_brief_are_kept(prompt_context: StageContext[PromptSettings]) -> None:
    prompt = STAGE.finish(STAGE.prepare(JOB, prompt_context), answer(), prompt_context, revision="abc123")

    assert prompt == PromptRecord(
        job_id=6,
        draft="a pond of glass, at dusk",
        text="a pond of glass",
        draft_tokens=7,
        tokens=4,
        brief="material",
        model="some-backend",
        revision="abc123",
    )


def test_a_prompt_of_just_the_allowed_length_is_kept(prompt_context: StageContext[PromptSettings]) -> None:
    assert STAGE.finish(STAGE.prepare(JOB, prompt_context), answer(tokens=75), prompt_context, revision="abc123").tokens == 75


@pytest.mark.parametrize("bad", [answer(tokens=76), answer(text=""), answer(text=" \n")])
def test_a_prompt_that_is_too_long_or_empty_is_degenerate(bad: PromptResult, prompt_context: StageContext[PromptSettings]) -> None:
    with pytest.raises(JobFault, match=r"degenerate output: a prompt of \d+ tokens, where 1 to 75 are allowed") as caught:
        STAGE.finish(STAGE.prepare(JOB, prompt_context), bad, prompt_context, revision="abc123")

    assert caught.value.kind is FailureKind.DEGENERATE


def test_how_a_language_model_came_to_it_is_kept_beside_the_prompt(prompt_context: StageContext[PromptSettings]) -> None:
    writing = {"writer": "chat", "asked": 2, "faults": ["meta"], "condensed": None, "fallback": False}
    settings = prompt_context.settings.model_copy(update={"counted_by": CountedBy(model="some/generator")})
    context = replace(prompt_context, settings=settings)

    prompt = STAGE.finish(STAGE.prepare(JOB, context), replace(answer(), writing=writing), context, revision="abc123")

    assert (prompt.writing, prompt.model) == (writing, "some/model")


def test_of_a_writer_without_a_model_nothing_is_kept_but_its_name(prompt_context: StageContext[PromptSettings]) -> None:
    prompt = STAGE.finish(STAGE.prepare(JOB, prompt_context), answer(), prompt_context, revision="abc123")

    assert (prompt.writing, prompt.model) == (None, "some-backend")
