"""What a caption says is in a picture: its subject, the other parts, what is done and where. No model: word lists and the order of words.

Captioners write plain English: noun phrases joined by prepositions, "and" and participles. A noun phrase is taken to end where one of these
begins, its last word to be its noun. What is not understood is kept as text and named by nothing.
"""

# ruff: noqa: SIM905, RUF001 - word lists read best as text, and these marks are meant

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from workers.backends.caption_lexicon import (
    ADVERBS,
    AUXILIARIES,
    CONJUNCTIONS,
    DETERMINERS,
    GATHERINGS,
    NAMES,
    NO_PARTICIPLES,
    NUMBERS,
    PREPOSITIONS,
    PRONOUNS,
    VERBS,
    Kind,
    is_adjective,
    is_ordinary,
    is_plural,
    kind_of,
    singular,
)

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\s\w]|_")

#: How captioners begin before they describe anything.
_OPENING = re.compile(
    r"^(?:(?:this|that|there|it|here) (?:is|are) |it's )?(?:(?:an?|the) )?(?:(?!abstract\b)[\w-]+ ){0,2}?"
    r"(?:painting|picture|image|photo|photograph|artwork|print|rendering|depiction|illustration)s? "
    r"(?:of|showing|depicting|that shows) (?=\w)",
    re.IGNORECASE,
)
_THERE_IS = re.compile(r"^(?:there|this|it|here) (?:is|are|'s) (?=\w)|^it's (?=\w)", re.IGNORECASE)

#: Sorts of picture that are a picture of what follows "of" or "with".
_FRAMES = frozenset(
    "portrait view scene study still-life life sketch drawing painting picture image photo print depiction close-up closeup head".split()
)
_NO_PARTS = frozenset({Kind.NOTHING, Kind.MEDIUM, Kind.BODY, Kind.TIME})

#: What something can be in or at.
_PLACES = frozenset({Kind.LAND, Kind.WATER, Kind.BUILDING, Kind.ROOM, Kind.PLANT, Kind.SKY, Kind.VEHICLE})

#: A noun that is written in Latin letters: of others nothing is known.
_LATIN = re.compile(r"[a-zÀ-ɏ'’-]+")

#: Words for people that also stand before or in front of animals: "a mother bear", "a family of ducks".
_MODIFIERS = frozenset("baby mother father family couple crowd king queen lady boy girl".split())

#: Verbs that make a caption a sentence, with `AUXILIARIES`.
_FINITE = frozenset(
    "sits stands holds wears lies walks rides plays looks works rests sleeps leans reads sit stand hold wear ride depicts shows".split()
)

#: Words of a mention beside its article.
_MENTION = 3
_MOST_PARTS = 6
#: Words of "sitting on a bench in front of a house" at most.
_ACTION = 9
#: "Ring" and "sing" are no participles.
_SHORT_WORD = 4


@dataclass(frozen=True, kw_only=True)
class NounPhrase:
    """A noun phrase of a caption: something that can be seen in the picture."""

    #: As the caption says it: "two women", "a black hat".
    phrase: str
    #: Its noun as it stands: "women", "hat".
    noun: str
    kind: Kind
    plural: bool
    #: With the article of a thing that was named before: "the two women", "the black hat".
    definite: str
    #: Two nouns in one: "madonna and child".
    coordinated: bool = False

    @property
    def short(self) -> str:
        """The noun alone with its article: "the women"."""
        plain = self.definite.startswith("the ") and not self.coordinated and self.noun.casefold() not in NAMES
        return f"the {self.noun}" if plain else self.definite


