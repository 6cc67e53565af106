"""The evaluation table as text: a block a level, the headline first, the verdict last, then what may be concluded."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from trainer.evaluation.columns import COLUMN_BY_NAME, COLUMNS
from trainer.evaluation.figures import Verdict
from trainer.evaluation.table import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.evaluation.figures import EvaluationFigure
    from trainer.evaluation.table import EvaluationRow, EvaluationTable, RobustnessRow

_WIDTH = 112

_VERDICTS = {Verdict.BETTER: "better", Verdict.EQUAL: "equal", Verdict.WORSE: "worse", Verdict.TOO_FEW: "too few"}


def terminal_table(table: EvaluationTable) -> str:
    """All of it for a terminal of 112 columns; figures with two digits of their 95 % interval."""
    parts = [_heading(table)]
    for level in table.levels:
        rows = [row for row in table.rows if row.level == level]
        parts.append("\n".join([_level_title(level), *_aligned(list(_lines(rows, table)))]))
    if table.robustness:
        parts.append("\n".join(["altered repaints as queries", *_aligned(list(_altered(table.robustness)))]))
    if table.conclusions:
        parts.append("\n".join(fill(f"- {sentence}", _WIDTH, subsequent_indent="  ") for sentence in table.conclusions))
    return "\n\n".join(parts)


def number(value: float) -> str:
    """Three digits without the leading 0, as tables of such figures are printed: .965, 1.000."""
    return f"{value:.3f}".replace("0.", ".", 1)


def interval_text(figure: EvaluationFigure) -> str:
    """The interval with two digits: .94-.98; "" where there is none.

    Ends are rounded outwards: an interval that leaves room for errors is never shown as 1.0.
    """
    if figure.low is None or figure.high is None:
        return ""
    return f"{_end(figure.low - 0.005)}-{_end(figure.high + 0.005)}"


def _end(value: float) -> str:
    text = f"{min(1.0, max(0.0, value)):.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


def _heading(table: EvaluationTable) -> str:
    reference = next(row.title for row in table.rows if row.scorer == table.reference)
    return (
        f"{table.repaints} repaints of {table.artworks} artworks by {table.clusters} test {table.clusters_by}s, "
        f"{table.gallery} originals to choose from.\n"
        f"Figures with 95 % intervals over {table.clusters_by}s; the verdict is beside {reference}, on {_headline(table)}."
    )


def _headline(table: EvaluationTable) -> str:
    return COLUMN_BY_NAME[table.headline].title


def _level_title(level: str) -> str:
    return "all levels" if level == ALL else level


def _lines(rows: Sequence[EvaluationRow], table: EvaluationTable) -> Iterator[tuple[str, ...]]:
    shown = [column for column in COLUMNS if column.main and any(row.cell(column.name) for row in rows)]
    yield "", *(column.title for column in shown), "verdict"
    for row in rows:
        cells = [row.cell(column.name) for column in shown]
        headline = row.cell(table.headline)
        verdict = None if headline is None else headline.verdict
        yield row.title, *("-" if cell is None else _figure(cell.figure) for cell in cells), _VERDICTS[verdict] if verdict else ""


def _figure(figure: EvaluationFigure) -> str:
    return f"{number(figure.value)} {interval_text(figure)}".strip()


def _altered(rows: Sequence[RobustnessRow]) -> Iterator[tuple[str, ...]]:
    """One line a scorer and level, one column an alteration."""
    alterations = list(dict.fromkeys(row.alteration for row in rows))
    column = rows[0].cells[0].column
    yield "R@1", "level", *alterations
    for scorer, title, level in dict.fromkeys((row.scorer, row.title, row.level) for row in rows):
        found = {row.alteration: row for row in rows if (row.scorer, row.level) == (scorer, level)}
        yield title, level, *(_recall(found.get(name), column) for name in alterations)


def _recall(row: RobustnessRow | None, column: str) -> str:
    cell = None if row is None else next((cell for cell in row.cells if cell.column == column), None)
    return "-" if cell is None else number(cell.figure.value)


def _aligned(lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
