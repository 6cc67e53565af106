"""From a cleaned artwork and its opened files to what the database takes in: files of one name whose bytes differ are several artworks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from db.catalogue.types import ArtworkPath, CatalogueArtwork
from producer.cleaning import CellOutcome, clean_artwork, known_artist, style_name
from producer.cleaning.empty_cells import filled
from producer.cleaning.join import JoinedArtwork
from producer.errors import WrongUse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.catalogue.types import ArtworkImage, KnownPath
    from producer.cleaning import ArtworkCopy, CleanedArtwork
    from producer.image_import import ImportedArtwork


@dataclass(frozen=True, kw_only=True)
class OperatorFacts:
    """What the operator says of every artwork that lacks it."""

    artist: str | None = None
    style: str | None = None

    def fill(self, artwork: CleanedArtwork) -> CleanedArtwork:
        """The artwork with its gaps filled."""
        artist, style = artwork.artist or self.artist, artwork.style or self.style
        if (artist, style) == (artwork.artist, artwork.style):
            return artwork
        gone = {name for name, before, after in (("artist", artwork.artist, artist), ("style", artwork.style, style)) if before != after}
        gaps = [gap for gap, fact in (("no style", style), ("no artist", artist)) if not fact]
        return replace(
            artwork,
            artist=artist,
            style=style,
            styles=artwork.styles or ((style,) if style else ()),
            incomplete=", ".join(gaps) or None,
            cells={name: CellOutcome.FILLED if name in gone else outcome for name, outcome in artwork.cells.items()},
        )


def operator_facts(*, artist: str | None, style: str | None) -> OperatorFacts:
    """The facts of `--artist` and `--style` in the one spelling; raises `WrongUse` for a name that means none."""
    facts = OperatorFacts(artist=known_artist(artist), style=style_name(style or "") if filled(style) else None)
    for option, given, understood in (("--artist", artist, facts.artist), ("--style", style, facts.style)):
        if given is not None and understood is None:
            raise WrongUse(f"{option}: {given!r} names none: give a name, or leave the option away")
    return facts


@dataclass(frozen=True, kw_only=True)
class ArtworkSplitter:
    """Tells which of an artwork's files are one picture."""

    known: Mapping[str, KnownPath]
    given: OperatorFacts = field(default_factory=OperatorFacts)

    def split(self, imported: ImportedArtwork) -> list[CatalogueArtwork]:
        """One artwork for each picture among the files, the one that the row names first."""
        groups = self._groups(imported)
        if len(groups) < 2:  # noqa: PLR2004  # one picture
            return [self._artwork(imported.artwork, imported, imported.image)]
        cleaned = [self._cleaned(imported.artwork, copies, first=number == 0, others=groups) for number, copies in enumerate(groups)]
        return [self._artwork(one, imported, self._image(one, imported)) for one in cleaned]

    def _groups(self, imported: ImportedArtwork) -> list[list[ArtworkCopy]]:
        """Files by the bytes that they hold, or, unopened, by the artwork that they belong to; the rest goes with the first."""
        copies = imported.artwork.copies
        if len(copies) < 2:  # noqa: PLR2004
            return [list(copies)]
        groups: dict[str | None, list[ArtworkCopy]] = {}
        rest = []
        for copy in copies:
            label = self._label(copy, imported)
            if label is None:
                rest.append(copy)
            else:
                groups.setdefault(label, []).append(copy)
        found = list(groups.values()) or [[]]
        found[0] += rest
        return found

    def _label(self, copy: ArtworkCopy, imported: ImportedArtwork) -> str | None:
        if imported.image is not None:
            image = imported.opened.get(copy.file.path)
            return None if image is None else image.content_hash
        known = self.known.get(copy.file.path)
        return None if known is None else known.key

    def _cleaned(self, whole: CleanedArtwork, copies: list[ArtworkCopy], *, first: bool, others: list[list[ArtworkCopy]]) -> CleanedArtwork:
        """What rows and names say of one of the pictures; of another one than the first the shared name's artist and title are true too."""
        assert whole.joined is not None
        mine = {copy.file.path for copy in copies}
        theirs = {copy.file.path for group in others for copy in group} - mine
        rows = [row for row in whole.joined.rows if row.path in mine or (first and row.path not in theirs)]
        name = whole.joined.name if first else copies[0].name
        cleaned = clean_artwork(JoinedArtwork(key=whole.key, name=name, rows=rows, copies=copies))
        cleaned = replace(cleaned, artist=cleaned.artist or whole.artist, title=cleaned.title or whole.title)
        if not cleaned.listed and whole.listed:
            cleaned = replace(cleaned, artist=whole.artist or cleaned.artist, title=whole.title or cleaned.title)
        gaps = [gap for gap, fact in (("no style", cleaned.style), ("no artist", cleaned.artist)) if not fact]
        return self.given.fill(replace(cleaned, incomplete=", ".join(gaps) or None))

    @staticmethod
    def _image(artwork: CleanedArtwork, imported: ImportedArtwork) -> ArtworkImage | None:
        return next((imported.opened[copy.file.path] for copy in artwork.copies if copy.file.path in imported.opened), None)

    def _artwork(self, artwork: CleanedArtwork, imported: ImportedArtwork, image: ArtworkImage | None) -> CatalogueArtwork:
        owners = [] if image is not None else [known.key for copy in artwork.copies if (known := self.known.get(copy.file.path))]
        return CatalogueArtwork(
            key=artwork.key,
            artist=artwork.artist,
            title=artwork.title,
            style=artwork.style,
            styles=artwork.styles,
            subset=artwork.subset,
            incomplete=artwork.incomplete,
            extra=artwork.extra,
            listed=artwork.listed,
            paths=tuple(_path(copy, imported) for copy in artwork.copies),
            picture=image,
            owner=owners[0] if owners else None,
            named=artwork.named,
            filled=frozenset(name for name, outcome in artwork.cells.items() if outcome is CellOutcome.FILLED),
        )


def _path(copy: ArtworkCopy, imported: ImportedArtwork) -> ArtworkPath:
    # A file that could not be read is opened again next time, whatever its modification time: rights change without it.
    read = imported.image is not None and copy.file.path not in imported.unreadable
    return ArtworkPath(
        path=copy.file.path,
        style=style_name(copy.name.style),
        repaired=copy.repaired,
        byte_size=copy.file.byte_size if read else None,
        modified_ns=copy.file.modified_ns if read else None,
    )
