"""Briefs: what a level asks of a repaint, as families of sentences with slots. The texts are TOML files in `briefs/`, one a set.

A slot is filled with a part of the picture (`workers.backends.phrases`) or with a word of the family's own lists. What a phrase needs to be in
the picture stands in a table under the family, such as `[historical.people]`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from workers.backends.errors import BadRequest
from workers.backends.phrases import NEEDS, Filled, Mentions, Phrase

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: How often a brief is drawn anew because a word in it is not wanted.
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
        """One brief with its slots filled, an allowed one if any comes up; "" if the picture has nothing that any of them needs.

        Without `mentions` of a picture the slots are filled with "the subject" and its like.
        """
        drawn = self.draw_phrase(rng, lambda _phrase, text: allowed(text), mentions or Mentions.of_any_picture())
        return drawn[1].text if drawn else ""

    def draw_phrase(self, rng: random.Random, allowed: Callable[[Phrase, str], bool], mentions: Mentions) -> tuple[Phrase, Filled] | None:
        """One brief that the picture suits and that is allowed, and how it reads; None if none comes up."""
        suited = [brief for brief in self.briefs if mentions.suit(brief)]
        for _ in range(_DRAWS if suited else 0):
            brief = rng.choice(suited)
            filled = mentions.fill(brief, self.words, rng)
            if filled and allowed(brief, filled.text):
                return brief, filled
        return None

    @property
    def texts(self) -> tuple[str, ...]:
        """All its phrases with slots filled as for any picture, and all its words: what a tokenizer should know."""
        return (*self.phrases(), *(word.text for words in self.words.values() for word in words))

    def phrases(self) -> Iterator[str]:
        """Briefs, details and finishes with slots filled as for any picture; words of the family's lists are left out."""
        mentions = Mentions.of_any_picture()
        for phrase in (*self.briefs, *self.details, *self.finish):
            yield mentions.plain(phrase)


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
    keeps_style = tables.pop("keeps_style", False)
    finish = tables.pop("finish")
    groups = finish if isinstance(finish, dict) else {"": finish}
    finishes = tuple(
        Phrase.read(entry, axes=(axis,) if axis else (), needs=()) for axis, entries in groups.items() for entry in entries
    )
    return tuple(_family(name, table, finishes, keeps_style=keeps_style) for name, table in tables.items())


def _family(name: str, table: dict[str, Any], finish: tuple[Phrase, ...], *, keeps_style: bool) -> Family:
    """A family's table and those under it that say what their phrases need."""
    briefs: list[Phrase] = []
    details: list[Phrase] = []
    words: dict[str, tuple[Phrase, ...]] = {}
    for needs, section in _sections(table, ()):
        axes = tuple(section.get("axes", table.get("axes", ())))
        briefs += [Phrase.read(entry, axes=axes, needs=needs) for entry in section.get("briefs", ())]
        details += [Phrase.read(entry, axes=(), needs=needs) for entry in section.get("details", ())]
        for slot, entries in section.get("words", {}).items():
            words[slot] = (*words.get(slot, ()), *(Phrase.read(entry, axes=(), needs=needs) for entry in entries))
    return Family(
        name=name,
        briefs=tuple(briefs),
        details=tuple(details),
        finish=finish,
        words=words,
        restyles=table.get("restyles", False),
        keeps_style=table.get("keeps_style", keeps_style),
    )


def _sections(table: dict[str, Any], needs: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """A table and those under it, each with what it needs."""
    yield needs, table
    for need in NEEDS:
        if need in table:
            yield from _sections(table[need], (*needs, need))
