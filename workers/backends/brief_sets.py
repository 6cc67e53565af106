"""Briefs: what a level asks of a repaint, as families of sentences with slots. The texts are TOML files in `briefs/`, one a level."""

from __future__ import annotations

import re
import string
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from workers.backends.errors import BadRequest

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

#: How often a brief is drawn anew because a word in it is not wanted, before such briefs are looked for one by one.
_DRAWS = 20

#: An article that does not suit the word that was put after it.
_ARTICLE = re.compile(r"\ba (?=[aeio])(?!one\b|once\b|eu)")


@dataclass(frozen=True, kw_only=True)
class Family:
    """Briefs of one kind, such as "mythological", with details in the same key and finishes that go with any."""

    name: str
    briefs: tuple[str, ...]
    details: tuple[str, ...]
    finish: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    #: Whether its briefs name a style of their own, in place of the original's.
    restyles: bool = False

    def draw(self, rng: random.Random, allowed: Callable[[str], bool]) -> str:
        """One brief with its slots filled, allowed if any is that comes up."""
        text = self._fill(rng)
        for _ in range(_DRAWS):
            if allowed(text):
                break
            text = self._fill(rng)
        return text

    def draw_details(self, rng: random.Random, allowed: Callable[[str], bool]) -> list[str]:
        """Allowed details and finishes by turns, in a drawn order."""
        pairs = zip(rng.sample(self.details, len(self.details)), rng.sample(self.finish, len(self.finish)), strict=False)
        return [text for pair in pairs for text in pair if allowed(text)]

    def _fill(self, rng: random.Random) -> str:
        template = rng.choice(self.briefs)
        slots = [name for _, name, _, _ in string.Formatter().parse(template) if name]
        return _ARTICLE.sub("an ", template.format(**{name: rng.choice(self.words[name]) for name in slots}))


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
    finish = tuple(tables.pop("finish"))
    return tuple(
        Family(
            name=name,
            briefs=tuple(table["briefs"]),
            details=tuple(table["details"]),
            finish=finish,
            restyles=table.get("restyles", False),
            words={slot: tuple(words) for slot, words in table.get("words", {}).items()},
        )
        for name, table in tables.items()
    )
