"""Vectors whose structure is known: the table and its words say what is there, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.unit.trainer.evaluation.conftest import cosine_scorer, pairs, unit
from trainer.evaluation.evaluate_scorers import evaluate_scorers
from trainer.evaluation.figures import Verdict
from trainer.evaluation.scorers import chance_scorer
from trainer.evaluation.table import ScorerKind
from trainer.evaluation.terminal import terminal_table
from trainer.probes.detector import GeneratedDetector

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.evaluation.table import EvaluationTable

    Vectors = npt.NDArray[np.float64]

ARTISTS, TEST, TRAIN, DIMENSION = 40, 120, 400, 32


def shrunk_pair_whitening(originals: Vectors, repaints: Vectors, shrink: float = 0.1) -> Vectors:
    """Sw^(-1/2) of the differences within pairs, shrunk towards their mean variance."""
    within = np.cov((repaints - originals).T)
    within = (1 - shrink) * within + shrink * np.trace(within) / len(within) * np.eye(len(within))
    values, directions = np.linalg.eigh(within)
    whitening: Vectors = directions @ np.diag(values**-0.5) @ directions.T
    return whitening


def evaluated(frozen: tuple[Vectors, Vectors], trained: tuple[Vectors, Vectors], detected: Vectors | None = None) -> EvaluationTable:
    scorers = [
        cosine_scorer(*frozen, kind=ScorerKind.FROZEN),
        cosine_scorer(*trained, kind=ScorerKind.TRAINED, detected=detected),
        chance_scorer(TEST, TEST),
    ]
    return evaluate_scorers(scorers, pairs(TEST, artists=ARTISTS))


def test_a_shared_direction_of_generated_pictures_is_exposed() -> None:
    """The deck's accuracy is near 1 without any likeness of a repaint to its original; other repaints and the detector tell."""
    random = np.random.default_rng(0)
    direction = np.eye(256)[0]

    def drawn(count: int) -> tuple[Vectors, Vectors]:
        noise = 0.5 / 16 * random.normal(size=(2, count, 256))
        return 0.4 * direction + noise[0], 1.0 * direction + noise[1]

    train, test = drawn(TRAIN), drawn(TEST)
    detector = GeneratedDetector(unit(train[0]), unit(train[1]))
    told = detector.told_right(unit(test[0]), unit(test[1]), np.arange(TEST))

    table = evaluated(frozen=(random.normal(size=(TEST, 256)), random.normal(size=(TEST, 256))), trained=test, detected=told)

    assert table.figure("trained", "other_style").value > 0.98
    assert abs(table.figure("trained", "generated").value - 0.5) < 0.1
    assert table.figure("trained", "detected").value > 0.98
    assert table.figure("trained", "recall_at_1").value < 0.1
    words = " ".join(table.conclusions)
    assert "it sees that a picture was generated, not what it was generated from" in words
    assert "a straight line tells repaints from originals" in words


def test_a_signal_beneath_nuisance_is_found_by_pair_whitening_and_the_interval_excludes_zero() -> None:
    random = np.random.default_rng(1)

    def drawn(count: int) -> tuple[Vectors, Vectors]:
        signal = np.zeros((count, DIMENSION))
        signal[:, :8] = random.normal(size=(count, 8))
        scale = np.where(np.arange(DIMENSION) < 8, 0.3, 4.0)
        return signal + scale * random.normal(size=signal.shape), signal + scale * random.normal(size=signal.shape)

    train, test = drawn(TRAIN), drawn(TEST)
    whitening = shrunk_pair_whitening(*train, shrink=0.01)

    table = evaluated(frozen=test, trained=(test[0] @ whitening, test[1] @ whitening))

    cell = table.row("trained").cell("same_shape")
    assert cell is not None
    assert cell.difference is not None
    assert cell.difference.low > 0.1
    assert cell.difference.p < 0.01
    assert cell.verdict is Verdict.BETTER
    assert any("the trained head is better than frozen CLIP in the headline (same shape)" in sentence for sentence in table.conclusions)


def test_isotropic_noise_gives_no_verdict_for_the_head() -> None:
    random = np.random.default_rng(2)

    def drawn(count: int) -> tuple[Vectors, Vectors]:
        signal = random.normal(size=(count, DIMENSION))
        return signal + 1.5 * random.normal(size=signal.shape), signal + 1.5 * random.normal(size=signal.shape)

    train, test = drawn(TRAIN), drawn(TEST)
    whitening = shrunk_pair_whitening(*train, shrink=0.5)

    table = evaluated(frozen=test, trained=(test[0] @ whitening, test[1] @ whitening))

    cell = table.row("trained").cell("same_shape")
    assert cell is not None
    assert cell.verdict is Verdict.EQUAL
    words = " ".join(table.conclusions)
    assert "not better than frozen CLIP, within the interval" in words
    assert "is better than" not in words


def test_ten_artworks_are_too_few_and_no_interval_is_without_width() -> None:
    vectors = np.eye(16)[:10]
    scorers = [cosine_scorer(vectors, vectors, kind=kind) for kind in (ScorerKind.FROZEN, ScorerKind.TRAINED)]

    table = evaluate_scorers(scorers, pairs(10))

    figure = table.figure("trained", "same_shape")
    assert (figure.value, figure.too_few) == (1.0, True)
    assert figure.low is not None
    assert figure.low < 0.75
    assert {cell.verdict for row in table.rows for cell in row.cells if cell.difference} == {Verdict.TOO_FEW}
    printed = terminal_table(table)
    assert "1.000 .69-1.0" in printed
    assert "Too few for a verdict: 10 test artworks, at least 20 are needed" in printed
    assert "which so few can not confirm" in printed
