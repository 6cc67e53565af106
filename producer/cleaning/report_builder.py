"""Builds the cleaning report while the artworks of a catalogue are cleaned and their images opened."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from producer.cleaning.facts import UNCERTAIN, CellOutcome
from producer.cleaning.report import CleaningReport, ColumnReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.catalogue.types import CatalogueChanges
    from producer.cleaning.facts import CleanedArtwork
    from producer.cleaning.reconciliation import Reconciliation
    from producer.image_import import ImportedArtwork
    from producer.readers import Catalogue

#: Longest list of single cases in a report; counts are always complete.
CASES = 1_000


@dataclass(kw_only=True)
class ReportBuilder:
    """Collects what cleaning found, and images as they are opened, into a report."""

    catalogue: Catalogue
    reconciliation: Reconciliation
    artworks: Sequence[CleanedArtwork]
    unreadable: list[dict[str, str]] = field(default_factory=list)
    unreadable_artworks: int = 0
    refilled: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def add(self, imported: ImportedArtwork) -> None:
        """Count one opened artwork."""
        self.unreadable_artworks += imported.image is not None and imported.image.reason is not None
        self.refilled += imported.refilled
        key = imported.artwork.key
        self.unreadable += [{"artwork": key, "path": path, "reason": reason} for path, reason in imported.unreadable.items()]
        if imported.size is not None:
            self.sizes.append(imported.size)

    def report(self, changes: CatalogueChanges) -> CleaningReport:
        """The finished report."""
        artworks, reconciliation = self.artworks, self.reconciliation
        repaired = [sum(copy.repaired for copy in artwork.copies) for artwork in artworks]
        incomplete = [artwork for artwork in artworks if artwork.incomplete]
        return CleaningReport(
            catalogue=self.catalogue.source,
            reader=self.catalogue.reader,
            rows=reconciliation.rows,
            files=reconciliation.files,
            artworks=len(artworks),
            second_copies=reconciliation.file_outcomes["second_copy"],
            names_repaired=sum(repaired),
            works_with_repaired_names=sum(times > 0 for times in repaired),
            uncertain_artists=sum(_uncertain(artwork) for artwork in artworks),
            complete=len(artworks) - len(incomplete),
            incomplete=len(incomplete),
            unreadable=self.unreadable_artworks,
            missing_files=reconciliation.row_outcomes["missing_file"],
            refused=len(self.catalogue.refused),
            unexplained=len(reconciliation.unexplained),
            refilled=self.refilled,
            changes=asdict(changes),
            details=self._details(incomplete),
        )

    def _details(self, incomplete: Sequence[CleanedArtwork]) -> dict[str, Any]:
        sizes, measured = self._sizes()
        return {
            "columns": {name: asdict(column) for name, column in self._columns().items()},
            "styles": dict(Counter(artwork.style or "no style" for artwork in self.artworks).most_common()),
            "incomplete_reasons": dict(Counter(artwork.incomplete or "" for artwork in incomplete)),
            "incomplete": [{"artwork": artwork.key, "reason": artwork.incomplete} for artwork in incomplete[:CASES]],
            "uncertain_artists": [artwork.key for artwork in self.artworks if _uncertain(artwork)][:CASES],
            "unreadable": self.unreadable[:CASES],
            "refused": [asdict(refused) for refused in self.catalogue.refused[:CASES]],
            "missing_files": [artwork.key for artwork in self.artworks if not artwork.copies][:CASES],
            "lists_read": sum(row.styles.startswith("[") for row in self.catalogue.rows),
            "repairs": dict(self.catalogue.repairs),
            "skipped": dict(self.catalogue.skipped),
            "rows": self.reconciliation.row_outcomes,
            "files": self.reconciliation.file_outcomes,
            "unexplained": list(self.reconciliation.unexplained[:CASES]),
            "sizes": {"measured": measured, "pixels": _histogram(sizes)},
        }

    def _columns(self) -> dict[str, ColumnReport]:
        """Our four columns after cleaning, then the catalogue's further ones, which are not cleaned."""
        columns = {"file": self._files()}
        for name in ("artist", "title", "style"):
            cells = Counter(artwork.cells[name] for artwork in self.artworks)
            repaired, left = cells[CellOutcome.REPAIRED], cells[CellOutcome.LEFT]
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