@dataclass(frozen=True, kw_only=True)
class ParsedCaption:
    """What a caption shows."""

    #: The caption without "a painting of", on one line and without a full stop; may be empty.
    text: str
    #: Its parts in their order; the first is the subject.
    parts: tuple[NounPhrase, ...] = ()
    #: What the subject does: "sitting on a bench"; empty if nothing.
    action: str = ""
    #: Where that is: "in front of a house"; empty if it is not said.
    where: str = ""
    #: What any noun of the caption shows, parts or not.
    kinds: frozenset[Kind] = field(default_factory=frozenset)

    @property
    def subject(self) -> NounPhrase | None:
        """What the picture is of; None where nothing is understood."""
        return self.parts[0] if self.parts else None

    @cached_property
    def has_people(self) -> bool:
        """Whether people are certainly there."""
        return Kind.PERSON in self.kinds

    @property
    def is_name(self) -> bool:
        """Whether it names something, as "two boats on a lake" does, and is no sentence."""
        words = set(self.text.casefold().split())
        return bool(words) and not words & (AUXILIARIES | _FINITE)


def parse_caption(caption: str) -> ParsedCaption:
    """A cleaned caption as a `ParsedCaption`."""
    text = " ".join(caption.split()).strip(" ,;:.")
    text = _uncapitalised(_THERE_IS.sub("", _OPENING.sub("", text)).strip(" ,;:.") or text)
    words = _TOKEN.findall(text)
    lower = [word.casefold() for word in words]
    phrases = _noun_phrases(lower)
    parts: list[NounPhrase] = []
    last_resort: list[NounPhrase] = []
    kinds: set[Kind] = set()
    for start, end in _joined(phrases, lower):
        part = _part(words[start:end], lower[start:end])
        if part is None:
            continue
        kinds |= _kinds_of(lower[start:end], part)
        if part.kind not in _NO_PARTS and part.noun not in {known.noun for known in parts} and len(parts) < _MOST_PARTS:
            parts.append(part)
        elif part.kind is not Kind.NOTHING:
            last_resort.append(part)
    parts = parts or last_resort[:1]
    if not parts:
        return ParsedCaption(text=text, kinds=frozenset(kinds))
    action = _action(words, lower, phrases)
    return ParsedCaption(text=text, parts=tuple(_subject_first(parts)), action=action, where=_where(words, lower), kinds=frozenset(kinds))


def _kinds_of(words: list[str], part: NounPhrase) -> set[Kind]:
    """What the words of a noun phrase show; "a baby elephant" and "a couple of dogs" show nobody."""
    kinds = {kind for word in words if (kind := kind_of(word)) is not None and not (word in _MODIFIERS and part.kind is not Kind.PERSON)}
    return kinds | {part.kind}


def _uncapitalised(text: str) -> str:
    """A sentence as a clause: its first letter is small unless its word is a name or is written in capitals."""
    first = text.split(" ", 1)[0]
    return text[0].lower() + text[1:] if first and first[1:] == first[1:].lower() and is_ordinary(first) else text


def _noun_phrases(words: list[str]) -> list[tuple[int, int]]:
    """Begin and end of each run of words that belong to one noun."""
    found: list[tuple[int, int]] = []
    start = 0
    for at in range(len(words) + 1):
        if at == len(words) or _ends_phrase(words, start, at):
            if at > start:
                found.append((start, at))
            start = at if at < len(words) and _begins_phrase(words[at]) else at + 1
    return found


def _begins_phrase(word: str) -> bool:
    return word in DETERMINERS and word not in {"all", "both", "each", "that", "every"}


def _ends_phrase(words: list[str], start: int, at: int) -> bool:
    word = words[at]
    if not word[0].isalnum():
        return True
    if word == "and" and at > start and at + 1 < len(words):
        # "red and blue squares" is one phrase.
        return not (is_adjective(words[at - 1]) and is_adjective(words[at + 1]) and at + 2 < len(words) and not _is_break(words[at + 2]))
    if _is_break(word) or (_begins_phrase(word) and at > start):
        return True
    return _is_participle(words, start, at)


def _is_break(word: str) -> bool:
    return (
        word in PREPOSITIONS or word in CONJUNCTIONS or word in AUXILIARIES or word in PRONOUNS or word in ADVERBS or not word[0].isalnum()
    )


