"""Phrases with slots, and what fills them: the parts of one picture, each mentioned in its turn."""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from workers.backends.caption_lexicon import Kind
from workers.backends.caption_parsing import Part, Scene

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

#: An article that does not suit the word that was put after it.
_ARTICLE = re.compile(r"\ba (?=[aeio])(?!one\b|once\b|eu)")

#: "[a passenger|passengers]": by the number of the subject.
_NUMBER = re.compile(r"\[([^|\[\]]*)\|([^|\[\]]*)\]")

#: What a table under a family asks to be in the picture.
NEEDS: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "people": (Kind.PERSON,),
        "animals": (Kind.ANIMAL,),
        "buildings": (Kind.BUILDING,),
        "water": (Kind.WATER,),
        "plants": (Kind.PLANT,),
        "sky": (Kind.SKY,),
        "outdoors": (Kind.SKY, Kind.LAND, Kind.WATER, Kind.BUILDING, Kind.VEHICLE),
    }
)

#: Slots that take a part of some kind; the names are those of the kinds.
_KINDS = frozenset(Kind) - {Kind.NOTHING, Kind.MEDIUM}
_PLACES = (Kind.BUILDING, Kind.LAND, Kind.WATER, Kind.ROOM, Kind.PLANT)

#: Slots that a picture fills; any other name is one of the family's word lists.
SLOTS = frozenset({"scene", "subject", "thing", "other", "place", "action", "where", *_KINDS})

#: Parts that can be remade, lit or overgrown.
_THINGS = frozenset(_KINDS) - {Kind.SKY, Kind.BODY}

_ANYTHING = Part(phrase="a subject", noun="subject", kind=Kind.OBJECT, plural=False, definite="the subject")
#: The subject of a caption of which nothing is understood.
_WHOLE = Part(phrase="a scene", noun="scene", kind=Kind.OBJECT, plural=False, definite="the whole scene")


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A clause of a prompt with slots."""

    text: str
    #: What has to be in the picture: keys of `NEEDS`.
    needs: frozenset[str] = frozenset()
    #: Aspects that it settles, such as "light": no two phrases of a prompt settle the same one.
    axes: frozenset[str] = frozenset()
    #: Whether the original's style is named beside it; None leaves that to the family.
    keeps_style: bool | None = None

    @property
    def slots(self) -> tuple[tuple[str, str], ...]:
        """The names of its slots, each with what stands there if the picture has none ("{place:the ground}")."""
        return tuple((name, spec or "") for _, name, spec, _ in string.Formatter().parse(self.text) if name)

    @classmethod
    def read(cls, entry: str | Mapping[str, Any], *, axes: tuple[str, ...], needs: tuple[str, ...]) -> Phrase:
        """From an entry of a TOML list: a text, or a table with `text`, `axes`, `needs` and `keeps_style`."""
        table = {"text": entry} if isinstance(entry, str) else entry
        return cls(
            text=table["text"],
            needs=frozenset({*needs, *table.get("needs", ())}),
            axes=frozenset({*axes, *table.get("axes", ())}),
            keeps_style=table.get("keeps_style"),
        )


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A phrase with its slots filled, and which parts of the picture it names."""

    text: str
    named: tuple[str, ...]


@dataclass(kw_only=True)
class Mentions:
    """The parts of a picture as a prompt comes to speak of them: what was named least is named next."""

    scene: Scene
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of_any_picture(cls) -> Mentions:
        """What to fill slots with where there is no caption: "the subject"."""
        return cls(scene=Scene(text="the subject", parts=(_ANYTHING,), kinds=frozenset(Kind)))

    def suit(self, phrase: Phrase) -> bool:
        """Whether the picture has what a phrase needs and names."""
        if any(not set(NEEDS[need]) & self.scene.kinds for need in phrase.needs):
            return False
        return all(spec or name not in SLOTS or self._filling(name, frozenset()) for name, spec in phrase.slots)

    def news(self, phrase: Phrase) -> int:
        """How many parts that were not yet spoken of it would name."""
        return sum(1 for name, _ in phrase.slots if (key := self._key(name)) and not self.counts[key])

    def fill(self, phrase: Phrase, words: Mapping[str, tuple[Phrase, ...]], rng: random.Random) -> Filled | None:
        """The phrase with its slots filled, "{scene}" left as it is; None if one can not be."""
        chosen: dict[str, str] = {}
        named: list[str] = []
        for name, spec in phrase.slots:
            if name not in SLOTS:
                suited = [word for word in words.get(name, ()) if self.suit(word)]
                if not suited:
                    return None
                chosen[name] = rng.choice(suited).text
            elif name != "scene":
                filling = self._filling(name, frozenset(named)) or spec
                if not filling:
                    return None
                named.append(self._key(name, frozenset(named)))
                chosen[name] = filling
        text = self._finish(phrase.text, lambda name: chosen.get(name, f"{{{name}}}"))
        return Filled(text=text, named=tuple(key for key in named if key))

    def note(self, filled: Filled) -> None:
        """What a phrase named counts as named."""
        self.counts.update(filled.named)

    def plain(self, phrase: Phrase) -> str:
        """The phrase with words like "the subject" in the slots of the picture, and without the words of lists."""
        return self._finish(phrase.text, lambda name: self._filling(name, frozenset()) or "the subject" if name in SLOTS else "")

    def _finish(self, template: str, value: Callable[[str], str]) -> str:
        text = "".join(
            literal + (value(name) if name else "") for literal, name, _, _ in string.Formatter().parse(template)
        )
        subject = self.scene.subject
        text = _NUMBER.sub(r"\2" if subject is not None and subject.plural else r"\1", text)
        return _ARTICLE.sub("an ", " ".join(text.split()))

    def _filling(self, name: str, taken: frozenset[str]) -> str:
        if name == "scene":
            return self.scene.text
        if name in {"action", "where"}:
            return str(getattr(self.scene, name))
        part = self._part(name, taken)
        if part is None:
            return ""
        return part.short if self.counts[part.noun] > 1 else part.definite

    def _key(self, name: str, taken: frozenset[str] = frozenset()) -> str:
        """Under what a slot's filling is counted."""
        if name in {"action", "where"}:
            return name if getattr(self.scene, name) else ""
        part = self._part(name, taken) if name in SLOTS and name != "scene" else None
        return part.noun if part else ""

    def _part(self, name: str, taken: frozenset[str]) -> Part | None:
        """The part that a slot takes: of those that suit it the one named least."""
        parts = self.scene.parts or (_WHOLE,)
        if name == "subject":
            return parts[0]
        if name == "thing":
            suited = [part for part in parts if part.kind in _THINGS] or list(parts[:1])
        elif name == "other":
            suited = [part for part in parts[1:] if part.kind in _THINGS]
        elif name == "place":
            suited = [part for part in parts[1:] if part.kind in _PLACES]
        else:
            suited = [part for part in parts if part.kind == name]
        free = [part for part in suited if part.noun not in taken]
        return min(free, key=lambda part: self.counts[part.noun]) if free else None
