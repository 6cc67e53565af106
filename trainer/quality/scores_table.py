"""Scores as tables of texts: for the terminal and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from db.quality import FilterCount, ScoreSummary

SCORE_COLUMNS = ("score", "level", "repaints", "mean", "sd", "5 %", "50 %", "95 %")
FILTER_COLUMNS = ("filter", "level", "fit", "kept", "unscored")

#: Numbers that name a group, of which a mean says nothing.
_NOT_SHOWN = ("near_duplicates",)

#: Columns that are aligned left.
_TEXT_COLUMNS = 2


def score_rows(summaries: Iterable[ScoreSummary]) -> list[tuple[str, ...]]:
    """The rows under `SCORE_COLUMNS`."""
    return [
        (one.name, one.level, str(one.count), *(f"{value:.3f}" for value in (one.mean, one.deviation, one.p5, one.p50, one.p95)))
        for one in summaries
        if one.name not in _NOT_SHOWN
    ]


def filter_rows(counts: Iterable[FilterCount]) -> list[tuple[str, ...]]:
    """The rows under `FILTER_COLUMNS`."""
    return [(one.where, one.level, str(one.fit), str(one.kept), str(one.unscored)) for one in counts]


def aligned(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """The table for a terminal."""
    lines = [columns, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