def _is_participle(words: list[str], start: int, at: int) -> bool:
    """Whether the word is something done, and no part of a noun phrase ("a sleeping cat", "a painted vase")."""
    word = words[at]
    after_noun = at > start and kind_of(words[at - 1]) is not None
    if word in {"painting", "drawing"} and after_noun:
        return kind_of(words[at - 1]) is Kind.PERSON
    following = words[at + 1] if at + 1 < len(words) else ""
    modifies = bool(following) and not _is_break(following) and following not in DETERMINERS and following not in NUMBERS
    if word.endswith("ed") and after_noun and not modifies and kind_of(word) is None and not is_adjective(word):
        return True
    if not (word in VERBS or (word.endswith("ing") and word not in NO_PARTICIPLES and len(word) > _SHORT_WORD)):
        return False
    before = words[start:at]
    opened = all(token in DETERMINERS or token in NUMBERS or is_adjective(token) for token in before)
    return not (modifies and opened and (before or is_plural(following)))


def _joined(phrases: list[tuple[int, int]], words: list[str]) -> list[tuple[int, int]]:
    """The phrases, with "a group of people" and "the birth of jesus" as one, and "madonna and child" too."""
    joined: list[tuple[int, int]] = []
    for start, end in phrases:
        if joined:
            first, last = joined[-1]
            between = words[last:start]
            head = words[last - 1]
            if between == ["of"] and not _is_frame(words[first:last]):
                joined[-1] = (first, end)
                continue
            if (
                between == ["and"]
                and words[start] not in DETERMINERS
                and words[start] not in NUMBERS
                and head in {"madonna", "virgin", "mother"}
            ):
                joined[-1] = (first, end)
                continue
        joined.append((start, end))
    return joined


def _is_frame(words: list[str]) -> bool:
    return words[-1] in _FRAMES or kind_of(words[-1]) in {Kind.MEDIUM, Kind.NOTHING, Kind.BODY}


def _part(words: list[str], lower: list[str]) -> NounPhrase | None:
    """A noun phrase as a part; None for one without a noun."""
    inner = [(word, key) for word, key in zip(words, lower, strict=True)]
    while inner and inner[0][1] in DETERMINERS and inner[0][1] not in {"many", "several"}:
        inner = inner[1:]
    while inner and inner[0][1] in {"a", "an"}:
        inner = inner[1:]
    if not inner:
        return None
    keys = [key for _, key in inner]
    head = keys.index("of") - 1 if "of" in keys else len(keys) - 1
    if head < 0:
        return None
    noun = keys[head]
    if head + 2 <= len(keys) - 1 and (singular(noun) in GATHERINGS):
        gathered = _gathering(inner, keys, head)
        if gathered is not None or kind_of(noun) is None:
            return gathered
    known = kind_of(noun)
    if known is None and (is_adjective(noun) or noun in NUMBERS or noun.isdigit() or noun in DETERMINERS | PRONOUNS):
        return None
    if not any(kind_of(key) is not None for key in keys) and (len(keys) >= _MENTION or not _LATIN.fullmatch(noun)):
        return None
    # "The birth of jesus" shows somebody, "the side of a house" a house.
    kind = known or next((found for found in map(kind_of, keys[head + 1 :]) if found is not None), Kind.OBJECT)
    if noun == "life" and "still" in keys:
        kind = Kind.MEDIUM
    coordinated = any(key == "and" and at and not is_adjective(keys[at - 1]) for at, key in enumerate(keys[: head + 1]))
    plural = (noun not in NAMES and is_plural(noun)) or coordinated
    mention = _mention([word for word, _ in inner], head)
    # "Venice" and "candlelight" have no article, nor had they one in the caption.
    bare = known is None and not plural and len(keys) == 1 and lower[0] not in DETERMINERS
    article = "" if keys[0] in NAMES or bare else "the "
    return NounPhrase(
        phrase=" ".join(words), noun=inner[head][0], kind=kind, plural=plural, definite=f"{article}{mention}", coordinated=coordinated
    )


