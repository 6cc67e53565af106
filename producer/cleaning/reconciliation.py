"""What became of every row and every file, read off the joined artworks and not off the code that joined them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from producer.cleaning.join import JoinedArtwork
    from producer.readers import Catalogue

T = TypeVar("T")


class RowOutcome(StrEnum):
    """What became of a row."""

    #: It describes an artwork whose file is there.
    MATCHED = "matched"
    #: It describes an artwork that no file was found for: planned.
    MISSING_FILE = "missing_file"
    #: An earlier row describes the same artwork; this one filled its gaps.
    DUPLICATE = "duplicate"
    #: Its path was refused.
    REFUSED = "refused"


class FileOutcome(StrEnum):
    """What became of a file."""

    #: It is the original of its artwork.
    FIRST_COPY = "first_copy"
    #: Its artwork has an original already, under another path.
    SECOND_COPY = "second_copy"
    #: It has its artwork's name, but is another picture: an artwork of its own, or a copy of a third one.
    OTHER_PICTURE = "other_picture"
    #: The file list names the same path again.
    REPEATED = "repeated"
    #: Its path was refused.
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """Rows and files counted by outcome, and those that have none."""

    rows: int
    files: int
    row_outcomes: dict[str, int]
    file_outcomes: dict[str, int]
    #: Rows and files without an outcome; anything but empty is a bug.
    unexplained: tuple[str, ...]


def reconcile(catalogue: Catalogue, artworks: Sequence[JoinedArtwork]) -> Reconciliation:
    """Compare what came in with what came out."""
    rows = [outcome for artwork in artworks for outcome in _rows_of(artwork)]
    files = [outcome for artwork in artworks for outcome in _files_of(artwork)]
    refused_rows = sum(refused.row is not None for refused in catalogue.refused)
    refused_files = len(catalogue.refused) - refused_rows
    lost_rows = _difference((row.number for row in catalogue.rows), (number for number, _ in rows))
    lost_files = _difference((file.path for file in catalogue.files), (path for path, _ in files))
    return Reconciliation(
        rows=len(catalogue.rows) + refused_rows,
        files=len(catalogue.files) + refused_files,
        row_outcomes=_counts(RowOutcome, (outcome for _, outcome in rows), refused_rows),
        file_outcomes=_counts(FileOutcome, (outcome for _, outcome in files), refused_files),
        unexplained=(*(f"row {number}" for number in lost_rows), *lost_files),
    )


def _rows_of(artwork: JoinedArtwork) -> Iterator[tuple[int, RowOutcome]]:
    """The number of each of an artwork's rows, and what became of it."""
    first = RowOutcome.MATCHED if artwork.copies else RowOutcome.MISSING_FILE
    for position, row in enumerate(artwork.rows):
        yield row.number, RowOutcome.DUPLICATE if position else first


def _files_of(artwork: JoinedArtwork) -> Iterator[tuple[str, FileOutcome]]:
    """The path of each of an artwork's files, and what became of it."""
    for position, copy in enumerate(artwork.copies):
        yield copy.file.path, FileOutcome.SECOND_COPY if position else FileOutcome.FIRST_COPY
    for file in artwork.repeated:
        yield file.path, FileOutcome.REPEATED


def _difference(given: Iterable[T], found: Iterable[T]) -> list[T]:
    """What was given and not found as many times, in its order, then what was found without being given."""
    counts = Counter(given)
    counts.subtract(found)
    return [one for one, times in counts.items() if times]


def _counts(outcomes: type[StrEnum], found: Iterable[StrEnum], refused: int) -> dict[str, int]:
    """How many rows or files had each outcome, zero included."""
    counts = Counter[str](found)
    counts["refused"] += refused
    return {outcome: counts[outcome] for outcome in outcomes}
