"""Finding the artwork that a results file means: by path, by key, by name, and by what is left of a name, where only one fits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from producer.cleaning import parse_file_name
from producer.results_import.image_names import bare_stem, path_parts, stem_of, without_extension

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from db.catalogue.names import NamedArtwork


class JoinedBy(StrEnum):
    """How an artwork was found."""

    #: A path that was registered, or its end.
    PATH = "path"
    #: The artwork's key, as cleaning spells it.
    KEY = "key"
    #: The file's name within its style's folder.
    FOLDER_AND_NAME = "folder and name"
    #: The file's name alone.
    NAME = "name"
    #: The file's name without marks such as `_resize1024`.
    BARE_NAME = "name without its mark"
    #: What encoding damage left of the name.
    DAMAGED_NAME = "damaged name"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The artworks that a name may mean, and how they were found."""

    artworks: tuple[NamedArtwork, ...]
    by: JoinedBy | None = None

    @property
    def artwork(self) -> NamedArtwork | None:
        """The one that is meant; copies of one picture are as good as each other. None if none or several are."""
        groups = {artwork.group_key for artwork in self.artworks}
        return min(self.artworks, key=lambda artwork: artwork.id) if len(groups) == 1 else None


class OriginalIndex:
    """All registered artworks by every name that they may be called."""

    def __init__(self, artworks: Iterable[NamedArtwork]) -> None:
        self._names: dict[JoinedBy, defaultdict[str, dict[int, NamedArtwork]]] = {by: defaultdict(dict) for by in JoinedBy}
        for artwork in artworks:
            for by, name in _names_of(artwork):
                self._names[by][name][artwork.id] = artwork

    def find(self, named: str) -> Found:
        """The artworks that this path or key names, by the surest way that finds any."""
        for by, name in _spellings(named):
            if name and (found := self._names[by].get(name)):
                return Found(artworks=tuple(found.values()), by=by)
        return Found(artworks=())


def _names_of(artwork: NamedArtwork) -> Iterator[tuple[JoinedBy, str]]:
    yield JoinedBy.KEY, artwork.key
    for name in artwork.paths or (artwork.key,):
        yield JoinedBy.PATH, name
        yield JoinedBy.FOLDER_AND_NAME, _within_folder(name)
        yield JoinedBy.NAME, stem_of(name)
        yield JoinedBy.BARE_NAME, bare_stem(name)
        if damaged := _skeleton(name):
            yield JoinedBy.DAMAGED_NAME, damaged
    yield JoinedBy.NAME, stem_of(artwork.key)
    yield JoinedBy.BARE_NAME, bare_stem(artwork.key)


def _spellings(named: str) -> Iterator[tuple[JoinedBy, str]]:
    parts = path_parts(named)
    for start in range(len(parts)):
        yield JoinedBy.PATH, "/".join(parts[start:])
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        yield JoinedBy.KEY, parse_file_name(tail, names_identify=start == len(parts) - 1).key
        yield JoinedBy.KEY, without_extension(tail)
    yield JoinedBy.FOLDER_AND_NAME, _within_folder(named)
    yield JoinedBy.NAME, stem_of(named)
    yield JoinedBy.BARE_NAME, bare_stem(named)
    yield JoinedBy.DAMAGED_NAME, _skeleton(named)


def _within_folder(named: str) -> str:
    parts = path_parts(named)
    return f"{stem_of(parts[-2])}/{stem_of(named)}" if len(parts) > 1 else ""


def _skeleton(named: str) -> str:
    """What every kind of encoding damage leaves of a name; empty for one that cannot be damaged."""
    bare = bare_stem(named)
    return "" if bare.isascii() else bare.encode("ascii", "ignore").decode()
