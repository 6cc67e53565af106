"""The account: what became of every row and every file, read off the finished works and not off the code that made them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.cleaning.join import Draft
    from producer.readers import Catalogue


class RowOutcome(StrEnum):
    """Where a row ended."""

    #: It describes a work whose file is there.
    MATCHED = "matched"
    #: It describes a work that no file was found for: planned.
    MISSING_FILE = "missing_file"
    #: An earlier row describes the same work; this one filled its gaps.
    DUPLICATE = "duplicate"
    #: Its path was refused.
    REFUSED = "refused"


class FileOutcome(StrEnum):
    """Where a file ended."""

    #: It is the original of its work.
    FIRST_COPY = "first_copy"
    #: Its work was there already, under another path.
    SECOND_COPY = "second_copy"
    #: The file list names the same path again.
    REPEATED = "repeated"
    #: Its path was refused.
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """Counts by fate, and what has none."""

    rows: int
    files: int
    row_outcomes: dict[str, int]
    file_outcomes: dict[str, int]
    #: Rows and files that ended nowhere; anything but empty is a fault of the program.
    unexplained: tuple[str, ...]


def reconcile(catalogue: Catalogue, drafts: Sequence[Draft]) -> Reconciliation:
    """Hold what came in against what came out."""
    row_outcomes, file_outcomes = Counter[str](), Counter[str]()
    rows_left = Counter(row.number for row in catalogue.rows)
    files_left = Counter(file.path for file in catalogue.files)
    for draft in drafts:
        for place, row in enumerate(draft.rows):
            first = RowOutcome.MATCHED if draft.copies else RowOutcome.MISSING_FILE
            row_outcomes[RowOutcome.DUPLICATE if place else first] += 1
            rows_left[row.number] -= 1
        for place, copy in enumerate(draft.copies):
            file_outcomes[FileOutcome.SECOND_COPY if place else FileOutcome.FIRST_COPY] += 1
            files_left[copy.file.path] -= 1
        for file in draft.repeated:
            file_outcomes[FileOutcome.REPEATED] += 1
            files_left[file.path] -= 1
    refused_rows = sum(refusal.row is not None for refusal in catalogue.refused)
    refused_files = len(catalogue.refused) - refused_rows
    row_outcomes[RowOutcome.REFUSED] += refused_rows
    file_outcomes[FileOutcome.REFUSED] += refused_files
    unexplained = [f"row {number}" for number, times in rows_left.items() if times] + [path for path, times in files_left.items() if times]
    return Reconciliation(
        rows=len(catalogue.rows) + refused_rows,
        files=len(catalogue.files) + refused_files,
        row_outcomes={fate: row_outcomes[fate] for fate in RowOutcome},
        file_outcomes={fate: file_outcomes[fate] for fate in FileOutcome},
        unexplained=tuple(unexplained),
    )
