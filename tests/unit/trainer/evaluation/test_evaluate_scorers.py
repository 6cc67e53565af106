from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.trainer.evaluation.conftest import cosine_scorer, pairs, unit
from trainer.errors import NothingToTrainOn
from trainer.evaluation.columns import Better
from trainer.evaluation.evaluate_scorers import artist_clusters, evaluate_scorers
from trainer.evaluation.figures import EvaluationFigure, ReferenceDifference, Verdict, verdict_of
from trainer.evaluation.metric_suite import MetricSuite
from trainer.evaluation.scorers import EvaluatedScorer, chance_scorer
from trainer.evaluation.table import EvaluationCell, RobustnessRow, ScorerKind
from trainer.evaluation.table_metrics import TABLE_METRICS
from trainer.probes.aspect import AspectSimilarities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainer.data.pair_table import PairTable
    from trainer.metrics.similarities import Rows


def scorers(table: PairTable, noise: float = 0.5) -> Iterator[EvaluatedScorer]:
    random = np.random.default_rng(0)
    originals = random.normal(size=(len(table.originals), 16))
    repaints = originals[table.repaints.originals] + noise * random.normal(size=(len(table.repaints), 16))
    blurred = repaints + 2 * random.normal(size=repaints.shape)
    yield cosine_scorer(originals, blurred, kind=ScorerKind.FROZEN)
    yield cosine_scorer(originals, repaints, kind=ScorerKind.TRAINED)
    yield chance_scorer(len(table.originals), len(table.repaints))


def test_every_level_has_every_scorer_the_trained_head_first_and_chance_last() -> None:
    table = pairs(40, artists=25, levels=("moderate", "radical"))

    evaluation = evaluate_scorers(scorers(table), table)

    names = ["trained", "clip", "chance"]
    assert [(row.level, row.scorer) for row in evaluation.rows] == [(one, name) for one in ("all", "moderate", "radical") for name in names]
    assert (evaluation.clusters_by, evaluation.clusters, evaluation.artworks, evaluation.gallery, evaluation.repaints) == (
        "artist",
        25,
        40,
        40,
        80,
    )
    assert [cell.column for cell in evaluation.rows[0].cells[:2]] == ["same_shape", "other_style"]
    assert evaluation.figure("trained", "recall_at_1", "radical").count == 40


def test_a_single_level_is_not_shown_twice() -> None:
    table = pairs(8, artists=4)

    assert evaluate_scorers(scorers(table), table).levels == ("all",)


def test_differences_are_to_the_first_scorer_and_chance_has_neither_interval_nor_verdict() -> None:
    table = pairs(60, artists=30)

    evaluation = evaluate_scorers(scorers(table), table)

    trained, frozen, chance = (evaluation.row(name).cell("same_shape") for name in ("trained", "clip", "chance"))
    assert trained is not None
    assert frozen is not None
    assert chance is not None
    assert trained.verdict is Verdict.BETTER
    assert trained.difference is not None
    assert trained.difference.value == pytest.approx(trained.figure.value - frozen.figure.value)
    assert (frozen.difference, frozen.verdict) == (None, None)
    assert (chance.figure.value, chance.figure.low, chance.difference) == (0.5, None, None)
    assert evaluation.reference == "clip"


def test_works_without_a_known_artist_are_clusters_of_their_own() -> None:
    some = pairs(6, artists=2)
    some.originals.artists[4:] = -1

    clusters, by = artist_clusters(some)

    assert by == "artist"
    assert len(np.unique(clusters)) == 4
    assert artist_clusters(pairs(6))[1] == "artwork"
    assert len(np.unique(artist_clusters(pairs(6))[0])) == 6


def test_a_column_that_has_no_negative_is_left_out() -> None:
    table = pairs(6, aspects=(1.0, 1.5, 2.0, 2.5, 3.0, 3.5))

    row = evaluate_scorers(scorers(table), table).row("trained")

    assert row.cell("same_shape") is None
    assert row.cell("same_artist") is None
    assert row.cell("other_style") is not None


def test_breakdowns_are_by_style_and_by_ordinal() -> None:
    table = pairs(12, artists=6, levels=("moderate", "radical"), ordinals=2)

    evaluation = evaluate_scorers(scorers(table), table, breakdowns=("style", "ordinal"))

    parts = [(one.by, one.part) for one in evaluation.breakdowns]
    assert parts == [("style", "Baroque"), ("style", "Cubism"), ("style", "Fauvism"), ("ordinal", "0"), ("ordinal", "1")]
    baroque = evaluation.breakdowns[0].rows
    assert {row.level for row in baroque} == {"moderate", "radical"}
    found = next(row for row in baroque if row.scorer == "trained").cell("recall_at_1")
    assert found is not None
    assert found.figure.count == 8
    with pytest.raises(ValueError, match="only by style and ordinal"):
        evaluate_scorers(scorers(table), table, breakdowns=("colour",))


