"""The evaluation as a table of texts: for the terminal, the model's card and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.evaluation.terminal import terminal_table

if TYPE_CHECKING:
    from trainer.evaluate.evaluation import Evaluation

COLUMNS = ("level", "scorer", "triplets", "accuracy", "95 %", "s+", "s-", "margin", "ROC-AUC", "R@1", "of")

_TITLES = {"trained": "trained head", "clip": "frozen CLIP", "chance": "chance"}

#: Columns that are aligned left: level and scorer.
_TEXT_COLUMNS = 2


def table_rows(evaluation: Evaluation) -> list[tuple[str, ...]]:
    """The rows under `COLUMNS`, as texts."""
    return [
        (
            score.level,
            _TITLES.get(score.scorer, score.scorer),
            str(score.triplets),
            f"{score.accuracy:.3f}",
            "" if score.accuracy_interval is None else "{:.3f}-{:.3f}".format(*score.accuracy_interval),
            _figure(score.positive),
            _figure(score.negative),
            _figure(score.margin),
            f"{score.roc_auc:.3f}",
            f"{score.recall_at_1:.3f}",
            str(score.gallery),
        )
        for score in evaluation.scores
    ]


def evaluation_text(evaluation: Evaluation) -> str:
    """The evaluation for a terminal: the table of scorers, or of triplets alone where it was saved before there was one."""
    return plain_table(evaluation) if evaluation.table is None else terminal_table(evaluation.table)


def plain_table(evaluation: Evaluation) -> str:
    """The table for a terminal, and under it what must be known before the figures are believed."""
    lines = [COLUMNS, *table_rows(evaluation)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    table = (
        "  ".join(
            cell.ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return "\n".join([*table, *evaluation.notes])


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
