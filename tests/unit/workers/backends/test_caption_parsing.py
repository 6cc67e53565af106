# ruff: noqa: SIM905 - word lists read best as text

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.backends.caption_lexicon import Kind, is_ordinary, is_plural, kind_of
from workers.backends.caption_parsing import parse_caption


@pytest.mark.parametrize(
    ("caption", "parts"),
    [
        ("a painting of two women sitting on a bench in front of a house", ["the two women", "the bench", "the house"]),
        ("an abstract painting with red and blue squares", ["the red and blue squares"]),
        ("the birth of jesus in the forest", ["the birth of jesus", "the forest"]),
        ("a white bird sitting on a vase", ["the white bird", "the vase"]),
        ("madonna and child with two children", ["the madonna and child", "the two children"]),
        ("the women are working in the field with hay", ["the women", "the field", "the hay"]),
        ("a portrait of a man in a black hat", ["the man", "the black hat"]),
        ("still life with cockatoo on a table", ["the cockatoo", "the table"]),
        ("a bedroom with a bed, two chairs and a window", ["the bedroom", "the bed", "the two chairs", "the window"]),
        ("a group of people gathered around a table", ["the group of people", "the table"]),
        ("a bunch of grapes and a glass of wine on a tablecloth", ["the bunch of grapes", "the glass of wine", "the tablecloth"]),
        ("there are two men playing cards", ["the two men", "the cards"]),
        ("a sleeping cat on a red cushion", ["the sleeping cat", "the red cushion"]),
        ("a close up of the face of a woman", ["the woman"]),
        ("this is a drawing of a horse", ["the horse"]),
        ("an interior with a woman reading", ["the woman", "the interior"]),
        ("jesus walking on water", ["jesus", "the water"]),
        ("漢字", []),
        ("", []),
    ],
)
def test_the_parts_of_a_picture(caption: str, parts: list[str]) -> None:
    assert [part.definite for part in parse_caption(caption).parts] == parts


@pytest.mark.parametrize(
    ("caption", "people"),
    [
        ("a woman holding a child", True),
        ("three sailors on a raft", True),
        ("a crowd of people on a bridge", True),
        ("a drawing of a woman's face", True),
        ("the adoration of the magi", True),
        ("a mother bear with two cubs", False),
        ("a couple of dogs", False),
        ("a family of ducks on a pond", False),
        ("a portrait of a dog", False),
        ("boats in the water with a blue sky", False),
        ("an abstract composition", False),
        ("a hat on a chair", False),
    ],
)
def test_whether_people_are_there(caption: str, people: bool) -> None:
    assert parse_caption(caption).has_people is people


def test_what_is_done_and_where() -> None:
    scene = parse_caption("a painting of two women sitting on a bench in front of a house")
    assert (scene.action, scene.where) == ("sitting on a bench in front of a house", "in front of the house")
    assert parse_caption("trees in a field with grass").where == "in the field"
    assert parse_caption("two people embracing each other").action == "embracing each other"
    assert parse_caption("a man in a black hat").where == ""
    assert parse_caption("a painting of a building in the evening").action == ""


def test_numbers_and_kinds() -> None:
    scene = parse_caption("a horse and two dogs near a river with willows")
    assert [(part.kind, part.plural) for part in scene.parts] == [
        (Kind.ANIMAL, False), (Kind.ANIMAL, True), (Kind.WATER, False), (Kind.PLANT, True),
    ]  # fmt: skip
    assert [is_plural(word) for word in ("people", "women", "glass", "boats", "venus", "cactus")] == [True, True, False, True, False, False]
    assert [kind_of(word) for word in ("churches", "ladies", "geese", "xyzzy")] == [Kind.BUILDING, Kind.PERSON, Kind.ANIMAL, None]


def test_a_sentence_is_told_from_a_name() -> None:
    assert parse_caption("two boats on a lake").is_name
    assert not parse_caption("the women are working in a field").is_name
    assert parse_caption("A man on a horse.").text == "a man on a horse"


def test_ordinary_words_and_others() -> None:
    assert all(map(is_ordinary, "portrait of a man still life with flowers mother and child the gondolas".split()))
    assert not any(map(is_ordinary, "guernica 1913 haarlem viii cezanne".split()))


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=100),
        st.lists(st.sampled_from("a two women sitting on of and with bench red blue is , . jesus group people".split()), max_size=25).map(
            " ".join
        ),
    )
)
def test_any_caption_can_be_parsed_and_its_parts_are_its_words(caption: str) -> None:
    scene = parse_caption(caption)

    said = scene.text.casefold()
    for part in scene.parts:
        assert part.noun.casefold() in said
        assert all(word.casefold() in said for word in part.definite.removeprefix("the ").split())
