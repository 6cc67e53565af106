"""Scorers and a table of pairs to the evaluation table, one scorer after another, so that only one is in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.pair_table import UNKNOWN
from trainer.errors import NothingToTrainOn
from trainer.evaluation.columns import COLUMN_BY_NAME, COLUMNS, DETECTED, GENERATED, HEADLINE, OTHER_STYLE, RECALL_AT_1, Better
from trainer.evaluation.conclusions import conclude
from trainer.evaluation.figures import EvaluationFigure, verdict_of
from trainer.evaluation.table import ALL, EvaluationBreakdown, EvaluationCell, EvaluationRow, EvaluationTable, ScorerKind
from trainer.evaluation.table_metrics import TABLE_METRICS
from trainer.metrics.intervals import clusters_of_repaints

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from trainer.data.pair_table import PairTable
    from trainer.evaluation.metric_suite import MetricSuite
    from trainer.evaluation.scorers import EvaluatedScorer
    from trainer.evaluation.table import RobustnessRow

    Numbers = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]

#: Order of the rows of a level.
_KINDS = tuple(ScorerKind)

#: Columns of breakdowns.
_BROKEN_DOWN = (HEADLINE, OTHER_STYLE, GENERATED, RECALL_AT_1)


def evaluate_scorers(
    scorers: Iterable[EvaluatedScorer],
    table: PairTable,
    *,
    metrics: MetricSuite = TABLE_METRICS,
    breakdowns: Sequence[str] = (),
    robustness: Sequence[RobustnessRow] = (),
) -> EvaluationTable:
    """The table; the first scorer is the reference: its neighbours are the hard negatives, and differences are taken to it.

    `breakdowns` are of "style" and "ordinal".

    Raises:
        NothingToTrainOn: there is no repaint, or no scorer.
    """
    if not len(table.repaints):
        raise NothingToTrainOn("there is no repaint to evaluate: the images of the test side have no embeddings")
    measured: list[_Measured] = []
    nearest: Numbers | None = None
    for scorer in scorers:
        nearest = metrics.nearest(scorer.similarities, table) if nearest is None else nearest
        measured.append(_measure(scorer, table, nearest, metrics))
    if not measured:
        raise NothingToTrainOn("there is no scorer to evaluate")
    clusters, clusters_by = artist_clusters(table)
    cells = CellBuilder(metrics, clusters, measured[0].values)
    ordered = sorted(measured, key=lambda one: _KINDS.index(one.kind))
    evaluation = EvaluationTable(
        headline=HEADLINE,
        reference=measured[0].name,
        clusters_by=clusters_by,
        clusters=len(np.unique(clusters)),
        artworks=len(np.unique(table.repaint_groups)),
        gallery=len(table.originals),
        repaints=len(table.repaints),
        rows=tuple(_rows(ordered, table, cells)),
        breakdowns=tuple(_breakdowns(ordered, table, cells, breakdowns)),
        robustness=tuple(robustness),
    )
    return evaluation.model_copy(update={"conclusions": tuple(conclude(evaluation))})


def artist_clusters(table: PairTable) -> tuple[Numbers, str]:
    """(M,) the cluster of each repaint, and what clusters are: artists; a group without a known artist is a cluster of its own."""
    clusters, known = clusters_of_repaints(table), table.originals.artists != UNKNOWN
    return clusters, "artist" if known.any() else "artwork"


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A scorer's values: all that is kept of it."""

    name: str
    title: str
    kind: ScorerKind
    #: Column to (M,) values, NaN where there is nothing to compare with.
    values: Mapping[str, Values]
    #: Level to figures that are no means.
    figures: Mapping[str, Mapping[str, EvaluationFigure]] = field(default_factory=dict)


