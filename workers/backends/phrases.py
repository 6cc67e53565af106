"""Phrases with slots, and what fills them: the parts of one picture, each mentioned in its turn."""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from workers.backends.caption_lexicon import MASS_NOUNS, Kind
from workers.backends.caption_parsing import NounPhrase, ParsedCaption

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

#: An article that does not suit the word that was put after it.
_ARTICLE = re.compile(r"\ba (?=[aeio])(?!one\b|once\b|eu)")

#: "[a passenger|passengers]": one or many.
_NUMBER = re.compile(r"\[([^|\[\]]*)\|([^|\[\]]*)\]")

#: A caption that is more than a name for something can not follow "of".
_BOUND_SCENE = re.compile(r"[^,\s] \{scene\}")

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
_KINDS = frozenset(Kind) - {Kind.NOTHING, Kind.MEDIUM, Kind.TIME}
_PLACES = (Kind.BUILDING, Kind.LAND, Kind.WATER, Kind.ROOM, Kind.PLANT)
_SAYINGS = frozenset({"scene", "action", "where"})

#: Slots that a picture fills; any other name is one of the family's word lists.
SLOTS = frozenset({*_SAYINGS, "subject", "noun", "thing", "other", "place", *_KINDS})

#: Parts that can be remade, lit or overgrown.
_THINGS = frozenset(_KINDS) - {Kind.SKY, Kind.BODY}

_ANYTHING = NounPhrase(phrase="a subject", noun="thing", kind=Kind.OBJECT, plural=False, definite="the subject")
#: The subject of a caption of which nothing is understood.
_WHOLE = NounPhrase(phrase="a scene", noun="scene", kind=Kind.OBJECT, plural=False, definite="the whole scene")

