from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[3] / "benchmarks" / "prompt_quality.py"


@pytest.fixture(scope="module")
def quality() -> Any:
    spec = importlib.util.spec_from_file_location("prompt_quality", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["prompt_quality"] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def count(text: str) -> int:
    return len(text.replace(",", " ,").split())


def test_grounded_tokens_are_words_of_the_caption_and_never_the_styles(quality: Any) -> None:
    caption = "two boats on a red river"
    text = "the boat, red sails, in the manner of red river boats, glass"
    written = quality.Written(caption=caption, text=text, tokens=count(text))

    found = quality.measure([[written]], count, limit=10)

    # "boat" and "red" of fifteen tokens.
    assert found["grounded"] == pytest.approx(2 / count(text))
    assert found["tokens"]["above_limit"] == 1


@pytest.mark.parametrize(
    ("caption", "text", "words"),
    [
        ("a bowl of fruit", "a bowl with many faces", {"faces"}),
        ("a woman with fruit", "a bowl with many faces", set()),
        ("a hand on a table", "a hand of glass", set()),
    ],
)
def test_people_where_there_are_none(quality: Any, caption: str, text: str, words: set[str]) -> None:
    assert quality.people_words(quality.Written(caption=caption, text=text, tokens=1)) == words


def test_contradictions_and_artists(quality: Any) -> None:
    assert quality.contradictions("hard noon light, a night sky") == [("noon", "night sky")]
    assert quality.contradictions("hard noon light, cold rain") == []
    assert quality.artists(quality.Written(caption="", text="a cow by karl weber", tokens=1, maker="karl weber")) == {"karl weber"}
    assert quality.artists(quality.Written(caption="", text="a field like monet's, monet", tokens=1)) == {"monet"}


def test_varied_prompts_have_many_distinct_ngrams_and_little_self_bleu(quality: Any) -> None:
    def of(texts: list[str]) -> dict[str, Any]:
        groups = [[quality.Written(caption="", text=text, tokens=count(text))] for text in texts]
        found: dict[str, Any] = quality.measure(groups, count, limit=75)
        return found

    same, other = (
        of(["a red boat on a lake"] * 4),
        of(["a red boat on one lake", "two grey owls asleep", "snow over old roofs", "bread beside the knife"]),
    )

    assert same["self_bleu"] == pytest.approx(1)
    assert other["self_bleu"] < 0.3
    assert same["distinct"][1] < 0.3 < other["distinct"][1]
    assert (same["opening"], same["identical"]) == (["a red", 1.0], 3)
