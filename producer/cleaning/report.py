"""The cleaning report: what was missing, what was repaired, what is left, and what became of every row and file."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from producer.cleaning.facts import UNCERTAIN, Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.catalogue.types import CatalogueChanges
    from producer.cleaning.facts import CleanWork
    from producer.cleaning.reconciliation import Reconciliation
    from producer.image_import import ImportedArtwork
    from producer.readers import Catalogue

#: Longest list of single cases in a report; counts are always whole.
CASES = 1_000


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """How complete one column is: `missing` cells were empty or broken, of them `repaired` are known now and `left` are not."""

    of: int
    missing: int
    repaired: int
    left: int


@dataclass(kw_only=True)
class CleaningReport:
    """One ingest in numbers, as the operator and scripts see it."""

    catalogue: str
    reader: str
    rows: int
    files: int
    artworks: int
    second_copies: int
    #: Files whose name had to be repaired, and the works they belong to.
    names_repaired: int
    works_with_repaired_names: int
    uncertain_artists: int
    complete: int
    incomplete: int
    #: Works none of whose files can be read.
    unreadable: int
    #: Works whose file is not there (yet).
    missing_files: int
    refused: int
    unexplained: int
    #: What the record did not know before.
    changes: dict[str, int]
    details: dict[str, Any]
    #: Pictures of this report.
    charts: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json` and the record."""
        return asdict(self)


@dataclass(kw_only=True)
class ReportBuilder:
    """A report in the making: what cleaning found, and pictures as they are opened."""

    catalogue: Catalogue
    reconciliation: Reconciliation
    works: Sequence[CleanWork]
    unreadable: list[dict[str, str]] = field(default_factory=list)
    unreadable_works: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def add(self, opened: ImportedArtwork) -> None:
        """Count one opened work."""
        self.unreadable_works += opened.picture is not None and opened.picture.reason is not None
        self.unreadable += [{"artwork": opened.work.key, "path": path, "reason": reason} for path, reason in opened.unreadable.items()]
        if opened.size is not None:
            self.sizes.append(opened.size)

    def report(self, changes: CatalogueChanges) -> CleaningReport:
        """The finished report."""
        works, reconciliation = self.works, self.reconciliation
        repaired = [sum(copy.repaired for copy in work.copies) for work in works]
        incomplete = [work for work in works if work.incomplete]
        return CleaningReport(
            catalogue=self.catalogue.source,
            reader=self.catalogue.reader,
            rows=reconciliation.rows,
            files=reconciliation.files,
            artworks=len(works),
            second_copies=reconciliation.file_outcomes["second_copy"],
            names_repaired=sum(repaired),
            works_with_repaired_names=sum(times > 0 for times in repaired),
            uncertain_artists=sum(_uncertain(work) for work in works),
            complete=len(works) - len(incomplete),
            incomplete=len(incomplete),
            unreadable=self.unreadable_works,
            missing_files=reconciliation.row_outcomes["missing_file"],
            refused=len(self.catalogue.refused),
            unexplained=len(reconciliation.unexplained),
            changes=asdict(changes),
            details=self._details(incomplete),
        )

    def _details(self, incomplete: Sequence[CleanWork]) -> dict[str, Any]:
        sizes, measured = self._sizes()
        return {
            "columns": {name: asdict(column) for name, column in self._columns().items()},
            "styles": dict(Counter(work.style or "no style" for work in self.works).most_common()),
            "incomplete_reasons": dict(Counter(work.incomplete or "" for work in incomplete)),
            "incomplete": [{"artwork": work.key, "reason": work.incomplete} for work in incomplete[:CASES]],
            "uncertain_artists": [work.key for work in self.works if _uncertain(work)][:CASES],
            "unreadable": self.unreadable[:CASES],
            "refused": [asdict(refusal) for refusal in self.catalogue.refused[:CASES]],
            "missing_files": [work.key for work in self.works if not work.copies][:CASES],
            "lists_read": sum(row.styles.startswith("[") for row in self.catalogue.rows),
            "rows": self.reconciliation.row_outcomes,
            "files": self.reconciliation.file_outcomes,
            "unexplained": list(self.reconciliation.unexplained[:CASES]),
            "sizes": {"measured": measured, "pixels": _histogram(sizes)},
        }

    def _columns(self) -> dict[str, ColumnReport]:
        """Our four columns as cleaning left them, then the catalogue's further ones, which are taken as they are."""
        columns = {"file": self._files()}
        for name in ("artist", "title", "style"):
            cells = Counter(work.cells[name] for work in self.works)
            repaired, left = cells[Cell.REPAIRED], cells[Cell.LEFT]
            columns[name] = ColumnReport(of=len(self.works), missing=repaired + left, repaired=repaired, left=left)
        taken = {self.catalogue.columns.get(name) for name in ("path", "artist", "title", "styles")}
        for name, empty in self.catalogue.empty.items():
            if name and name not in taken:
                columns[name] = ColumnReport(of=self.reconciliation.rows, missing=empty, repaired=0, left=empty)
        return columns

    def _files(self) -> ColumnReport:
        """Files without a row of exactly their path; of them those that found their work all the same, and those that no row describes."""
        named = {row.path for row in self.catalogue.rows}
        joined = left = 0
        for work in self.works:
            strange = sum(copy.file.path not in named for copy in work.copies)
            joined += strange if work.listed else 0
            left += 0 if work.listed else strange
        return ColumnReport(of=self.reconciliation.files, missing=joined + left, repaired=joined, left=left)

    def _sizes(self) -> tuple[list[tuple[int, int]], bool]:
        """Measured sizes; where no picture was opened, those that the catalogue claims, and whether they are measured."""
        if self.sizes:
            return self.sizes, True
        claims = [(work.extra.get("width", ""), work.extra.get("height", "")) for work in self.works]
        return [(int(width), int(height)) for width, height in claims if width.isdecimal() and height.isdecimal()], False


def _uncertain(work: CleanWork) -> bool:
    return (work.subset or "").casefold() == UNCERTAIN


def _histogram(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Sizes as [width, height, number of works], the commonest first."""
    return [[width, height, times] for (width, height), times in Counter(sizes).most_common(CASES)]
