"""A captioner's sentence made fit to keep: no invented artist, no stammer, no half sentence, one line.

Captioners trained on web texts end a caption in the name of a painter who has nothing to do with the picture ("by george grosz", about 7 %
of captions of WikiArt by BLIP-2), say a phrase again until their tokens are spent, or stop in the middle of one. The rules look at words
alone: after "by", an article or a word of ordinary captions ("by the sea", "by candlelight") is a place, anything else is a name.
"""

# ruff: noqa: SIM905, SIM114, RUF001 - word lists read best as text, one case a branch, and these marks are meant

from __future__ import annotations

import re

from workers.backends.caption_lexicon import DETERMINERS, PREPOSITIONS, is_function_word, is_ordinary, is_plural
from workers.backends.redaction import without_known_artists

#: What models leave in a text that is none: special tokens, and BLIP's own word for nothing.
_DEBRIS = re.compile(
    r"<[^<>]{0,20}>|\[(?:unk|pad|sep|cls)\]|\b(?:arafed|arafe|araffe|araffes|arafes|araf)\b(?: (?:image|photo|picture) of)?", re.IGNORECASE
)

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*\.?(?<!\.)|[^\s\w]|_", re.UNICODE)

#: Verbs of making: "painted by" and "by" lead up to a maker alike.
_MAKING = frozenset(
    "painted drawn made created designed done illustrated etched engraved sculpted photographed signed inspired sketched printed composed "
    "produced rendered taken attributed written artwork work painting drawing print portrait illustration".split()
)
_MAKERS = frozenset(
    "artist artists painter painters photographer sculptor illustrator engraver designer master person unknown anonymous".split()
)
_MAKER_GROUPS = frozenset("school circle workshop studio follower followers brothers school master hand".split())

#: Participles without -ed after which "by" leads up to what acts.
_ACTED_ON = frozenset(
    "held lit seen led hidden overgrown sunk broken caught ridden driven thrown carried fed blown bitten built bound swept cut worn "
    "shown framed".split()
)

#: Places and ways that stand after "by" without an article and are no nouns of the lexicon.
_BY_PLACES = frozenset(
    "candlelight lamplight firelight fireside roadside lakeside riverside waterside daylight starlight hand sea foot bus rail nature "
    "itself".split()
)

_PARTICLES = frozenset("van von der den de del della di da do dos du la le les el al bin ibn zu ten ter y the e und of st saint".split())

#: "in the style of", "after", "titled" and what follows, to the next clause.
_STYLE_OF = re.compile(
    r"[,;]?\s*\b(?:in|with|using) (?:the |a )?(?:style|manner|fashion|vein|spirit|tradition)s? (?:of|similar to)\b"
    r"(?:(?!\s(?:with|featuring|showing|depicting|on|in)\s)[^,;.])*",
    re.IGNORECASE,
)
_TITLED = re.compile(
    r"[,;]?\s*\b(?:titled|entitled|with the title|(?<=painting )called|(?<=picture )called|(?<=artwork )called)\b[^,;.]*", re.IGNORECASE
)

#: How many words a maker's name has at most.
_NAME_LENGTH = 6

_DANGLING = (
    DETERMINERS
    | PREPOSITIONS
    | frozenset("and or but while as that which who whose whom where when than is are was were be being has have its it's".split())
    | frozenset("holding wearing carrying showing depicting containing using featuring".split())
) - frozenset(
    "down up out off inside outside above below behind another each other all both many several one near around before after".split()
)

#: Words that may follow themselves, or themselves and "and".
_DOUBLES = frozenset("more over again round on up out through very so and two side".split())

_LONGEST_REPEAT = 12
#: What may stand between a phrase and its repetition; the first two between a word and itself as well.
_GLUES: tuple[list[str], ...] = ([], ["and"], ["or"], ["with"], ["of"])
#: Taking something out can bring together what repeats or dangles.
_PASSES = 50


def clean_caption(text: str) -> str:
    """The caption without its faults; may be empty.

    A caption without any comes back as it is, on one line; cleaning again changes nothing.
    """
    line = _DEBRIS.sub(" ", " ".join("".join(letter if letter.isprintable() else " " for letter in text).split()))
    line = " ".join(line.split())
    for _ in range(_PASSES):
        cleaned = _without_half_sentence(_without_repeats(_without_makers(line)))
        if cleaned == line:
            break
        line = cleaned
    return line


def _without_makers(text: str) -> str:
    """Without what names who made the picture, its style's namesake or its title."""
    text = _tidy(_TITLED.sub("", _STYLE_OF.sub("", text)))
    for word in ("by", "after", "from"):
        text = _without_maker_after(text, word)
    return without_known_artists(text)


def _without_maker_after(text: str, lead: str) -> str:
    at = 0
    while found := re.compile(rf"(?<![\w'’-]){lead}(?![\w'’-])", re.IGNORECASE).search(text, at):
        before, after = text[: found.start()], text[found.end() :]
        length = _maker_length(before, after, lead)
        if not length:
            at = found.end()
            continue
        text = _tidy(f"{_without_making(before)} {after[length:]}")
        at = 0
    return text


