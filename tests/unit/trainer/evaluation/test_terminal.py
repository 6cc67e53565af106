from __future__ import annotations

import numpy as np
import pytest

from tests.unit.trainer.evaluation.conftest import cosine_scorer, pairs
from tests.unit.trainer.evaluation.test_evaluate_scorers import scorers
from trainer.evaluate.evaluation import Evaluation
from trainer.evaluate.metrics_table import evaluation_text, plain_table
from trainer.evaluation.evaluate_scorers import evaluate_scorers
from trainer.evaluation.figures import EvaluationFigure
from trainer.evaluation.table import EvaluationTable, RobustnessRow, ScorerKind
from trainer.evaluation.terminal import interval_text, number, terminal_table

#: As `config.json` and the database hold it since before there was a table of scorers.
SAVED = {
    "scores": [
        {
            "scorer": "trained",
            "level": "all",
            "triplets": 40,
            "accuracy": 0.975,
            "accuracy_interval": [0.9, 1.0],
            "positive": 0.8,
            "negative": 0.1,
            "margin": 0.7,
            "roc_auc": 0.99,
            "recall_at_1": 0.9,
            "gallery": 10,
        }
    ],
    "left_out": 0,
}


@pytest.fixture(scope="module")
def table() -> EvaluationTable:
    pairs_of_two_levels = pairs(66, artists=22, levels=("moderate", "radical"))
    return evaluate_scorers(scorers(pairs_of_two_levels), pairs_of_two_levels, breakdowns=("style",))


def test_the_terminal_shows_a_block_a_level_with_the_headline_first_and_the_verdict_last(table: EvaluationTable) -> None:
    text = terminal_table(table)

    heading, everything, moderate, radical, words = text.split("\n\n")
    assert "132 repaints of 66 artworks by 22 test artists, 66 originals to choose from" in heading
    assert "the verdict is beside frozen CLIP, on same shape" in heading
    assert [block.splitlines()[0] for block in (everything, moderate, radical)] == ["all levels", "moderate", "radical"]
    titles = moderate.splitlines()[1].split()
    assert titles[:2] == ["same", "shape"]
    assert titles[-1] == "verdict"
    assert [line[:12] for line in moderate.splitlines()[2:]] == ["trained head", "frozen CLIP ", "chance      "]
    assert moderate.splitlines()[2].endswith("better")
    assert words.startswith("- moderate: the trained head is better than frozen CLIP in the headline (same shape) by +")
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(("value", "text"), [(0.9651, ".965"), (1.0, "1.000"), (0.0, ".000"), (0.0084, ".008")])
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.6915, 1.0, ".69-1.0"), (0.9996, 1.0, ".99-1.0"), (0.941, 0.979, ".94-.98"), (0.0, 0.012, ".00-.02"), (None, None, "")],
)
def test_intervals_are_rounded_outwards(low: float | None, high: float | None, text: str) -> None:
    assert interval_text(EvaluationFigure(value=0.5, low=low, high=high, count=1, clusters=1)) == text


def test_altered_queries_stand_in_a_block_of_their_own(table: EvaluationTable) -> None:
    cells = table.row("trained", "radical").cells
    found = tuple(cell for cell in cells if cell.column == "recall_at_1")
    rows = tuple(
        RobustnessRow(scorer="trained", title="trained head", kind=ScorerKind.TRAINED, level="radical", alteration=name, cells=found)
        for name in ("none", "mirrored")
    )

    block = terminal_table(table.model_copy(update={"robustness": rows})).split("\n\n")[4]

    assert block.splitlines()[1].split() == ["R@1", "level", "none", "mirrored"]
    assert block.splitlines()[2].split()[:3] == ["trained", "head", "radical"]


def test_the_table_survives_json(table: EvaluationTable) -> None:
    assert EvaluationTable.model_validate_json(table.model_dump_json()) == table
    evaluation = Evaluation.model_validate({**SAVED, "table": table.model_dump(mode="json")})
    assert evaluation.table == table
    assert evaluation_text(evaluation) == terminal_table(table)


def test_an_evaluation_that_was_saved_without_a_table_is_read_and_shown_as_before() -> None:
    evaluation = Evaluation.model_validate(SAVED)

    assert evaluation.table is None
    assert evaluation_text(evaluation) == plain_table(evaluation)
    assert "0.900-1.000" in evaluation_text(evaluation)


def test_a_missing_row_or_figure_is_a_key_error(table: EvaluationTable) -> None:
    with pytest.raises(KeyError):
        table.row("nobody")
    with pytest.raises(KeyError):
        table.figure("trained", "f1")


def test_few_artists_are_said_first() -> None:
    few = pairs(9, artists=9)
    vectors = np.eye(9)
    table = evaluate_scorers([cosine_scorer(vectors, vectors, kind=kind) for kind in (ScorerKind.FROZEN, ScorerKind.TRAINED)], few)

    assert table.conclusions[0].startswith("Too few for a verdict: 9 test artists")
    assert "too few" in terminal_table(table).splitlines()[5]
