"""Keeping an artwork's artist and title out of a text.

A generator that reads "Hokusai" repeats its memory of Hokusai instead of repainting the original, and the pair is useless. Captioners
know names too, so every clause is cleaned: words are compared without case, accents and punctuation, joined or apart.

- Of the artist no word of the name stays, alone or run together. Spared are particles (van, de) and words that captions need (white, young)
  where they stand alone and are not the surname.
- Nor does the name of another well-known artist stay (`workers.backends.artists`).
- A title that tells which work it is ("Guernica", "Dry Paints 1913") does not stay as a phrase: the words by which it tells are taken out.
  A title
  of words that any caption may use ("portrait of a man", "flowers in a vase") tells nothing and leaves the caption as it is.
"""

# ruff: noqa: SIM905, RUF001 - word lists read best as text, and these letters and dashes are meant

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from workers.backends.artists import FIRST_NAMES, artist_at
from workers.backends.caption_lexicon import is_function_word, is_ordinary

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A word of any script, with its combining marks; underscores and hyphens separate.
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")

#: Letters that Unicode does not decompose.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})

_PARTICLES = frozenset("van von der den de del della di da do dos du la le les el al bin ibn zu zur ten ter y e the of and".split())

#: Words of names that are also words of captions: kept out only where they are the surname.
_ORDINARY = frozenset(
    "white black brown green grey gray gold rose young old wood woods hill field fields stone rivers forest church bishop king prince "
    "knight page miller baker cook fisher hunter shepherd farmer mason carpenter potter taylor singer bird fox wolf lamb swan day summer "
    "winter may june art artist painter master unknown anonymous uncertain attributed circle follower school workshop after elder younger "
    "brothers".split()
)

#: Nobody's surname, even at the end of what stands for a name.
_NO_NAME = frozenset(
    "artist painter master unknown anonymous uncertain elder younger school workshop circle follower jr sr brothers".split()
)

#: Words that lead up to a name or title and would dangle without it.
_LEADING = frozenset("by of after in the style from inspired attributed to artist painter called titled entitled named manner like".split())

#: After these a title lists or describes what anybody may see: "still life with quinces".
_GENERIC_OPENINGS = (
    ("still", "life"), ("landscape", "with"), ("portrait", "of", "a"), ("portrait", "of", "an"), ("vase", "of"), ("vase", "with"),
    ("bouquet", "of"),
    ("bowl", "of"), ("basket", "of"), ("study", "of", "a"), ("head", "of", "a"), ("woman", "with"), ("man", "with"), ("girl", "with"),
    ("boy", "with"),
    ("young", "woman", "with"), ("young", "man", "with"), ("young", "girl", "with"), ("a", "woman"), ("a", "man"), ("the", "artist", "s"),
)  # fmt: skip

_PASSES = 8


@dataclass(frozen=True, kw_only=True)
class _Span:
    """A word of a text: where it stands and how it compares."""

    start: int
    end: int
    folded: str


