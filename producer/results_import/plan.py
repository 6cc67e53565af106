"""What each row of a results file is about: its artwork, its variation and its repaint's file; nothing is opened yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from db.enums import ImageState
from producer.results_import.outcomes import ResultRowOutcome, SkippedRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from db.catalogue.names import NamedArtwork
    from producer.readers.catalogue import CatalogueFile
    from producer.results_import.originals import OriginalIndex
    from producer.results_import.outcomes import ResultCounts
    from producer.results_import.repaint_files import RepaintFiles
    from producer.results_import.result_rows import ResultRow

#: The level of repaints of which nobody tells how far they were to go.
UNKNOWN_LEVEL = "unknown"
#: Columns of a catalogue that hold the level of an artwork's repaints.
_LEVEL_COLUMNS = ("category", "level")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedResult:
    """A row whose artwork is known."""

    row: ResultRow
    artwork: NamedArtwork
    level: str
    ordinal: int
    #: None if the row brings no repaint.
    file: CatalogueFile | None
    #: The caption of the original, if this row is the first that tells it.
    caption: str

    @property
    def has_variation(self) -> bool:
        """Whether the row is about a repaint, and not about the original alone."""
        return bool(self.file or self.row.prompt or self.row.draft)


@dataclass(kw_only=True)
class ResultPlanner:
    """Gives rows their artworks and variations, in the order of the file, so that the same file is always read the same way."""

    originals: OriginalIndex
    #: None if no folder of repaints is looked into.
    files: RepaintFiles | None
    #: Whether the file has a column for repaints; else they are found by their originals' names.
    names_repaints: bool
    #: The level of rows that tell none; empty for that of the catalogue.
    level: str
    #: The levels that the campaign has; None for one that is opened with those that are found.
    levels: Collection[str] | None
    tally: ResultCounts
    #: The first caption of each artwork.
    _captions: dict[int, str] = field(default_factory=dict)
    #: The variations that are taken.
    _taken: set[tuple[int, str, int]] = field(default_factory=set)
    #: What rows without an ordinal said, so that one that says it again is known.
    _said: set[tuple[int, str, str, str, str]] = field(default_factory=set)

    def plan(self, rows: Iterable[ResultRow]) -> list[PlannedResult]:
        """The rows that are to be taken in; the others are counted and told."""
        planned = []
        for row in rows:
            self.tally.rows += 1
            try:
                planned.append(self._planned(row))
            except SkippedRow as skipped:
                self.tally.skip(number=row.number, original=row.original, repaint=row.repaint, skipped=skipped)
        return planned

    def _planned(self, row: ResultRow) -> PlannedResult:
        if row.fault:
            raise SkippedRow(ResultRowOutcome.BAD_CELL, row.fault)
        artwork = self._artwork(row)
        file = self._file(row)
        if file is not None and (artwork.picture is not ImageState.PRESENT or not artwork.content_hash):
            reason = f"the original of {artwork.key} is not there: run `paragone ingest` on the images"
            raise SkippedRow(ResultRowOutcome.NO_ORIGINAL, reason)
        if not (file or row.caption or row.prompt or row.draft):
            raise SkippedRow(ResultRowOutcome.EMPTY, "it brings neither a caption nor a prompt nor a repaint")
        if row.recaption and file is None:
            self.tally.left_out["captions of repaints that the row does not bring"] += 1
            row = replace(row, recaption="")
        planned = PlannedResult(row=row, artwork=artwork, level=self._level(row, artwork), ordinal=0, file=file, caption="")
        if planned.has_variation:
            planned = replace(planned, ordinal=self._ordinal(planned))
        caption = self._caption(row, artwork)
        if not planned.has_variation and not caption:
            raise SkippedRow(ResultRowOutcome.REPEATED, "an earlier row has a caption of the same original")
        return replace(planned, caption=caption)

    def _artwork(self, row: ResultRow) -> NamedArtwork:
        named = row.original or row.repaint
        if not named:
            raise SkippedRow(ResultRowOutcome.NO_ORIGINAL, "the row names no original")
        found = self.originals.find(named)
        if not found.artworks:
            raise SkippedRow(
                ResultRowOutcome.NO_ORIGINAL, f"no registered artwork is called {named}: run `paragone ingest` on its catalogue first"
            )
        if found.artwork is None:
            keys = ", ".join(sorted(artwork.key for artwork in found.artworks)[:3])
            raise SkippedRow(ResultRowOutcome.AMBIGUOUS, f"{named} may be one of {len(found.artworks)} artworks: {keys}")
        self.tally.joined_by[str(found.by)] += 1
        return found.artwork

    def _file(self, row: ResultRow) -> CatalogueFile | None:
        if self.files is None:
            return None
        if row.repaint:
            found = self.files.find(row.repaint)
            if found.file is None:
                raise SkippedRow(ResultRowOutcome.NO_FILE, found.reason)
            return found.file
        return None if self.names_repaints else self.files.of_original(row.original).file

    def _level(self, row: ResultRow, artwork: NamedArtwork) -> str:
        of_catalogue = next((str(artwork.extra[name]).strip().casefold() for name in _LEVEL_COLUMNS if artwork.extra.get(name)), "")
        if not of_catalogue.isidentifier() or len(of_catalogue) > 32:  # noqa: PLR2004  # the column's width
            of_catalogue = ""
        level = row.level or self.level or of_catalogue or UNKNOWN_LEVEL
        about_repaint = row.prompt or row.draft or row.repaint
        if self.levels is not None and level not in self.levels and about_repaint:
            reason = f"the campaign has no level {level}, only {', '.join(sorted(self.levels))}: say which with --level"
            raise SkippedRow(ResultRowOutcome.BAD_CELL, reason)
        return level

    def _ordinal(self, planned: PlannedResult) -> int:
        """Which of the artwork's repaints of this level it is: as given, else the next that is free."""
        row, artwork_id, level = planned.row, planned.artwork.id, planned.level
        if row.ordinal is None:
            said = (artwork_id, level, planned.file.path if planned.file else "", row.draft, row.prompt)
            if said in self._said:
                raise SkippedRow(ResultRowOutcome.REPEATED, "an earlier row says the same")
            self._said.add(said)
            ordinal = next(number for number in range(len(self._taken) + 1) if (artwork_id, level, number) not in self._taken)
        else:
            ordinal = row.ordinal
            if (artwork_id, level, ordinal) in self._taken:
                raise SkippedRow(ResultRowOutcome.REPEATED, f"an earlier row is of the same original, level {level} and ordinal {ordinal}")
        self._taken.add((artwork_id, level, ordinal))
        return ordinal

    def _caption(self, row: ResultRow, artwork: NamedArtwork) -> str:
        if not row.caption:
            return ""
        first = self._captions.get(artwork.id)
        if first is None:
            self._captions[artwork.id] = row.caption
            return row.caption
        if first != row.caption:
            self.tally.left_out["further captions of the same original"] += 1
        return ""
