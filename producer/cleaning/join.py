"""Rows and files joined into artworks: by the artwork's key, and where a file name lost letters for good, by what is left of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producer.cleaning.convention import NamingConvention, find_convention
from producer.cleaning.similar_names import match_similar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from producer.cleaning.file_names import ParsedFileName
    from producer.readers import Catalogue, CatalogueFile, CatalogueRow


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtworkCopy:
    """One file of an artwork, and what its name says."""

    file: CatalogueFile
    name: ParsedFileName
    #: True if the name had to be repaired to find its artwork.
    repaired: bool
    #: True if its row was found by a name that is written in another way.
    similar: bool = False


@dataclass(kw_only=True, slots=True)
class JoinedArtwork:
    """The rows of one artwork (the first one takes precedence) and its files (the first one is the original)."""

    key: str
    #: What the first path says.
    name: ParsedFileName
    rows: list[CatalogueRow] = field(default_factory=list)
    copies: list[ArtworkCopy] = field(default_factory=list)
    #: Lines of a file list that name a path a second time.
    repeated: list[CatalogueFile] = field(default_factory=list)


def catalogue_convention(catalogue: Catalogue) -> NamingConvention:
    """How the files of a catalogue are named; one with rows whose format promises the convention is doubted less."""
    paths = [row.path for row in catalogue.rows] + [file.path for file in catalogue.files]
    return find_convention(dict.fromkeys(paths), promised=catalogue.names_identify and bool(catalogue.rows))


def join_catalogue(catalogue: Catalogue) -> list[JoinedArtwork]:
    """Artworks in the order of the catalogue; those that no row describes follow."""
    convention = catalogue_convention(catalogue)
    artworks: dict[str, JoinedArtwork] = {}
    for row in catalogue.rows:
        name = convention.parse(row.path, names_identify=catalogue.names_identify)
        artworks.setdefault(name.key, JoinedArtwork(key=name.key, name=name)).rows.append(row)
    unmatched: list[tuple[CatalogueFile, ParsedFileName]] = []
    for file in catalogue.files:
        name = convention.parse(file.path, names_identify=catalogue.names_identify)
        artwork = artworks.get(name.key)
        if artwork is None:
            unmatched.append((file, name))
        else:
            _attach(artwork, file, name, repaired=name.broken)
    unmatched = list(_match_skeletons(artworks.values(), unmatched))
    for file, name in _match_similar_names(artworks, unmatched):
        own = name if catalogue.names_identify else convention.parse(file.path, names_identify=True)
        _attach(artworks.setdefault(own.key, JoinedArtwork(key=own.key, name=own)), file, own, repaired=own.broken)
    for artwork in artworks.values():
        _original_first(artwork)
    return list(artworks.values())


def skeleton(key: str) -> str:
    """What every kind of encoding damage leaves of a name: its ASCII characters."""
    return key.encode("ascii", "ignore").decode()


def _match_skeletons(
    artworks: Iterable[JoinedArtwork], unmatched: list[tuple[CatalogueFile, ParsedFileName]]
) -> Iterable[tuple[CatalogueFile, ParsedFileName]]:
    """Attach files with damaged names to artworks without a file by their skeleton, where only one has it; yields those still unmatched."""
    candidates: defaultdict[str, list[JoinedArtwork]] = defaultdict(list)
    if any(not name.key.isascii() for _, name in unmatched):
        for artwork in artworks:
            if not artwork.copies and not artwork.key.isascii():
                candidates[skeleton(artwork.key)].append(artwork)
    for file, name in unmatched:
        found = candidates.get(skeleton(name.key), []) if not name.key.isascii() else []
        if len(found) == 1:
            _attach(found[0], file, name, repaired=True)
        else:
            yield file, name


def _match_similar_names(
    artworks: dict[str, JoinedArtwork], unmatched: Sequence[tuple[CatalogueFile, ParsedFileName]]
) -> list[tuple[CatalogueFile, ParsedFileName]]:
    """Attach files to rows whose names are written in another way, where only one fits the other; returns those still unmatched."""
    rows = {key: artwork.rows[0].path for key, artwork in artworks.items() if artwork.rows and not artwork.copies}
    files = {name.key: file.path for file, name in reversed(unmatched)}
    taken = (path for artwork in artworks.values() if artwork.copies for path in (artwork.rows[0].path,)) if rows and files else ()
    found = {file_key: row_key for row_key, file_key in match_similar(rows, files, taken)}
    left = []
    for file, name in unmatched:
        if name.key in found:
            _attach(artworks[found[name.key]], file, name, repaired=name.broken, similar=True)
        else:
            left.append((file, name))
    return left


def _attach(artwork: JoinedArtwork, file: CatalogueFile, name: ParsedFileName, *, repaired: bool, similar: bool = False) -> None:
    if artwork.copies and any(copy.file.path == file.path for copy in artwork.copies):
        artwork.repeated.append(file)
    else:
        artwork.copies.append(ArtworkCopy(file=file, name=name, repaired=repaired, similar=similar))


def _original_first(artwork: JoinedArtwork) -> None:
    """The file that the row names is the original; the others keep the order of the catalogue, or of the alphabet."""
    if artwork.rows and len(artwork.copies) > 1:
        path, folder = artwork.rows[0].path, artwork.name.folder
        artwork.copies.sort(key=lambda copy: (copy.file.path != path, copy.name.folder != folder))
