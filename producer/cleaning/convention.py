"""Whether a tree is named `Style/artist-slug_title-slug.jpg`, judged by its names, folder by folder.

A folder of camera pictures has the same outer form: `Holiday/IMG_1001.jpg`. It must not make an artist "IMG" and a style "Holiday". So a
folder is believed where it is one of the known styles, lies beside one, or where most of its names have the unmistakable form: an artist
of several words between hyphens, `_`, and a title. What one name looks like alone decides only that a device's name never tells anything.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from producer.cleaning.device_names import DEVICE_WORDS, is_device_name
from producer.cleaning.file_names import ParsedFileName, parse_file_name
from producer.cleaning.styles import NO_STYLE, WIKIART_STYLES, style_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_KNOWN_STYLES = frozenset(WIKIART_STYLES)
#: An artist of at least two words, and a title with a word in it.
_UNMISTAKABLE = re.compile(r"^([^\W\d_]{2,})(?:[-.'\u2019][^\W_]+)+_[^_].*[^\W\d_]{2}")
#: Folders that sort files and say nothing of a style.
_SORTING = frozenset(
    """
    img imgs image images picture pictures pic pics photo photos foto fotos bild bilder train training test testing val valid validation
    dev data dataset datasets original originals resized raw file files jpg jpeg png dcim camera download downloads upload uploads desktop
    documents art arts artwork artworks painting paintings work works wikiart museum gallery collection scan scans input output tmp temp
    media assets static all misc other others new mine
    """.split()  # noqa: SIM905  # one text reads better than 70 strings
)
_COUNTING = re.compile(r"^[\W\d_]*$|^\d+\w*$|^new folder\b|^camera roll$|^untitled\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class NamingConvention:
    """Which folders of one catalogue are named by the convention, and which of them are styles."""

    #: Folders whose names tell artist and title.
    telling: frozenset[str]
    #: Of those, or beside them, the ones that are styles though no list knows them.
    styles: frozenset[str] = field(default_factory=frozenset)

    def parse(self, path: str, *, names_identify: bool) -> ParsedFileName:
        """What a path says of its artwork; `names_identify` says whether its key is the name, not the whole path."""
        folder, base = posixpath.split(path)
        tells = folder in self.telling and not _of_device(posixpath.splitext(base)[0])
        return parse_file_name(path, names_identify=names_identify and tells, tells=tells, style=self._style(folder))

    def _style(self, folder: str) -> str:
        """The label of the folder, or of the nearest one around it, that is a style; empty if there is none."""
        if folder in self.styles:
            return posixpath.basename(folder)
        return _known_part(folder)


@dataclass(kw_only=True, slots=True)
class _Names:
    """What the names in one folder look like."""

    all: int = 0
    #: With an artist's and a title's part, and not given by a device.
    parted: int = 0
    unmistakable: int = 0


def find_convention(paths: Iterable[str], *, promised: bool) -> NamingConvention:
    """Judge a catalogue's names; `promised` says that its format follows the convention, so that only device names are doubted."""
    found: defaultdict[str, _Names] = defaultdict(_Names)
    for path in paths:
        folder, base = posixpath.split(path)
        stem = posixpath.splitext(base)[0]
        names = found[folder]
        names.all += 1
        if _parts(stem) and not _of_device(stem):
            names.parted += 1
            names.unmistakable += _UNMISTAKABLE.match(stem) is not None
    known = {folder for folder in found if _is_known(posixpath.basename(folder))}
    believed = {folder for folder, names in found.items() if _mostly(names.parted, names) and (folder in known or promised)}
    around = {posixpath.dirname(folder) for folder in believed & known}
    telling = believed | {
        folder
        for folder, names in found.items()
        if _mostly(names.unmistakable, names)
        or (_mostly(names.parted, names) and folder and posixpath.dirname(folder) in around and not _sorts(folder))
    }
    styles = {folder for folder in telling if folder and not _sorts(folder)}
    return NamingConvention(telling=frozenset(telling), styles=frozenset(styles))


@lru_cache(maxsize=4096)
def is_known_style(label: str) -> bool:
    """Whether a folder's name is one of WikiArt's styles, however it is spelled."""
    return style_name(label) in _KNOWN_STYLES


@lru_cache(maxsize=4096)
def _known_part(folder: str) -> str:
    return next((part for part in reversed(folder.split("/")) if is_known_style(part)), "")


def _of_device(stem: str) -> bool:
    """As `is_device_name`, told at once of what is clearly an artist and a title."""
    artist = _UNMISTAKABLE.match(stem)
    return (artist is None or artist[1].casefold() in DEVICE_WORDS) and is_device_name(stem)


def _is_known(label: str) -> bool:
    """A style, or a folder for artworks without one, as `Unclassified`."""
    return is_known_style(label) or (label != "" and label.casefold() in NO_STYLE)


def _sorts(folder: str) -> bool:
    name = posixpath.basename(folder).casefold()
    return name in _SORTING or bool(_COUNTING.match(name))


def _parts(stem: str) -> bool:
    artist, _, title = stem.partition("_")
    return bool(artist.strip() and title.strip())


def _mostly(number: int, names: _Names) -> bool:
    return number > 0 and 2 * number >= names.all
