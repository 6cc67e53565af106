"""Builds the cleaning report while the artworks of a catalogue are cleaned and their images opened."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from producer.cleaning.facts import UNCERTAIN, CellOutcome
from producer.cleaning.reconciliation import FileOutcome
from producer.cleaning.report import CleaningReport, ColumnReport
from producer.cleaning.similar_names import closest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.catalogue.types import CatalogueChanges, RecognisedArtworks
    from producer.cleaning.facts import CleanedArtwork
    from producer.cleaning.reconciliation import Reconciliation
    from producer.image_import import ImportedArtwork
    from producer.readers import Catalogue

#: Longest list of single cases in a report; counts are always complete.
CASES = 1_000
#: Rows and files without a partner that are compared for an example.
COMPARED = 200


@dataclass(kw_only=True)
class ReportBuilder:
    """Collects what cleaning found, and images as they are opened, into a report."""

    catalogue: Catalogue
    reconciliation: Reconciliation
    artworks: Sequence[CleanedArtwork]
    #: The folder that paths are relative to; empty where a list stands in for the files.
    image_root: str
    unreadable: list[dict[str, str]] = field(default_factory=list)
    unreadable_artworks: int = 0
    refilled: int = 0
    other_pictures: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """The paths of all files."""
        return [copy.file.path for artwork in self.artworks for copy in artwork.copies]

    def add(self, imported: ImportedArtwork, *, other_pictures: int = 0) -> None:
        """Count one opened artwork, and those of its files that are other pictures."""
        self.other_pictures += other_pictures
        self.unreadable_artworks += imported.image is not None and imported.image.reason is not None
        self.refilled += imported.refilled
        key = imported.artwork.key
        self.unreadable += [{"artwork": key, "path": path, "reason": reason} for path, reason in imported.unreadable.items()]
        if imported.size is not None:
            self.sizes.append(imported.size)

    def report(self, changes: CatalogueChanges, recognised: RecognisedArtworks) -> CleaningReport:
        """The finished report: what the artworks turned out to be, and what that changed."""
        artworks, reconciliation = self.artworks, self.reconciliation
        repaired = [sum(copy.repaired for copy in artwork.copies) for artwork in artworks]
        return CleaningReport(
            catalogue=self.catalogue.source,
            reader=self.catalogue.reader,
            rows=reconciliation.rows,
            files=reconciliation.files,
            artworks=len(recognised.ids),
            second_copies=self._files_by_outcome()["second_copy"],
            names_repaired=sum(repaired),
            works_with_repaired_names=sum(times > 0 for times in repaired),
            uncertain_artists=sum(_uncertain(artwork) for artwork in artworks),
            complete=len(recognised.ids) - len(recognised.incomplete),
            incomplete=len(recognised.incomplete),
            unreadable=self.unreadable_artworks,
            missing_files=reconciliation.row_outcomes["missing_file"],
            refused=len(self.catalogue.refused),
            unexplained=len(reconciliation.unexplained),
            refilled=self.refilled,
            joined_by_content=len(recognised.joined),
            same_name=len(recognised.same_name),
            similar_names=sum(copy.similar for artwork in artworks for copy in artwork.copies),
            filled=sum(CellOutcome.FILLED in artwork.cells.values() for artwork in artworks),
            changes=asdict(changes),
            details=self._details(recognised),
        )

    def _details(self, recognised: RecognisedArtworks) -> dict[str, Any]:
        sizes, measured = self._sizes()
        incomplete = list(recognised.incomplete.values())
        return {
            "columns": {name: asdict(column) for name, column in self._columns().items()},
            "styles": dict(Counter(artwork.style or "no style" for artwork in self.artworks).most_common()),
            "incomplete_reasons": dict(Counter(reason for _, reason in incomplete)),
            "incomplete": [{"artwork": key, "reason": reason} for key, reason in incomplete[:CASES]],
            "uncertain_artists": [artwork.key for artwork in self.artworks if _uncertain(artwork)][:CASES],
            "unreadable": self.unreadable[:CASES],
            "refused": [asdict(refused) for refused in self.catalogue.refused[:CASES]],
            "missing_files": [artwork.key for artwork in self.artworks if not artwork.copies][:CASES],
            "lists_read": sum(row.styles.startswith("[") for row in self.catalogue.rows),
            "repairs": dict(self.catalogue.repairs),
            "skipped": dict(self.catalogue.skipped),
            "rows": self.reconciliation.row_outcomes,
            "files": self._files_by_outcome(),
            "unexplained": list(self.reconciliation.unexplained[:CASES]),
            "sizes": {"measured": measured, "pixels": _histogram(sizes)},
            "refused_reasons": dict(Counter(refused.reason for refused in self.catalogue.refused).most_common()),
            "joined_by_content": [{"name": name, "artwork": key} for name, key in islice(recognised.joined.items(), CASES)],
            "same_name": [{"artwork": key, "name": name} for key, name in islice(recognised.same_name.items(), CASES)],
            "similar_names": self._similar_names(),
            "filled": {name: sum(artwork.cells[name] is CellOutcome.FILLED for artwork in self.artworks) for name in ("artist", "style")},
            "replaced": recognised.replaced[:CASES],
            "hints": self._hints(),
            "image_root": self.image_root,
        }

    def _files_by_outcome(self) -> dict[str, int]:
        """What became of files, now that those of one name have been compared."""
        outcomes = dict(self.reconciliation.file_outcomes)
        outcomes[FileOutcome.SECOND_COPY] -= self.other_pictures
        outcomes[FileOutcome.OTHER_PICTURE] += self.other_pictures
        return outcomes

    def _similar_names(self) -> list[dict[str, str]]:
        pairs = ((artwork.named[0], copy.file.path) for artwork in self.artworks for copy in artwork.copies if copy.similar)
        return [{"row": row, "file": file} for row, file in islice(pairs, CASES)]

    def _hints(self) -> list[str]:
        """What the operator could look at: rows and files that perhaps belong together."""
        rows = [artwork.named[0] for artwork in self.artworks if artwork.listed and not artwork.copies]
        files = [artwork.copies[0].file.path for artwork in self.artworks if not artwork.listed] if rows else []
        example = closest(rows[:COMPARED], files[:COMPARED])
        if example is None:
            return []
        counted = f"{len(rows):,} rows have no file and {len(files):,} files no row"
        return [f"{counted}, as {example[0]!r} and {example[1]!r}: check the column of paths, or --images"]

    def _columns(self) -> dict[str, ColumnReport]:
        """Our four columns after cleaning, then the catalogue's further ones, which are not cleaned."""
        columns = {"file": self._files()}
        for name in ("artist", "title", "style"):
            cells = Counter(artwork.cells[name] for artwork in self.artworks)
            repaired, left = cells[CellOutcome.REPAIRED] + cells[CellOutcome.FILLED], cells[CellOutcome.LEFT]
            columns[name] = ColumnReport(of=len(self.artworks), missing=repaired + left, repaired=repaired, left=left)
        own = {self.catalogue.columns.get(name) for name in ("path", "artist", "title", "styles")}
        for name, empty in self.catalogue.empty.items():
            if name and name not in own:
                columns[name] = ColumnReport(of=self.reconciliation.rows, missing=empty, repaired=0, left=empty)
        return columns

    def _files(self) -> ColumnReport:
        """Files whose exact path no row names: `repaired` ones were joined to their artwork anyway, `left` ones have no row at all."""
        named = {row.path for row in self.catalogue.rows}
        joined = left = 0
        for artwork in self.artworks:
            unnamed = sum(copy.file.path not in named for copy in artwork.copies)
            joined += unnamed if artwork.listed else 0
            left += 0 if artwork.listed else unnamed
        return ColumnReport(of=self.reconciliation.files, missing=joined + left, repaired=joined, left=left)

    def _sizes(self) -> tuple[list[tuple[int, int]], bool]:
        """Measured sizes, or the catalogue's where no image was opened, and whether they were measured."""
        if self.sizes:
            return self.sizes, True
        claims = [(artwork.extra.get("width", ""), artwork.extra.get("height", "")) for artwork in self.artworks]
        return [(int(width), int(height)) for width, height in claims if width.isdecimal() and height.isdecimal()], False


def _uncertain(artwork: CleanedArtwork) -> bool:
    return (artwork.subset or "").casefold() == UNCERTAIN


def _histogram(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Sizes as [width, height, number of artworks], the most common first."""
    return [[width, height, times] for (width, height), times in Counter(sizes).most_common(CASES)]
