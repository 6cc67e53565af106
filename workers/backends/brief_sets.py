"""Briefs: what a level asks of a repaint, as families of sentences with slots. The texts are TOML files in `briefs/`, one a set.

A slot is filled with a part of the picture (`workers.backends.phrases`) or with a word of the family's own lists. What a phrase needs to
be in
the picture is said by the table it stands in, such as `[historical.people]`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from workers.backends.errors import BadRequest
from workers.backends.phrases import NEEDS, Filled, Mentions, Phrase, plain_text

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: How often a brief is drawn anew because it is not wanted.
_DRAWS = 20


@dataclass(frozen=True, kw_only=True)
class Family:
    """Briefs of one kind, such as "mythological", with details in the same key and finishes that go with any."""

    name: str
    briefs: tuple[Phrase, ...]
    details: tuple[Phrase, ...]
    finish: tuple[Phrase, ...]
    words: Mapping[str, tuple[Phrase, ...]]
    #: Whether its briefs name a style of their own, in place of the original's.
    restyles: bool = False
    #: Whether prompts name the original's style; a brief may say otherwise.
    keeps_style: bool = False

    def draw(self, rng: random.Random, allowed: Callable[[str], bool], mentions: Mentions | None = None) -> str:
        """One brief by itself, without the caption's place in it; "" if no allowed one that suits the picture comes up.

        Without `mentions` of a picture it speaks of "the subject".
        """
        drawn = self.draw_phrase(rng, lambda _brief, filled: allowed(filled.text), mentions or Mentions.of_any_picture())
        return _alone(drawn[1].text) if drawn else ""

    def draw_phrase(
        self, rng: random.Random, allowed: Callable[[Phrase, Filled], bool], mentions: Mentions
    ) -> tuple[Phrase, Filled] | None:
        """One brief that suits the picture and is allowed, and how it reads; None if none comes up."""
        suited = [brief for brief in self.briefs if mentions.suit(brief)]
        for _ in range(_DRAWS if suited else 0):
            brief = rng.choice(suited)
            filled = mentions.fill(brief, self.words, rng)
            if filled and allowed(brief, filled):
                return brief, filled
        return None

    @property
    def phrases(self) -> tuple[str, ...]:
        """Its details and finishes as for any picture: "the subject half in shadow"."""
        return tuple(plain_text(phrase) for phrase in (*self.details, *self.finish))

    @property
    def texts(self) -> tuple[str, ...]:
        """All that it may say, word lists too, as for any picture: what a tokenizer should know."""
        words = (word.text for words in self.words.values() for word in words)
        return (*(plain_text(brief) for brief in self.briefs), *self.phrases, *words)


@cache
def brief_sets() -> Mapping[str, tuple[Family, ...]]:
    """All families by the name of their set: "moderate", "radical", "restyle"."""
    folder = resources.files("workers.backends") / "briefs"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): _read(file.read_text(encoding="utf-8")) for file in files}


def choose_families(names: Sequence[str]) -> tuple[Family, ...]:
    """The families of some sets, and single ones by name. Raises `BadRequest` for a name that is neither."""
    sets = brief_sets()
    families = {family.name: family for group in sets.values() for family in group}
    chosen: list[Family] = []
    for name in names:
        if name not in sets and name not in families:
            raise BadRequest(f"no briefs {name!r}: choose from {', '.join([*sets, *families])}")
        chosen.extend(sets.get(name) or (families[name],))
    if not chosen:
        raise BadRequest(f"no briefs are named: choose from {', '.join(sets)}")
    return tuple({family.name: family for family in chosen}.values())


def _read(text: str) -> tuple[Family, ...]:
    tables = tomllib.loads(text)
    keeps_style, finish, common = tables.pop("keeps_style", False), tables.pop("finish"), tables.pop("common", {})
    groups = finish if isinstance(finish, dict) else {"": finish}
    finishes = [Phrase.read(entry, axes=(axis,) if axis else (), needs=()) for axis, entries in groups.items() for entry in entries]
    shared = [phrase for needs, section in _sections(common, ()) for phrase in _phrases(section, "details", needs)]
    return tuple(_family(name, table, finish=tuple(finishes), shared=shared, keeps_style=keeps_style) for name, table in tables.items())


def _family(name: str, table: dict[str, Any], *, finish: tuple[Phrase, ...], shared: Sequence[Phrase], keeps_style: bool) -> Family:
    """A family's table with those under it."""
    briefs: list[Phrase] = []
    details: list[Phrase] = []
    words: dict[str, tuple[Phrase, ...]] = {}
    for needs, section in _sections(table, ()):
        briefs += _phrases(section, "briefs", needs, axes=tuple(section.get("axes", table.get("axes", ()))))
        details += _phrases(section, "details", needs)
        for slot, listed in section.get("words", {}).items():
            texts, axes = (listed["texts"], tuple(listed["axes"])) if isinstance(listed, dict) else (listed, ())
            words[slot] = (*words.get(slot, ()), *(Phrase.read(entry, axes=axes, needs=needs) for entry in texts))
    return Family(
        name=name,
        briefs=tuple(briefs),
        details=(*details, *shared),
        finish=finish,
        words=words,
        restyles=table.get("restyles", False),
        keeps_style=table.get("keeps_style", keeps_style),
    )


def _phrases(section: dict[str, Any], key: str, needs: tuple[str, ...], *, axes: tuple[str, ...] = ()) -> list[Phrase]:
    return [Phrase.read(entry, axes=axes, needs=needs) for entry in section.get(key, ())]


def _sections(table: dict[str, Any], needs: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """A table and those under it, each with what it needs."""
    yield needs, table
    for need in NEEDS:
        if need in table:
            yield from _sections(table[need], (*needs, need))


def _alone(brief: str) -> str:
    """A brief without the caption: "in relief, {scene}, the subject raised" as "in relief, the subject raised"."""
    text = brief.replace("of {scene}", "of the scene").replace("{scene}", "")
    return ", ".join(part.strip() for part in text.split(",") if part.strip())
