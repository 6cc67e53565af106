from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import FailureKind
from db.jobs.inputs import JobInput
from db.results.stage_results import PromptRecord
from workers.backends.protocol import PromptRequest, PromptResult
from workers.errors import JobFault
from workers.stages.prompt import PromptStage

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.stages import Context

    MakeContext = Callable[..., Context]

STAGE = PromptStage()
WORK = JobInput(
    job_id=6, artwork_id=2, caption="a pond", style="Impressionism", artist="Claude Monet", title="Lilies", level="radical", seed=99
)


def answer(text: str = "a pond of glass", tokens: int = 4) -> PromptResult:
    return PromptResult(draft="a pond of glass, at dusk", text=text, draft_tokens=7, tokens=tokens, brief="material")


def test_the_writer_gets_the_facts_and_what_to_keep_out(context: MakeContext) -> None:
    prepared = STAGE.prepare(WORK, context())

    assert prepared.request == PromptRequest(
        caption="a pond", style="Impressionism", artist="Claude Monet", title="Lilies", level="radical", seed=99
    )


def test_facts_that_nobody_knows_are_empty(context: MakeContext) -> None:
    prepared = STAGE.prepare(JobInput(job_id=1, artwork_id=1, caption="a pond"), context())

    assert (prepared.request.style, prepared.request.artist, prepared.request.title) == ("", "", "")


def test_draft_text_both_counts_and_the_brief_are_kept(context: MakeContext) -> None:
    around = context(max_tokens=75)

    prompt = STAGE.finish(STAGE.prepare(WORK, around), answer(), around)

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


def test_a_prompt_of_just_the_allowed_length_is_kept(context: MakeContext) -> None:
    around = context(max_tokens=75)

    assert STAGE.finish(STAGE.prepare(WORK, around), answer(tokens=75), around).tokens == 75


@pytest.mark.parametrize("bad", [answer(tokens=76), answer(text=""), answer(text=" \n")])
def test_a_prompt_that_is_too_long_or_empty_is_degenerate(bad: PromptResult, context: MakeContext) -> None:
    around = context(max_tokens=75)

    with pytest.raises(JobFault, match="1 to 75 are allowed") as caught:
        STAGE.finish(STAGE.prepare(WORK, around), bad, around)

    assert caught.value.kind is FailureKind.DEGENERATE
