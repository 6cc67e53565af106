"""Rows without a file and files without a row whose names differ in writing only, or by what tools append to a name.

`Cubism/juan-gris_table.jpg` and `resized/Juan Gris_Table_resize1024.jpg` are one artwork, if no other one could be meant.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from producer.cleaning.device_names import is_device_name
from producer.cleaning.spelling import repair_spelling

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

T = TypeVar("T", bound="Hashable")

#: What tools append: sizes, the word for what they did, or both.
_ADDED = re.compile(
    r"[\s_.-]+(?:"
    r"(?:re)?sized?\d*(?:px)?|resized?|resampled|scaled|small(?:er)?|medium|large|thumb(?:nail)?s?|preview|web|hd|full|hires|lowres"
    r"|cropped|crop|edited|edit|final|compressed|optimi[sz]ed|enhanced|upscaled|letterbox(?:ed)?|padded|generated|repaint(?:ed)?|sdxl"
    r"|orig(?:inal)?|copy|kopie|copie|copia|\d{2,5}x\d{2,5}|\d{2,5}px|@\dx"
    r")(?:[\s_.-]?\d{1,5}(?:px)?)?$"
    r"|@\dx$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*\((\d{1,4})\)$")
_NO_LETTER = re.compile(r"[\W_]+")
#: Fewer letters than these say too little to join across folders.
_LETTERS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class LooseName:
    """A file name without what may differ."""

    core: str
    #: The number in brackets that distinguishes equal names; empty if there is none.
    number: str


def loose_name(path: str) -> LooseName:
    """The name in small letters without accents, separators, suffixes of tools, and its number apart."""
    stem = repair_spelling(posixpath.splitext(posixpath.basename(path))[0])
    number = ""
    while True:
        if found := _NUMBER.search(stem):
            number = number or found[1]
            stem = stem[: found.start()]
        elif (found := _ADDED.search(stem)) and found.start() > 0:
            stem = stem[: found.start()]
        else:
            break
    plain = unicodedata.normalize("NFKD", stem).casefold()
    core = _NO_LETTER.sub("-", "".join(character for character in plain if not unicodedata.combining(character))).strip("-")
    return LooseName(core=core, number=number)


def match_similar(rows: Mapping[T, str], files: Mapping[T, str], taken: Iterable[str] = ()) -> list[tuple[T, T]]:
    """Pairs of a row and a file that only each other's loose names fit.

    Args:
        rows: the path of each row that has no file.
        files: the path of each file that has no row.
        taken: paths of artworks that have both: a name that is like one of theirs belongs to neither.
    """
    if not rows or not files:
        return []
    wanted = _by_name(rows)
    offered = _by_name(files)
    cores = set(wanted) & set(offered)
    spoken_for = {core for path in taken if (core := loose_name(path).core) in cores} if cores else set()
    pairs = []
    for core in sorted(cores - spoken_for):
        pairs += _pairs(wanted[core], offered[core])
    return pairs


def closest(rows: Iterable[str], files: Sequence[str]) -> tuple[str, str] | None:
    """A row's and a file's path that look alike, as an example for the operator; the first of each if none do."""
    rows = list(rows)
    if not rows or not files:
        return None
    for row in rows:
        words = set(loose_name(row).core.split("-"))
        best = max(files, key=lambda file: len(words & set(loose_name(file).core.split("-"))))
        if len(words & set(loose_name(best).core.split("-"))) * 2 > len(words):
            return row, best
    return rows[0], files[0]


def _by_name(paths: Mapping[T, str]) -> dict[str, list[tuple[T, str, LooseName]]]:
    found: defaultdict[str, list[tuple[T, str, LooseName]]] = defaultdict(list)
    for one, path in paths.items():
        name = loose_name(path)
        if name.core:
            found[name.core].append((one, path, name))
    return found


def _pairs(rows: Sequence[tuple[T, str, LooseName]], files: Sequence[tuple[T, str, LooseName]]) -> list[tuple[T, T]]:
    """Pairs in which each is the only one that fits the other, those of one folder first."""
    pairs: list[tuple[T, T]] = []
    for fits in (_in_one_folder, _anywhere):
        left = [row for row in rows if all(row[0] != one for one, _ in pairs)]
        free = [file for file in files if all(file[0] != one for _, one in pairs)]
        for row in left:
            fitting = [file for file in free if fits(row, file)]
            if len(fitting) == 1 and sum(fits(other, fitting[0]) for other in left) == 1:
                pairs.append((row[0], fitting[0][0]))
    return pairs


def _in_one_folder(row: tuple[T, str, LooseName], file: tuple[T, str, LooseName]) -> bool:
    same = _folder(row[1]) == _folder(file[1])
    return same and (row[2].number == file[2].number or not (row[2].number and file[2].number))


def _anywhere(row: tuple[T, str, LooseName], file: tuple[T, str, LooseName]) -> bool:
    """Short names and those that devices give are joined only where they are written the same."""
    if row[2].number and file[2].number and row[2].number != file[2].number:
        return False
    if posixpath.basename(row[1]).casefold() == posixpath.basename(file[1]).casefold():
        return True
    telling = sum(character.isalpha() for character in row[2].core) >= _LETTERS
    return telling and not is_device_name(posixpath.splitext(posixpath.basename(row[1]))[0])


def _folder(path: str) -> str:
    return _NO_LETTER.sub("-", posixpath.basename(posixpath.dirname(path)).casefold())
