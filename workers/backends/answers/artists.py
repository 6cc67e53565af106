"""Artists that language models name: the well-known ones, and whoever is led up to as an artist is."""

# ruff: noqa: SIM905, RUF001 - a word list reads best as text, and the typographic apostrophe is meant

from __future__ import annotations

import re

from workers.backends.artists import artist_at
from workers.backends.redaction import fold

_PARTICLE = r"(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|el|ten|ter|y)"
_NAME = rf"(?:{_PARTICLE}\s+)?[A-Z][\w’'-]+(?:\s+(?:{_PARTICLE}\s+)*[A-Z][\w’'-]*\.?)*"
_STYLE_OF = re.compile(
    rf"\b(?:(?:style|manner|vein|spirit|tradition|works?|hand|brush) of|inspired by|à la|homage to|reminiscent of)\s+({_NAME})"
)
_BY = re.compile(rf"\b(?:by|after)\s+({_NAME})")

#: Words that make what is capitalised a style, an age, a place of art or an hour, and no person: by their ending, and by themselves.
_STYLE_ENDING = re.compile(r"(?:ism|ist|esque|ique|ic|an|ese|ish|punk|core|wave)s?$")
_STYLE_WORDS = frozenset(
    "art arts pop op post neo deco nouveau baroque renaissance rococo gothic school era period age dynasty century bauhaus fauve print "
    "prints painting mural murals ukiyo sumi folk island crete rome greece egypt japan china india persia byzantium byzantine venice "
    "florence paris london america africa asia europe french dutch greek swiss thai celtic viking aztec maya inca mughal tang song tudor "
    "regency zen tibet nepal siam old master masters the night moonlight candlelight light dawn dusk nature empire kingdom high early late "
    "golden bronze iron stone steam mars venus edo ming meiji weimar belle epoque rain sea storm".split()
)


def names_an_artist(text: str) -> bool:
    """Whether a text names some artist: a famous one, or whoever stands after "by", "in the style of" and their like."""
    words = re.findall(r"[^\W_]+", fold(text))
    if any(artist_at(words, at) for at in range(len(words))):
        return True
    if any(_is_name(match[1], fewest=1) for match in _STYLE_OF.finditer(text)):
        return True
    return any(_is_name(match[1], fewest=2) for match in _BY.finditer(text))


def _is_name(phrase: str, *, fewest: int) -> bool:
    words = [word for word in fold(phrase).replace("-", " ").split() if not re.fullmatch(_PARTICLE, word)]
    return len(words) >= fewest and not any(word in _STYLE_WORDS or _STYLE_ENDING.search(word) for word in words)
