"""The record of an evaluation: one table of scorers by columns, for each level, kept as JSON with a model and printed by commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from trainer.evaluation.figures import EvaluationFigure, ReferenceDifference, Verdict

#: The level of rows over all levels together.
ALL = "all"


class ScorerKind(StrEnum):
    """What stands in a row."""

    #: A head that was fitted on pairs.
    TRAINED = "trained"
    #: A backbone as it is.
    FROZEN = "frozen"
    #: A scorer that sees too little to know what a picture shows.
    PROBE = "probe"
    #: A scorer to which all pictures are equally alike.
    CHANCE = "chance"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class EvaluationCell(_Record):
    """One figure of one scorer."""

    #: Name of the column, such as "same_shape" or "recall_at_1".
    column: str
    figure: EvaluationFigure
    #: Less the reference's; None for the reference itself, for chance, and where there is none to compare with.
    difference: ReferenceDifference | None = None
    #: What the difference allows to say.
    verdict: Verdict | None = None


class EvaluationRow(_Record):
    """One scorer at one level."""

    #: "trained", the name of a space such as "clip", of a probe, or "chance".
    scorer: str
    #: The same for people.
    title: str
    kind: ScorerKind
    #: A level, or "all".
    level: str
    #: Columns without a repaint to count are left out.
    cells: tuple[EvaluationCell, ...]

    def cell(self, column: str) -> EvaluationCell | None:
        """The figure in that column, if there is one."""
        return next((cell for cell in self.cells if cell.column == column), None)


class EvaluationBreakdown(_Record):
    """The rows over a part of the repaints."""

    #: "style", or "ordinal" of the variation: another ordinal is another seed.
    by: str
    part: str
    rows: tuple[EvaluationRow, ...]


class RobustnessRow(_Record):
    """Retrieval by one scorer at one level with queries that were altered."""

    scorer: str
    title: str
    kind: ScorerKind
    level: str
    #: Name of the alteration, "none" for the same queries as they are.
    alteration: str
    cells: tuple[EvaluationCell, ...]


class EvaluationTable(_Record):
    """All rows, what they were computed on, and what may be concluded."""

    #: Of this record; an evaluation of triplets alone has none.
    format: Literal[2] = 2
    #: The column that a headline may be taken from.
    headline: str
    #: Name of the scorer that differences are taken to.
    reference: str
    #: What was resampled for the intervals: "artist", or "artwork" where no artist is known.
    clusters_by: str
    #: How many of these there are on the test side.
    clusters: int
    #: Groups of copies that have a repaint.
    artworks: int
    #: Originals to choose from.
    gallery: int
    repaints: int
    #: Level by level, all levels together first.
    rows: tuple[EvaluationRow, ...]
    #: The same over parts of the repaints, in fewer columns.
    breakdowns: tuple[EvaluationBreakdown, ...] = ()
    #: Retrieval with altered queries, where it was asked for.
    robustness: tuple[RobustnessRow, ...] = ()
    #: Sentences for people.
    conclusions: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the rows, in order."""
        return tuple(dict.fromkeys(row.level for row in self.rows))

    def row(self, scorer: str, level: str = ALL) -> EvaluationRow:
        """One row; raises `KeyError` if there is none."""
        for row in self.rows:
            if (row.scorer, row.level) == (scorer, level):
                return row
        raise KeyError((scorer, level))

    def figure(self, scorer: str, column: str, level: str = ALL) -> EvaluationFigure:
        """One figure; raises `KeyError` if there is none."""
        cell = self.row(scorer, level).cell(column)
        if cell is None:
            raise KeyError((scorer, column, level))
        return cell.figure