def _maker_length(before: str, after: str, lead: str) -> int:
    """How many letters of what follows "by" name a maker; 0 for a place, a way or an agent."""
    spans = list(_WORD.finditer(after))[: _NAME_LENGTH + 3]
    words = [span.group().casefold() for span in spans]
    last = (re.findall(r"[^\W_]+", before.casefold()) or [""])[-1]
    start = 0
    if words and words[0] in DETERMINERS:
        # "by the sea" and "by an unknown artist"; the name that may follow the latter goes with it.
        maker = next(
            (
                at
                for at, word in enumerate(words[1:4], 1)
                if word in _MAKERS or (word in _MAKER_GROUPS and words[at + 1 : at + 2] == ["of"])
            ),
            0,
        )
        if not maker or last.endswith("ing"):
            return 0
        start = maker + 1
    elif lead == "from":
        return 0
    elif not _is_name(words, last, lead):
        return 0
    stop = _name_end(words, start)
    return spans[stop - 1].end() if stop else 0


def _is_name(words: list[str], last: str, lead: str) -> bool:
    """Whether words after "by" or "after" are somebody's name."""
    if not words or not words[0][0].isalnum():
        return False
    first = words[0]
    if first in _MAKERS:
        return True
    if first.isdigit() or first in _BY_PLACES or first.endswith("ing"):
        return False
    # "by john white" has a word that is no caption's, "by red houses" has none.
    name = [word for word in words[: _name_end(words, 0)] if word[0].isalnum()]
    strange = [word for word in name if not is_ordinary(word) and word not in _PARTICLES]
    if not strange or (lead == "after" and len(name) == 1):
        return False
    agent = last not in _MAKING and (last in _ACTED_ON or (last.endswith("ed") and last not in {"red", "bed"}))
    if agent:
        return len(strange) > 1 and name[0] in strange
    return not is_plural(first) or first in strange


def _name_end(words: list[str], start: int) -> int:
    """Behind the last word of a name that begins at or behind `start`."""
    at = start
    while at < len(words) and at - start < _NAME_LENGTH:
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        if word in {"and", "&"}:
            if not following or not following[0].isalnum() or is_function_word(following) or is_ordinary(following):
                break
        elif word not in {".", "'", "’", "-"} and (not word[0].isalnum() or (is_function_word(word) and word not in _PARTICLES)):
            break
        elif word in _PARTICLES and (not following or (is_function_word(following) and following not in _PARTICLES)):
            break
        elif word.endswith("ing") and is_ordinary(word):
            break
        at += 1
    return at


def _without_making(before: str) -> str:
    """What leads up to "by" without "painted", "artwork" and the comma before it."""
    words = re.sub(r"[\s,;:(–—-]+$", "", before)
    found = re.search(r"[,;]?\s*(?:\b(?:is|was) )?\b([^\W_]+)$", words)
    if found and found[1].casefold() in _MAKING and found[1].casefold().endswith(("ed", "wn", "en", "de", "ne")) and found.start() > 0:
        words = words[: found.start()]
    return re.sub(r"[\s,;:(–—-]+$", "", words)


def _without_repeats(text: str) -> str:
    """Without phrases that stand twice in a row, joined or not, and without items that a list has named before."""
    words = text.split(" ")
    while (again := _repeat(words)) is not None:
        del words[again[0] : again[1]]
    return _without_listed_twice(" ".join(words))


def _repeat(words: list[str]) -> tuple[int, int] | None:
    """Begin and end of the first words that say once more what was said just before, and what joins them to it."""
    keys = [re.sub(r"^\W+|\W+$", "", word).casefold() for word in words]
    for length in range(min(_LONGEST_REPEAT, len(words) // 2), 0, -1):
        for at in range(len(words) - 2 * length + 1):
            phrase, end = keys[at : at + length], at + length
            if not any(phrase) or (length == 1 and (phrase[0] in _DOUBLES or phrase[0].isdigit())) or set(phrase) <= _DOUBLES | {"and"}:
                continue
            for glue in _GLUES if length > 1 else _GLUES[:2]:
                again = end + len(glue)
                if keys[end:again] == glue and keys[again : again + length] == phrase:
                    return end, again + length
    return None


def _without_listed_twice(text: str) -> str:
    pieces = re.split(r"(,? and (?=an? |the |some |\d|two |three )|, )", text)
    seen: set[str] = set()
    kept: list[str] = []
    for at in range(0, len(pieces), 2):
        key = pieces[at].strip(" .").casefold()
        if key and key in seen and " " in key:
            continue
        seen.add(key)
        kept += [*pieces[at - 1 : at], pieces[at]] if at else [pieces[at]]
    return "".join(kept)


def _without_half_sentence(text: str) -> str:
    """Without a last sentence that was cut off, and without words at the end that wait for another."""
    *whole, rest = re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)
    if whole and not re.search(r"[.!?]['\"”)]*$", rest):
        return " ".join(whole)
    line = text
    while True:
        stripped = re.sub(r"[\s,;:–—(\[&/-]+$", "", line)
        found = re.search(r"(?:^|\s)([^\W_][\w'’-]*)$", stripped)
        if not found or found[1].casefold() not in _DANGLING:
            return stripped
        line = stripped[: found.start()]


def _tidy(text: str) -> str:
    text = re.sub(r"\s+([,;.:!?])", r"\1", " ".join(text.split()))
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    if text.count("(") != text.count(")"):
        text = re.sub(r"[()]", "", text)
    text = re.sub(r"\(\s*\)|\[\s*\]|\"\s*\"|“\s*”", "", text)
    return " ".join(text.strip(" ,;:").split())
