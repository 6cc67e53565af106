"""What became of every row of a results file, and the report that adds them up."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

#: Rows that are told one by one in the report itself; the others stand in the file beside it.
FIRST_ROWS = 1_000


class ResultRowOutcome(StrEnum):
    """What became of one row."""

    #: Its results are new, or would be in a dry run.
    ADDED = "added"
    #: It took the place of older results, which are history now.
    SUPERSEDED = "superseded"
    #: The database held all of it.
    UNCHANGED = "unchanged"
    #: An earlier row says the same.
    REPEATED = "repeated"
    #: It names no registered artwork, or none whose original is there.
    NO_ORIGINAL = "no_original"
    #: It may mean several artworks.
    AMBIGUOUS = "ambiguous"
    #: Its repaint is not there, or several files may be it.
    NO_FILE = "no_file"
    #: Its repaint cannot be decoded.
    UNREADABLE = "unreadable"
    #: Its repaint is black, flat, or the original itself.
    DEGENERATE = "degenerate"
    #: It brings neither a caption nor a prompt nor a repaint.
    EMPTY = "empty"
    #: A level, seed or ordinal that cannot be one, or a level that the campaign does not have.
    BAD_CELL = "bad_cell"
    #: Its job was cancelled, which is final.
    CANCELLED = "cancelled"
    #: The campaign makes its own results and has yet to plan this artwork.
    NOT_PLANNED = "not_planned"


#: The outcomes of rows of which nothing was taken in: all but the first three.
SKIPPED = tuple(ResultRowOutcome)[3:]


class SkippedRow(Exception):  # an outcome, not an error
    """Nothing of a row is taken in; it goes on with the next."""

    def __init__(self, outcome: ResultRowOutcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class ToldRow:
    """A row of which nothing was taken in, and why."""

    #: Its position among the data rows, from 1.
    row: int
    #: The original and the repaint as the file names them.
    original: str
    repaint: str
    #: One of those that the report counts.
    outcome: str
    #: What is wrong with it, on one line.
    reason: str


@dataclass(kw_only=True)
class ResultCounts:
    """Counts what became of the rows, one by one."""

    outcomes: Counter[str] = field(default_factory=Counter)
    #: What was done with the canvas of each repaint that was taken in.
    canvases: Counter[str] = field(default_factory=Counter)
    #: How originals were found.
    joined_by: Counter[str] = field(default_factory=Counter)
    #: Facts of rows that were left out though the row was taken in.
    left_out: Counter[str] = field(default_factory=Counter)
    told: list[ToldRow] = field(default_factory=list)
    rows: int = 0

    def skip(self, *, number: int, original: str, repaint: str, skipped: SkippedRow) -> None:
        """Count a row of which nothing is taken in, and tell it."""
        self.outcomes[skipped.outcome] += 1
        self.told.append(ToldRow(row=number, original=original, repaint=repaint, outcome=str(skipped.outcome), reason=skipped.reason))

    def count(self, outcome: ResultRowOutcome) -> None:
        """Count a row that was taken in, or is known already."""
        self.outcomes[outcome] += 1


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did; the outcomes add up to the rows."""

    #: Name of the campaign that has them now.
    campaign: str
    #: Where the results are from, as their provenance tells it.
    source: str
    #: Data rows of the file.
    rows: int
    #: Outcome to number of rows, zero included.
    outcomes: dict[str, int]
    #: Rows without an outcome; anything but 0 is a bug.
    unexplained: int
    #: Form of canvas to number of repaints that were taken in now.
    canvases: dict[str, int]
    #: How originals were found to number of rows.
    joined_by: dict[str, int]
    #: What was left out of rows that were taken in.
    left_out: dict[str, int]
    #: Our names of facts to the file's columns.
    columns: dict[str, str]
    #: Columns that hold none of our facts.
    unread_columns: list[str]
    #: The first rows of which nothing was taken in, each with its reason.
    skipped: list[ToldRow]
    #: A CSV of all of them; None if there are none, or in a dry run.
    skipped_file: str | None
    #: Whether nothing was written.
    dry_run: bool

    @property
    def taken_in(self) -> int:
        """Rows whose results the campaign holds now."""
        return sum(self.outcomes[outcome] for outcome in (ResultRowOutcome.ADDED, ResultRowOutcome.SUPERSEDED, ResultRowOutcome.UNCHANGED))


def report(tally: ResultCounts, **facts: Any) -> ImportReport:
    """The report of a finished import."""
    outcomes = {str(outcome): tally.outcomes[outcome] for outcome in ResultRowOutcome}
    return ImportReport(
        rows=tally.rows,
        outcomes=outcomes,
        unexplained=tally.rows - sum(outcomes.values()),
        canvases=dict(tally.canvases),
        joined_by=dict(tally.joined_by),
        left_out=dict(tally.left_out),
        skipped=tally.told[:FIRST_ROWS],
        **facts,
    )


def write_skipped(told: list[ToldRow], path: Path) -> None:
    """All rows of which nothing was taken in, as a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(ToldRow.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(vars(row) for row in sorted(told, key=lambda row: row.row))
