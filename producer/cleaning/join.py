"""Rows and files joined into artworks: by the artwork's key, and where a file name lost letters for good, by what is left of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from producer.cleaning.file_names import ParsedFileName, parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from producer.readers import Catalogue, CatalogueFile, CatalogueRow


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtworkCopy:
    """One file of an artwork, and what its name says."""

    file: CatalogueFile
    name: ParsedFileName
    #: True if the name had to be repaired to find its artwork.
    repaired: bool


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


def join_catalogue(catalogue: Catalogue) -> list[JoinedArtwork]:
    """Artworks in the order of the catalogue; those that no row describes follow."""
    artworks: dict[str, JoinedArtwork] = {}
    for row in catalogue.rows:
        name = parse_file_name(row.path, names_identify=catalogue.names_identify)
        artworks.setdefault(name.key, JoinedArtwork(key=name.key, name=name)).rows.append(row)
    unmatched: list[tuple[CatalogueFile, ParsedFileName]] = []
    for file in catalogue.files:
        name = parse_file_name(file.path, names_identify=catalogue.names_identify)
        artwork = artworks.get(name.key)
        if artwork is None:
            unmatched.append((file, name))
        else:
            _attach(artwork, file, name, repaired=name.broken)
    for file, name in _match_skeletons(artworks.values(), unmatched):
        _attach(artworks.setdefault(name.key, JoinedArtwork(key=name.key, name=name)), file, name, repaired=name.broken)
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


def _attach(artwork: JoinedArtwork, file: CatalogueFile, name: ParsedFileName, *, repaired: bool) -> None:
    if artwork.copies and any(copy.file.path == file.path for copy in artwork.copies):
        artwork.repeated.append(file)
    else:
        artwork.copies.append(ArtworkCopy(file=file, name=name, repaired=repaired))


def _original_first(artwork: JoinedArtwork) -> None:
    """The file that the row names is the original; the others keep the order of the catalogue, or of the alphabet."""
    if artwork.rows and len(artwork.copies) > 1:
        path, folder = artwork.rows[0].path, artwork.name.folder
        artwork.copies.sort(key=lambda copy: (copy.file.path != path, copy.name.folder != folder))
