"""The page: one HTML file that needs no other file, with the contact sheet and the curves beside it as PNG."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trainer.evaluate.metrics_table import COLUMNS, table_rows
from trainer.fit.curves import plot_splits
from trainer.quality.scores_table import SCORE_COLUMNS, score_rows
from trainer.report.contact_sheet import UNTRAINED, draw_sheet
from trainer.report.thumbnails import data_uri

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.evaluate.evaluation import Evaluation
    from trainer.report.content import ReportContent

PAGE, SHEET, CURVES = "index.html", "sheet.png", "splits.png"

#: The largest canvas in pixels whose images are shown two artworks to a row: enlarged further, they would only look blurred.
_SMALL = 256
#: Job states in the order in which a job passes through them.
_STATES = ("waiting", "ready", "running", "done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """The files of a report; there are no curves before the first training."""

    page: Path
    sheet: Path
    curves: Path | None


def write_report(content: ReportContent, directory: Path) -> ReportFiles:
    """Write page, sheet and curves into the directory, replacing those of an earlier report."""
    directory.mkdir(parents=True, exist_ok=True)
    levels = [level.name for level in content.levels]
    draw_sheet(content.examples, levels, directory / SHEET, untrained=content.untrained)
    curves = directory / CURVES if content.runs else None
    if curves is not None:
        plot_splits({run.split: run.history for run in content.runs}, curves)
    (directory / PAGE).write_text(_render(content, curves), encoding="utf-8")
    return ReportFiles(page=directory / PAGE, sheet=directory / SHEET, curves=curves)


def _render(content: ReportContent, curves: Path | None) -> str:
    environment = Environment(
        loader=PackageLoader("trainer.report", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thumbnail"] = data_uri
    return environment.get_template("report.html.j2").render(
        report=content,
        untrained_note=UNTRAINED,
        small=_SMALL,
        columns=COLUMNS,
        score_columns=SCORE_COLUMNS,
        scores=score_rows(content.scores),
        evaluations=[(run, _rows(run.evaluation)) for run in content.runs],
        states=[state for state in _STATES if any(counts.get(state) for counts in content.counts.values())],
        curves=None if curves is None else "data:image/png;base64," + base64.b64encode(curves.read_bytes()).decode(),
    )


def _rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Table rows with the scorer's key, and whether a row is the first of a level."""
    rows = zip(evaluation.scores, table_rows(evaluation), strict=True)
    return [{"scorer": score.scorer, "cells": cells, "opens": score.scorer == "trained"} for score, cells in rows]