class Redactor:
    """The artist and title that must not be read in a prompt."""

    def __init__(self, *, artist: str, title: str) -> None:
        name = [span.folded for span in _words(artist)]
        self._title = tuple(span.folded for span in _words(title))
        self._telling = telling_words(self._title)
        self._names, self._longest = _name_keys(name)
        #: Initials and particles of this name: they go where they lead up to what goes.
        self._leading = _LEADING | {word for word in name if len(word) == 1 or word in _PARTICLES}

    def mentions(self, text: str) -> bool:
        """Whether the text names the artist, another well-known one, or the title if that tells which work it is."""
        words = _words(text)
        return any(self._name_at(words, at) for at in range(len(words))) or self._title_at(words) is not None

    def clean(self, text: str) -> str:
        """The text without them, on one line; what would dangle goes too. May be empty."""
        text = " ".join(unicodedata.normalize("NFC", text).split())
        for turn in range(_PASSES):
            if not self.mentions(text):
                return text
            text = self._without_title(self._without_names(text), gently=turn == 0)
        return ""

    def _name_at(self, words: Sequence[_Span], at: int) -> int:
        """How many words from `at` on are the artist's name, or another's; 0 if none."""
        for count in range(min(self._longest, len(words) - at), 0, -1):
            if "".join(span.folded for span in words[at : at + count]) in self._names:
                return count
        return artist_at([span.folded for span in words], at)

    def _title_at(self, words: Sequence[_Span]) -> int | None:
        length = len(self._title)
        if not self._telling:
            return None
        folded = tuple(span.folded for span in words)
        return next((at for at in range(len(folded) - length + 1) if folded[at : at + length] == self._title), None)

    def _without_names(self, text: str) -> str:
        words = _words(text)
        at = 0
        cuts: list[tuple[int, int]] = []
        while at < len(words):
            count = self._name_at(words, at)
            if count:
                cuts.append((self._lead(words, at, after=cuts[-1][1] if cuts else 0), words[at + count - 1].end))
            at += count or 1
        return _cut(text, cuts)

    def _without_title(self, text: str, *, gently: bool) -> str:
        words = _words(text)
        at = self._title_at(words)
        if at is None:
            return text
        phrase = words[at : at + len(self._title)]
        if gently:
            return _cut(text, self._telling_spans(words, at, at + len(self._title)))
        return _cut(text, [(self._lead(words, at, after=0), phrase[-1].end)])

    def _telling_spans(self, words: Sequence[_Span], start: int, end: int) -> list[tuple[int, int]]:
        """What to cut out of a title that stands at words `start` to `end`; before a pause what leads up to it goes too."""
        cuts: list[tuple[int, int]] = []
        at = start
        while at < end:
            stop = at
            while stop < end and words[stop].folded in self._telling:
                stop += 1
            if stop > at:
                paused = stop == len(words) or is_function_word(words[stop].folded)
                first = self._lead(words, at, after=cuts[-1][1] if cuts else 0) if paused else words[at].start
                cuts.append((first, words[stop - 1].end))
            at = stop + 1
        return cuts

    def _lead(self, words: Sequence[_Span], at: int, *, after: int) -> int:
        """Where a cut begins whose first word is `at`: earlier words that lead up to it go too."""
        while at > 0 and words[at - 1].start >= after and (words[at - 1].folded in self._leading or words[at - 1].folded in FIRST_NAMES):
            at -= 1
        return words[at].start


def telling_words(title: Sequence[str]) -> frozenset[str]:
    """The words by which a title tells which work it is; none for a title that any caption may repeat. The words are given folded."""
    if any(tuple(title[: len(opening)]) == opening for opening in _GENERIC_OPENINGS):
        return frozenset(word for word in title if word.isdigit())
    return frozenset(word for word in title if not is_ordinary(word))


def without_known_artists(text: str) -> str:
    """The text without the names of well-known artists and what leads up to them."""
    return Redactor(artist="", title="").clean(text)


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """Without case and accents, for comparison."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _words(text: str) -> list[_Span]:
    return [_Span(start=match.start(), end=match.end(), folded=fold(match.group())) for match in _WORD.finditer(text)]


def _name_keys(name: Sequence[str]) -> tuple[frozenset[str], int]:
    """What counts as the artist's name, run together, and how many words of a text it can reach over."""
    if not name:
        return frozenset(), 0
    last = name[-1]
    start = len(name) - 1
    while start > 0 and name[start - 1] in _PARTICLES:
        start -= 1
    keys = {"".join(name), "".join(reversed(name)), "".join(name[start:]), "".join([*name[start:], *name[:start]])}
    keys |= {word for word in name if len(word) > 1 and word not in _PARTICLES and word not in _ORDINARY}
    keys = {key for key in keys if key not in _ORDINARY and key not in _PARTICLES and len(key) > 1}
    if len(last) > 1 and last not in _NO_NAME and last not in _PARTICLES:
        keys.add(last)
    keys |= {f"{key}s" for key in keys}  # the goghs, gogh's without its apostrophe
    return frozenset(keys), len(name) + 1


def _cut(text: str, cuts: Sequence[tuple[int, int]]) -> str:
    for start, end in reversed(cuts):
        rest = re.sub(r"^(?:['’]s\b|[-_])", "", text[end:])
        text = f"{text[:start].rstrip(' -_')} {rest.lstrip()}"
    text = re.sub(r"\s+([,;.:!?])", r"\1", " ".join(text.split()))
    text = re.sub(r"([,;:])(?:\s*[,;:])+", r"\1", text)
    return text.strip(" ,;:-_–—\"“”'()[]")