@dataclass(frozen=True)
class CellBuilder:
    """Values to cells, with the differences to the reference's values."""

    metrics: MetricSuite
    clusters: Numbers
    reference: Mapping[str, Values]

    def cell(self, column: str, values: Values, rows: Numbers, kind: ScorerKind) -> EvaluationCell | None:
        """The cell over these rows of repaints; None if none of them has a value."""
        chosen = rows[np.isfinite(values[rows])]
        if not len(chosen):
            return None
        clusters = self.clusters[chosen]
        figure = EvaluationFigure.model_validate(self.metrics.mean(values[chosen], clusters))
        if kind is ScorerKind.CHANCE:
            return EvaluationCell(column=column, figure=figure.model_copy(update={"low": None, "high": None}))
        reference = self.reference.get(column)
        better = COLUMN_BY_NAME[column].better
        if reference is None or reference is values or better is Better.NEITHER or not np.isfinite(reference[chosen]).all():
            return EvaluationCell(column=column, figure=figure)
        difference = self.metrics.difference(values[chosen], reference[chosen], clusters)
        verdict = verdict_of(difference, figure.clusters, larger_is_better=better is Better.LARGER)
        return EvaluationCell(column=column, figure=figure, difference=difference, verdict=verdict)


def _measure(scorer: EvaluatedScorer, table: PairTable, nearest: Numbers, metrics: MetricSuite) -> _Measured:
    values = {**metrics.accuracies(scorer.similarities, table, nearest), **metrics.retrieval(scorer.similarities, table)}
    if scorer.detected is not None:
        values[DETECTED] = scorer.detected
    figures = {}
    if metrics.set_figures is not None:
        figures = {level: metrics.set_figures(scorer, table, rows) for level, rows in _level_rows(table).items()}
    return _Measured(name=scorer.name, title=scorer.title, kind=scorer.kind, values=values, figures=figures)


def _level_rows(table: PairTable) -> dict[str, Numbers]:
    """All repaints, then those of each level if there are several."""
    levels = table.levels if len(table.levels) > 1 else ()
    return {ALL: np.arange(len(table.repaints)), **{level: np.flatnonzero(table.repaints.levels == level) for level in levels}}


def _rows(measured: Sequence[_Measured], table: PairTable, cells: CellBuilder) -> Iterator[EvaluationRow]:
    for level, rows in _level_rows(table).items():
        for one in measured:
            yield _row(one, level, rows, cells, figures=one.figures.get(level, {}))


def _row(
    one: _Measured,
    level: str,
    rows: Numbers,
    cells: CellBuilder,
    *,
    names: Collection[str] = COLUMN_BY_NAME,
    figures: Mapping[str, EvaluationFigure] | None = None,
) -> EvaluationRow:
    found = []
    for column in (column for column in COLUMNS if column.name in names):
        if column.name in one.values:
            found.append(cells.cell(column.name, one.values[column.name], rows, one.kind))
        elif figures and column.name in figures:
            found.append(EvaluationCell(column=column.name, figure=EvaluationFigure.model_validate(figures[column.name])))
    return EvaluationRow(scorer=one.name, title=one.title, kind=one.kind, level=level, cells=tuple(cell for cell in found if cell))


def _breakdowns(
    measured: Sequence[_Measured], table: PairTable, cells: CellBuilder, wanted: Sequence[str]
) -> Iterator[EvaluationBreakdown]:
    for by in wanted:
        for part, rows in _parts(table, by).items():
            levels = np.unique(table.repaints.levels[rows])
            chosen = {str(level): rows[table.repaints.levels[rows] == level] for level in levels}
            made = tuple(_row(one, level, mine, cells, names=_BROKEN_DOWN) for level, mine in chosen.items() for one in measured)
            yield EvaluationBreakdown(by=by, part=part, rows=made)


def _parts(table: PairTable, by: str) -> dict[str, Numbers]:
    """Rows of repaints by style of their original (one of two styles is in both parts), or by ordinal."""
    if by == "ordinal":
        return {str(ordinal): np.flatnonzero(table.repaints.ordinals == ordinal) for ordinal in np.unique(table.repaints.ordinals)}
    if by != "style":
        raise ValueError(f"there is no breakdown by {by!r}, only by style and ordinal")
    styles = [table.originals.styles[original] for original in table.repaints.originals.tolist()]
    return {style: np.array([row for row, own in enumerate(styles) if style in own]) for style in sorted(frozenset().union(*styles))}
