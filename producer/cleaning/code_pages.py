"""Names whose UTF-8 was read in the code page of another system, once or more: `gr├⌐goire` for `grégoire`.

Decoding back is proof: hardly any intact name happens to be UTF-8 when it is written in an old code page. What could be by chance is left
alone: a name is repaired only if that takes away signs which no name is written with, capitals after small letters, or letters of two
alphabets within one word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Code pages of DOS, Windows and Mac OS in which archives and copies were read, the most frequent first.
CODE_PAGES = ("cp1252", "cp437", "cp850", "cp866", "cp1251", "mac_roman", "cp852", "cp1250")
#: A name was read wrongly up to this many times, and so many readings are tried at most.
_ROUNDS = 4
_READINGS = 400

_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(r"[^\W\d_]+")
#: Signs that names do contain.
_USUAL = frozenset("\u2019\u00a0\u200d\u200c")
#: Letters that European languages use often. Of two readings that are proven the one with fewer others is meant.
_FREQUENT = frozenset("áéíóúýàèìòùâêîôûäëïöüÿãõñçåæøœßčďěňřšťůžćłńśźżąęőűğışşţțșăđāēīōūļķģņ")


def undo_code_pages(name: str, other: Callable[[str], str]) -> str:
    """The name as it was before it was read in a wrong code page, perhaps several times; unchanged if nothing is proven.

    Args:
        name: as it is spelled now.
        other: one further repair, which may come before, between or after these.
    """
    readings = dict.fromkeys([name])
    newest = [name]
    for _ in range(_ROUNDS):
        found = dict.fromkeys(reading for old in newest for reading in (*_readings(old), other(old)) if reading not in readings)
        newest = list(found)[: _READINGS - len(readings)]
        readings.update(dict.fromkeys(newest))
    best = min(readings, key=lambda reading: (oddity(reading), _infrequent(reading)))
    return best if oddity(best) < oddity(name) else name


def oddity(name: str) -> int:
    """How many signs no name is written with, capitals after small letters, and words in two alphabets a name contains."""
    if name.isascii():
        return 0
    signs = sum(_is_odd(character) for character in name if not character.isascii())
    mixed = sum(len({_alphabet(letter) for letter in word} - {""}) > 1 for word in _WORD.findall(name) if not word.isascii())
    capitals = sum(after.isupper() and not after.isascii() and before.islower() for before, after in pairwise(name))
    return signs + mixed + capitals


def _readings(name: str) -> Iterator[str]:
    for code_page in CODE_PAGES:
        table = _bytes_of(code_page)
        yield _FOREIGN.sub(lambda run, table=table: _decoded(run[0], table), name)  # type: ignore[misc]


def _decoded(run: str, table: Mapping[str, int]) -> str:
    """A run of characters read as its code page's bytes; unchanged if those are not UTF-8."""
    try:
        return bytes(table[character] for character in run).decode()
    except (KeyError, UnicodeDecodeError):
        return run


@cache
def _bytes_of(code_page: str) -> Mapping[str, int]:
    """The byte of each character above ASCII; bytes without a character stand for the control code of their number, as on Windows."""
    table = {}
    for byte in range(0x80, 0x100):
        character = bytes([byte]).decode(code_page, "replace")
        table[chr(byte) if character == "\ufffd" else character] = byte
    return table


def _is_odd(character: str) -> bool:
    if character in _USUAL:
        return False
    category = unicodedata.category(character)
    return category[0] in "SCP" or category == "No"


def _infrequent(name: str) -> int:
    return sum(letter not in _FREQUENT for letter in name.lower() if not letter.isascii() and _alphabet(letter) == "LATIN")


@cache
def _alphabet(letter: str) -> str:
    """The first word of the letter's name: LATIN, CYRILLIC, GREEK; empty for what is used beside any of them."""
    name = unicodedata.name(letter, "").partition(" ")[0]
    return "" if name in {"MODIFIER", "COMBINING", "FEMININE", "MASCULINE"} else name
