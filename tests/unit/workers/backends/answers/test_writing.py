"""From requests to prompts, whatever a model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from workers.backends.answers import AnswerFault, ChatAnswer, write_prompts
from workers.backends.compose import compose
from workers.backends.protocol import PromptRequest
from workers.backends.settings import ChatSettings, CountedBy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.backends.answers import Conversation
    from workers.backends.protocol import PromptResult

GOOD = "a lighthouse of green glass, neon rain over copper roofs, lanterns in low fog"
LONG = ", ".join(f"a tower of green glass number {number}" for number in range(20))


def count(text: str) -> int:
    return len(text.replace(",", " ,").split())


def request(seed: int = 1, **facts: str) -> PromptRequest:
    known = {"caption": "a harbour with boats", "style": "Post_Impressionism", "artist": "Berthe Morisot", "title": "Lorient"}
    return PromptRequest(**{**known, **facts}, level="radical", seed=seed)


def settings(**changed: Any) -> ChatSettings:
    return ChatSettings(max_tokens=75, target_tokens=55, brief_set=("radical",), counted_by=CountedBy(model="generator"), **changed)


class Model:
    """Answers one after the other; the last one again and again."""

    def __init__(self, *answers: str | ChatAnswer) -> None:
        self.answers = [ChatAnswer(text=answer) if isinstance(answer, str) else answer for answer in answers]
        self.asked: list[Conversation] = []

    def __call__(self, conversations: Sequence[Conversation], /) -> list[ChatAnswer]:
        self.asked.extend(conversations)
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0] for _ in conversations]


def write(model: Model, *requests: PromptRequest, summarise: Callable[[str], str] | None = None, **changed: Any) -> list[PromptResult]:
    return write_prompts(requests or [request()], model, count, settings(**changed), writer="chat", summarise=summarise)


def writing(result: PromptResult) -> dict[str, Any]:
    assert result.writing is not None
    return dict(result.writing)


def test_a_good_answer_is_the_prompt() -> None:
    (result,) = write(Model(f'Sure, here is it:\n\n"{GOOD}."'))

    assert (result.text, result.draft, result.tokens) == (GOOD, GOOD, count(GOOD))
    assert writing(result) == {"writer": "chat", "asked": 1, "faults": [], "condensed": None, "fallback": False}


def test_the_model_is_told_caption_style_and_brief_and_neither_artist_nor_title() -> None:
    model = Model(GOOD)
    (result,) = write(model, request(caption="a harbour by Berthe Morisot with boats"))

    (message,) = model.asked[0].messages
    assert message.role == "user"
    assert "a harbour with boats" in message.content
    assert "Post Impressionism" in message.content
    assert "Morisot" not in message.content
    assert "75 tokens" in message.content
    assert result.brief


def test_own_instructions_stand_in_place_of_the_shipped_ones() -> None:
    model = Model(GOOD)
    write(model, instructions="Paint {caption} as {brief} in {words} words.")

    assert model.asked[0].messages[0].content.startswith("Paint a harbour with boats as ")


def test_a_bad_answer_is_asked_again_with_the_reason_and_another_seed() -> None:
    model = Model("Transform the harbour into glass", GOOD)
    (result,) = write(model)

    first, second = model.asked
    assert [message.role for message in second.messages] == ["user", "assistant", "user"]
    assert "talks about the task" in second.messages[2].content
    assert second.seed != first.seed
    assert result.text == GOOD
    assert writing(result) == {"writer": "chat", "asked": 2, "faults": ["meta"], "condensed": None, "fallback": False}


def test_a_model_that_named_an_artist_is_not_told_the_name() -> None:
    model = Model("boats in the style of Berthe Morisot, all of brass", GOOD)
    write(model)

    assert "Morisot" not in model.asked[1].messages[2].content


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("I'm sorry, I can't help with that.", "refusal"),
        ("", "empty"),
        ("a harbour with boats", "caption"),
        ("boats of brass in the style of Claude Monet", "named"),
        (ChatAnswer(text='{"prompt": "a lighthouse of green', finished=False), "unfinished"),
        (ChatAnswer(text="a lighthouse of green glass and", finished=False), "unfinished"),
        (ChatAnswer(fault=AnswerFault.REFUSAL), "refusal"),
    ],
)
def test_a_model_that_never_gives_a_prompt_is_replaced_by_the_writer_without_one(answer: str | ChatAnswer, fault: str) -> None:
    model = Model(answer)
    (result,) = write(model, ask_again=2)

    composed = compose(request(), count, settings())
    assert (result.text, result.draft, result.tokens, result.brief) == (composed.text, composed.draft, composed.tokens, composed.brief)
    assert writing(result) == {"writer": "chat", "asked": 3, "faults": [fault] * 3, "condensed": None, "fallback": True}
    assert len(model.asked) == 3


def test_what_a_service_refuses_is_not_asked_again() -> None:
    model = Model(ChatAnswer(fault=AnswerFault.REFUSED))
    (result,) = write(model, ask_again=5)

    assert len(model.asked) == 1
    assert writing(result)["faults"] == ["refused-by-service"]
    assert writing(result)["fallback"]


def test_only_those_that_need_it_are_asked_again() -> None:
    model = Model(GOOD, "", f"{GOOD}, at dusk", f"{GOOD}, at dawn")
    results = write(model, request(1), request(2), request(3))

    assert [writing(result)["asked"] for result in results] == [1, 2, 1]
    assert len({result.text for result in results}) == 3
    assert len(model.asked) == 4


def test_two_artworks_of_a_batch_do_not_get_the_same_prompt() -> None:
    results = write(Model(GOOD, GOOD, f"{GOOD}, at dusk"), request(1), request(2))

    assert [result.text for result in results] == [GOOD, f"{GOOD}, at dusk"]
    assert writing(results[1])["faults"] == ["repeated"]


def test_a_prompt_that_is_too_long_is_asked_for_again() -> None:
    model = Model(LONG, GOOD)
    (result,) = write(model)

    assert f"It has {count(LONG)} tokens, and 75 is the most." in model.asked[1].messages[2].content
    assert (result.text, result.draft, result.draft_tokens) == (GOOD, LONG, count(LONG))
    assert writing(result) == {"writer": "chat", "asked": 2, "faults": ["too-long"], "condensed": "asked", "fallback": False}


def test_one_that_stays_too_long_is_summarised_where_there_is_a_summariser() -> None:
    (result,) = write(Model(LONG), summarise=lambda text: GOOD if text == LONG else "")

    assert (result.text, result.draft) == (GOOD, LONG)
    assert writing(result)["condensed"] == "summarised"


@pytest.mark.parametrize("summarise", [None, lambda text: text, lambda _: "Create a summary of boats"])
def test_else_its_last_clauses_are_dropped(summarise: Callable[[str], str] | None) -> None:
    (result,) = write(Model(LONG), summarise=summarise)

    assert LONG.startswith(result.text)
    assert 60 <= result.tokens <= 75
    assert writing(result) == {"writer": "chat", "asked": 3, "faults": ["too-long"] * 3, "condensed": "dropped", "fallback": False}


def test_one_clause_without_an_end_falls_back() -> None:
    (result,) = write(Model(" ".join(f"tower{number}" for number in range(200))))

    assert writing(result)["fallback"]
    assert result.tokens <= 75


def test_equal_requests_give_equal_prompts() -> None:
    batch = [request(seed) for seed in range(6)]

    assert write(Model("", GOOD), *batch) == write(Model("", GOOD), *batch)


def test_an_empty_batch_asks_nothing() -> None:
    model = Model(GOOD)

    assert write_prompts([], model, count, settings(), writer="chat") == []
    assert model.asked == []