def _gathering(inner: list[tuple[str, str]], keys: list[str], head: int) -> NounPhrase | None:
    """People, whatever they are counted in, as in "a group of people in hats"."""
    rest = inner[head + 2 :]
    part = _part([word for word, _ in rest], [key for _, key in rest])
    if part is None:
        return None
    phrase = " ".join(word for word, _ in inner)
    one = keys[head] in {"group", "crowd", "herd", "flock", "row", "pair", "pile", "bunch", "stack"}
    definite = f"the {keys[head]} of {part.definite.removeprefix('the ')}" if one else part.definite
    return NounPhrase(phrase=phrase, noun=part.noun, kind=part.kind, plural=True, definite=definite)


def _mention(words: list[str], head: int) -> str:
    """The words by which a thing is named again: its noun with up to two words before it, and what it is of."""
    lead = words[max(0, head + 1 - _MENTION) : head + 1]
    tail = words[head + 1 :]
    if tail and tail[0].casefold() == "of" and len(tail) <= _MENTION:
        return " ".join([*lead, *tail])
    return " ".join(lead if "and" not in words[: head + 1] else words[: head + 1])


def _subject_first(parts: list[NounPhrase]) -> list[NounPhrase]:
    """The parts as they come, unless what comes first is mere ground: then somebody who is there goes first."""
    if parts[0].kind in {Kind.SKY, Kind.ROOM} or parts[0].noun == "landscape":
        better = next((part for part in parts if part.kind in {Kind.PERSON, Kind.ANIMAL}), None)
        if better is not None:
            return [better, *(part for part in parts if part is not better)]
    return parts


def _action(words: list[str], lower: list[str], phrases: list[tuple[int, int]]) -> str:
    """The first participle with what belongs to it."""
    inside = {at for start, end in phrases for at in range(start, end)}
    for at in range(1, len(lower)):
        word = lower[at]
        if at in inside or not (word.endswith("ing") and word not in NO_PARTICIPLES and len(word) > _SHORT_WORD):
            continue
        end = at + 1
        while (
            end < len(lower) and end - at < _ACTION and lower[end][0].isalnum() and lower[end] not in CONJUNCTIONS | AUXILIARIES | {"with"}
        ):
            if end > at + 1 and lower[end].endswith("ing") and lower[end] not in NO_PARTICIPLES:
                break
            end += 1
        return _whole(words[at:end])
    return ""


def _where(words: list[str], lower: list[str]) -> str:
    """The first place that is named: a preposition and its noun phrase."""
    at = 1
    places = {
        "in",
        "on",
        "at",
        "near",
        "by",
        "under",
        "over",
        "beside",
        "behind",
        "along",
        "across",
        "through",
        "against",
        "inside",
        "among",
        "above",
        "next",
    }
    while at < len(lower):
        if lower[at] in places and lower[at - 1] != "dressed":
            end = at + 1
            if lower[at : at + 3] in (["in", "front", "of"], ["on", "top", "of"]):
                end = at + 3
            elif lower[at : at + 2] == ["next", "to"]:
                end = at + 2
            start = end
            while end < len(lower) and end - start < _MENTION + 1 and not _ends_phrase(lower, start, end):
                end += 1
            if end > start and kind_of(lower[end - 1]) in _PLACES:
                first = start + (lower[start] in DETERMINERS)
                return " ".join([*words[at:start], "the", *words[first:end]])
        at += 1
    return ""


def _whole(words: list[str]) -> str:
    """Words without those at the end that wait for another; empty if only one is left that needs an object."""
    kept = list(words)
    while kept and (
        kept[-1].casefold() in {"front", "top"}
        or kept[-1].casefold() in DETERMINERS | PREPOSITIONS | CONJUNCTIONS | AUXILIARIES
        or kept[-1].casefold() in NUMBERS
    ):
        kept.pop()
    return " ".join(kept)