#: After so many mentions a part is named by its noun alone.
_FULL_MENTIONS = 3


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

    @cached_property
    def pieces(self) -> tuple[tuple[str, str, str], ...]:
        """Its text taken apart: what is said, the slot after it ("" for none), what stands there if the picture has none."""
        return tuple((literal, name or "", spec or "") for literal, name, spec, _ in string.Formatter().parse(self.text))

    @cached_property
    def slots(self) -> tuple[tuple[str, str], ...]:
        """The names of its slots, each with what stands there if the picture has none ("{place:the ground}")."""
        return tuple((name, spec) for _, name, spec in self.pieces if name)

    @cached_property
    def takes_names_alone(self) -> bool:
        """Whether the caption follows "of": a sentence can not."""
        return _BOUND_SCENE.search(self.text) is not None

    @classmethod
    def read(cls, entry: str | Mapping[str, Any], *, axes: tuple[str, ...], needs: tuple[str, ...]) -> Phrase:
        """From an entry of a TOML list: a text, or a table with `text`, `axes`, `needs` and `keeps_style`."""
        table: Mapping[str, Any] = {"text": entry} if isinstance(entry, str) else entry
        return cls(
            text=table["text"],
            needs=frozenset({*needs, *table.get("needs", ())}),
            axes=frozenset({*axes, *table.get("axes", ())}),
            keeps_style=table.get("keeps_style"),
        )


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A phrase with its slots filled: its text, which parts of the picture it names, and the aspects that it settles."""

    text: str
    named: tuple[str, ...] = ()
    axes: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class Mentions:
    """The parts of a picture as a prompt comes to speak of them: what was named least is named next."""

    scene: ParsedCaption
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of_any_picture(cls) -> Mentions:
        """What to fill slots with where there is no caption: "the subject"."""
        return cls(scene=ParsedCaption(text="the subject", parts=(_ANYTHING,), kinds=frozenset(Kind) - {Kind.PERSON, Kind.ANIMAL}))

    @property
    def subject(self) -> NounPhrase:
        """What the picture is of, or the whole of it."""
        return self.scene.subject or _WHOLE

    def suit(self, phrase: Phrase) -> bool:
        """Whether the picture has what a phrase needs and names."""
        if any(not set(NEEDS[need]) & self.scene.kinds for need in phrase.needs):
            return False
        if phrase.takes_names_alone and not self.scene.is_name:
            return False
        taken: list[str] = []
        for name, spec in phrase.slots:
            if name in SLOTS and name != "scene":
                part = self._part(name, taken)
                if not (part or spec or (name in _SAYINGS and getattr(self.scene, name))):
                    return False
                taken += [part.noun] if part else []
        return True

    def news(self, phrase: Phrase) -> int:
        """How many parts that were not yet spoken of it would name, and more than one part counts as well."""
        parts = [part for name, _ in phrase.slots if name in SLOTS and (part := self._part(name, ()))]
        return sum(1 for part in parts if not self.counts[part.noun])

    def fill(self, phrase: Phrase, words: Mapping[str, tuple[Phrase, ...]], rng: random.Random) -> Filled | None:
        """The phrase with its slots filled, "{scene}" left as it is; None if one can not be."""
        axes = set(phrase.axes)
        named: list[str] = []
        plural = self.subject.plural
        pieces: list[str] = []
        for literal, name, spec in phrase.pieces:
            pieces.append(_choose(literal, plural=plural))
            if not name:
                continue
            if name not in SLOTS:
                suited = [word for word in words.get(name, ()) if self.suit(word)]
                if not suited:
                    return None
                word = rng.choice(suited)
                axes |= word.axes
                pieces.append(word.text)
                continue
            part = self._part(name, named)
            if part is not None:
                plural = part.plural
                named.append(part.noun)
            filling = self._saying(name) or (self._mention(part, name) if part else spec)
            if not filling:
                return None
            pieces.append(filling)
        text = _ARTICLE.sub("an ", " ".join("".join(pieces).split()))
        return Filled(text=text, named=tuple(named), axes=frozenset(axes))

    def note(self, filled: Filled) -> None:
        """What a phrase names counts as named."""
        self.counts.update(filled.named)

    def _saying(self, name: str) -> str:
        if name == "scene":
            return "{scene}"
        return str(getattr(self.scene, name)) if name in _SAYINGS else ""

    def _mention(self, part: NounPhrase, slot: str) -> str:
        if slot == "noun":
            # "Jesus" and "water" can not be "a jesus" and "a water".
            nameable = part.definite.startswith("the ") and part.noun not in MASS_NOUNS
            return (part.definite.removeprefix("the ") if part.coordinated else part.noun) if nameable else ""
        text = part.definite if self.counts[part.noun] < _FULL_MENTIONS else part.short
        # "Mist between boats and water": clauses of a prompt need no article for many.
        return text.removeprefix("the ") if part.plural and slot != "subject" and not text.startswith("the group") else text

    def _part(self, name: str, taken: list[str] | tuple[str, ...]) -> NounPhrase | None:
        """The part that a slot takes: of those that suit it the one named least; None for a slot that takes none."""
        parts = self.scene.parts
        if name in {"subject", "noun"}:
            return self.subject
        if name == "thing":
            suited = [part for part in parts if part.kind in _THINGS]
            if not suited and self.subject.kind not in {Kind.SKY, Kind.BODY, Kind.TIME}:
                suited = [self.subject]
        elif name == "other":
            suited = [part for part in parts[1:] if part.kind in _THINGS]
        elif name == "place":
            suited = [part for part in parts[1:] if part.kind in _PLACES]
        else:
            suited = [part for part in parts if part.kind == name]
        free = [part for part in suited if part.noun not in taken]
        return min(free, key=lambda part: self.counts[part.noun]) if free else None


def plain_text(phrase: Phrase) -> str:
    """A phrase as for any picture, with "the subject" in the picture's slots and nothing in those of word lists."""
    texts = (_choose(literal, plural=False) + ("the subject" if name in SLOTS else "") for literal, name, _ in phrase.pieces)
    return " ".join("".join(texts).split())


def _choose(literal: str, *, plural: bool) -> str:
    return _NUMBER.sub(r"\2" if plural else r"\1", literal)