def test_nothing_to_evaluate_is_refused() -> None:
    table = pairs(6)
    with pytest.raises(NothingToTrainOn, match="no scorer"):
        evaluate_scorers([], table)
    empty = table.take(np.arange(6), np.array([], dtype=np.int64))
    with pytest.raises(NothingToTrainOn, match="no repaint"):
        evaluate_scorers(scorers(table), empty)


def test_a_shape_probe_that_solves_other_style_is_named_in_the_words() -> None:
    table = pairs(90, artists=30, aspects=(1.0, 1.2, 1.4))
    shapes = table.originals.aspects
    aspect = AspectSimilarities(shapes, shapes[table.repaints.originals])
    probe = EvaluatedScorer(name="shape", title="only the shape", kind=ScorerKind.PROBE, similarities=aspect)

    words = " ".join(evaluate_scorers([*scorers(table), probe], table).conclusions)

    assert "a probe that sees only the shape scores 1.000 in 'other style'" in words
    assert ", 0.500 in the headline: what it reaches can be had without knowing the picture" in words
    assert "nothing can be concluded" not in words


def test_a_head_that_is_not_above_a_probe_in_the_headline_proves_nothing() -> None:
    table = pairs(90, artists=30)
    perfect = np.eye(90)
    probe = EvaluatedScorer(
        name="colours",
        title="only colours",
        kind=ScorerKind.PROBE,
        similarities=cosine_scorer(perfect, perfect, kind=ScorerKind.FROZEN).similarities,
    )

    words = " ".join(evaluate_scorers([*scorers(table, noise=3), probe], table).conclusions)

    assert "a probe that sees only colours is not below the trained head in the headline: nothing can be concluded for the head" in words


def test_an_alteration_under_which_the_head_is_worse_is_named() -> None:
    table = pairs(60, artists=30)
    figure = EvaluationFigure(value=0.2, low=0.1, high=0.3, count=60, clusters=30)
    worse = ReferenceDifference(value=-0.3, low=-0.4, high=-0.2, p=0.0005)
    rows = [
        RobustnessRow(
            scorer=kind.value,
            title="trained head",
            kind=kind,
            level="radical",
            alteration="mirrored",
            cells=(EvaluationCell(column=column, figure=figure, difference=worse, verdict=Verdict.WORSE),),
        )
        for kind in (ScorerKind.TRAINED, ScorerKind.FROZEN)
        for column in ("recall_at_1", "average_precision")
    ]

    words = evaluate_scorers(scorers(table), table, robustness=rows).conclusions

    (sentence,) = (sentence for sentence in words if "mirrored" in sentence)
    assert sentence.startswith("radical, mirrored: at finding originals (R@1) the trained head is worse than frozen CLIP by -0.300 (95 %")


def test_figures_that_are_no_means_come_from_the_suite() -> None:
    def ranks(scorer: EvaluatedScorer, table: PairTable, repaints: Rows) -> Mapping[str, EvaluationFigure]:
        return {"effective_rank": EvaluationFigure(value=float(len(repaints)), count=len(table.repaints), clusters=1)}

    table = pairs(6, artists=3, levels=("moderate", "radical"))
    suite = MetricSuite(
        accuracies=TABLE_METRICS.accuracies,
        retrieval=TABLE_METRICS.retrieval,
        nearest=TABLE_METRICS.nearest,
        mean=TABLE_METRICS.mean,
        difference=TABLE_METRICS.difference,
        set_figures=ranks,
    )

    evaluation = evaluate_scorers(scorers(table), table, metrics=suite)

    assert evaluation.figure("clip", "effective_rank").value == 12
    assert evaluation.figure("clip", "effective_rank", "radical").value == 6


@pytest.mark.parametrize(
    ("low", "high", "clusters", "larger", "verdict"),
    [
        (0.01, 0.02, 20, True, Verdict.BETTER),
        (-0.02, -0.01, 20, True, Verdict.WORSE),
        (-0.02, -0.01, 20, False, Verdict.BETTER),
        (-0.02, 0.01, 20, True, Verdict.EQUAL),
        (0.0, 0.0, 20, True, Verdict.EQUAL),
        (0.3, 0.4, 19, True, Verdict.TOO_FEW),
    ],
)
def test_the_verdict_follows_from_the_interval(low: float, high: float, clusters: int, larger: bool, verdict: Verdict) -> None:
    difference = ReferenceDifference(value=(low + high) / 2, low=low, high=high, p=0.5)

    assert verdict_of(difference, clusters, larger_is_better=larger) is verdict


def test_a_figure_that_only_describes_has_no_verdict() -> None:
    table = pairs(60, artists=30)
    vectors = np.random.default_rng(0).normal(size=(60, 8))
    told = [np.full(60, 0.5), np.ones(60)]
    both = [
        cosine_scorer(vectors, vectors, kind=kind, detected=one)
        for kind, one in zip((ScorerKind.FROZEN, ScorerKind.TRAINED), told, strict=True)
    ]

    cell = evaluate_scorers(both, table).row("trained").cell("detected")

    assert cell is not None
    assert (cell.figure.value, cell.difference, cell.verdict) == (1.0, None, None)
    assert Better.NEITHER.value == "neither"
    assert unit(vectors).dtype == np.float32
