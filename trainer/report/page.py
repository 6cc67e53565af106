"""The page: one HTML file that needs nothing beside it, the sheet and the curves once more as PNG."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from trainer.evaluation import COLUMNS, table
from trainer.plots import plot_splits
from trainer.report.pictures import data_uri
from trainer.report.sheet import UNTRAINED, draw_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.evaluation import Evaluation
    from trainer.report.facts import ReportFacts

PAGE, SHEET, CURVES = "index.html", "sheet.png", "splits.png"

#: The largest canvas in pixels whose pictures stand two artworks to a row: larger, they would only look blurred.
_SMALL = 256
#: States in the order of a job's life.
_STATES = ("waiting", "ready", "running", "done", "failed", "cancelled")


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files of a report; there are no curves before the first training."""

    page: Path
    sheet: Path
    curves: Path | None


def write_report(facts: ReportFacts, directory: Path) -> Written:
    """Write page, sheet and curves into the directory, replacing those of an earlier report."""
    directory.mkdir(parents=True, exist_ok=True)
    levels = [level.name for level in facts.levels]
    draw_sheet(facts.examples, levels, directory / SHEET, untrained=facts.untrained)
    curves = directory / CURVES if facts.runs else None
    if curves is not None:
        plot_splits({run.split: run.history for run in facts.runs}, curves)
    (directory / PAGE).write_text(_render(facts, curves), encoding="utf-8")
    return Written(page=directory / PAGE, sheet=directory / SHEET, curves=curves)


def _render(facts: ReportFacts, curves: Path | None) -> str:
    environment = Environment(
        loader=PackageLoader("trainer.report", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["picture"] = data_uri
    return environment.get_template("report.html.j2").render(
        facts=facts,
        untrained_note=UNTRAINED,
        small=_SMALL,
        columns=COLUMNS,
        evaluations=[(run, _rows(run.evaluation)) for run in facts.runs],
        states=[state for state in _STATES if any(counts.get(state) for counts in facts.counts.values())],
        curves=None if curves is None else "data:image/png;base64," + base64.b64encode(curves.read_bytes()).decode(),
    )


def _rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Table rows with the scorer's key, and whether a row opens a level."""
    rows = zip(evaluation.scores, table(evaluation), strict=True)
    return [{"scorer": score.scorer, "cells": cells, "opens": score.scorer == "trained"} for score, cells in rows]
