"""What is written in the TOML files of briefs keeps the rules that radical.toml states."""

# ruff: noqa: SIM905 - word lists read best as text

from __future__ import annotations

import itertools
import random
import re
from typing import TYPE_CHECKING

import pytest

from workers.backends.brief_sets import Family, brief_sets, choose_families
from workers.backends.caption_parsing import parse_caption
from workers.backends.contradictions import contradicts, stances
from workers.backends.phrases import NEEDS, SLOTS, Mentions, Phrase, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Words that put people, their bodies or their clothes into a picture.
PEOPLE = frozenset(
    "people person man men woman women child children boy girl baby lady figure figures face faces hand hands eye eyes mouth lips hair "
    "head heads body "
    "shoulder shoulders skin crowd everyone somebody someone witness witnesses passenger passengers travellers musicians dancers guest "
    "guests king queen "
    "emperor knight demigod demigods god gods goddess mortals envoy envoys builders folk peoples titan giant gesture gestures "
    "expression pose costume costumes "
    "clothing dress dresses cloak robe masks skeleton bones voices barefoot".split()
)
#: What no picture shows.
UNPAINTABLE = re.compile(r"\b(?:hum|smell|scent|silence|sound|voices?|music|noise|audible|echo(?:es)? of|taste|expectation)\b")
FAMILIES = [family for group in ("moderate", "radical") for family in brief_sets()[group]]
PEOPLE_SLOTS = {"person", "attire"}


def phrases(family: Family) -> Iterator[Phrase]:
    yield from (*family.briefs, *family.details, *family.finish)
    for words in family.words.values():
        yield from words


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_speaks_of_people_needs_people(family: Family) -> None:
    for phrase in phrases(family):
        told = set(re.findall("[a-z]+", re.sub(r"{\w+}", " ", phrase.text).lower()))
        if told & PEOPLE and "people" not in phrase.needs:
            # A slot for people needs them too.
            assert PEOPLE_SLOTS & {name for name, _ in phrase.slots}, phrase.text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_phrases_can_be_painted_and_their_slots_are_filled(family: Family) -> None:
    for phrase in phrases(family):
        assert not UNPAINTABLE.search(phrase.text), phrase.text
        assert {name for name, _ in phrase.slots} <= SLOTS | family.words.keys(), phrase.text
        assert phrase.needs <= NEEDS.keys()
        assert not re.search(r"[{}\[\]|]", plain_text(phrase)), phrase.text
        assert not contradicts(frozenset(), stances(plain_text(phrase))), phrase.text


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_brief_speaks_of_the_subject_and_closes_the_caption_with_a_comma(family: Family) -> None:
    for brief in family.briefs:
        assert {name for name, _ in brief.slots} & {"subject", "person", "animal"}, brief.text
        assert "{scene}," in brief.text or brief.text.endswith("{scene}"), brief.text
        assert re.search(r"(?:^|, |\bof ){scene}", brief.text), brief.text


def test_every_family_has_many_briefs_for_any_picture() -> None:
    mentions = Mentions(scene=parse_caption("a boat"))
    for families in brief_sets().values():
        suited = 0
        for family in families:
            briefs = [brief for brief in family.briefs if mentions.suit(brief)]
            fillings = sum(
                len(list(itertools.product(*(family.words[name] for name, _ in brief.slots if name not in SLOTS)))) for brief in briefs
            )
            suited += fillings >= 12
            assert len({detail.text for detail in family.details}) >= 6
        assert suited == len(families)


def test_slots_are_filled_with_the_parts_of_the_picture() -> None:
    mentions = Mentions(scene=parse_caption("two white birds sitting on a vase in a garden"))
    words = {"stuff": (Phrase(text="amber"),)}
    rng = random.Random(0)

    def fill(text: str) -> str:
        filled = mentions.fill(Phrase(text=text), words, rng)
        assert filled is not None
        mentions.note(filled)
        return filled.text

    assert fill("{subject} now [a|the] {noun} of {stuff}") == "the two white birds now the birds of amber"
    assert fill("{thing} beside {other}") == "the vase beside the garden"
    assert fill("{animal} with [its|their] shadow") == "two white birds with their shadow"
    assert fill("moss {where}, {subject} {action}") == "moss in the garden, the birds sitting on a vase in a garden"
    assert mentions.fill(Phrase(text="{water} rising"), words, rng) is None
    assert fill("{water:the ground} rising") == "the ground rising"
    assert not mentions.suit(Phrase(text="{person} alone"))
    assert not mentions.suit(Phrase(text="alone", needs=frozenset({"people"})))


def test_an_article_suits_the_word_that_fills_a_slot() -> None:
    words = {"mood": tuple(Phrase(text=word) for word in ("intimate", "tender", "one-eyed"))}
    family = Family(name="moods", briefs=(Phrase(text="in a {mood} mood"),), details=(), finish=(), words=words)
    rng = random.Random(0)
    drawn = {family.draw(rng, lambda _text: True) for _ in range(30)}
    assert drawn == {"in an intimate mood", "in a tender mood", "in a one-eyed mood"}


def test_a_brief_can_be_drawn_for_no_picture_in_particular() -> None:
    texts = {family.draw(random.Random(seed), lambda _text: True) for family in choose_families(["radical"]) for seed in range(20)}
    assert len(texts) > 100
    assert not any(re.search(r"[{}]|^,|, ,|,$", text) for text in texts)


@pytest.mark.parametrize(
    ("said", "more", "against"),
    [
        ("a village at night", "hard noon light", True),
        ("a village at night", "silver moonlight", False),
        ("a field in the snow", "high summer over dry grass", True),
        ("nearly monochrome", "acid greens against violet", True),
        ("seen from far above", "seen from the ground", True),
        ("a bowl of fruit", "hard noon light", False),
        ("", "day and night in one sky", True),
        ("a still life", "turbulent water", False),
    ],
)
def test_what_contradicts(said: str, more: str, against: bool) -> None:
    assert contradicts(stances(said), stances(more)) is against
