"""Read-outs against hubs and queries in several views are similarities that equal their formulas and go into any metric."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.trainer.metrics.random_tables import a_table, unit_vectors
from trainer.metrics.hubness import CosineBackground, CSLSSimilarities, NormalisedSimilarities, neighbour_similarity
from trainer.metrics.negatives import NegativeKind, NegativeSet
from trainer.metrics.retrieval import repaint_to_original
from trainer.metrics.similarities import CosineSimilarities
from trainer.metrics.triplet_accuracy import triplet_accuracy
from trainer.metrics.verification import pair_auc, verification_scores
from trainer.metrics.views import PartSimilarities, ViewSimilarities

ROWS = np.array([3, 0])


def test_csls_is_twice_the_cosine_less_both_neighbourhoods() -> None:
    rng = np.random.default_rng(0)
    o, r, b = unit_vectors(rng, 5, 4), unit_vectors(rng, 7, 4), unit_vectors(rng, 9, 4)
    radius = {id(x): np.sort(x @ b.T, axis=1)[:, -2:].mean(axis=1) for x in (o, r)}

    found = CSLSSimilarities(CosineSimilarities(o, r), CosineBackground(o, r, b), originals=5, repaints=7, k=2)

    for block, x, y in (
        (found.originals_to_originals(ROWS), o, o),
        (found.originals_to_repaints(ROWS), o, r),
        (found.repaints_to_originals(ROWS), r, o),
        (found.repaints_to_repaints(ROWS), r, r),
    ):
        expected = 2 * x @ y.T - radius[id(x)][:, None] - radius[id(y)][None, :]
        np.testing.assert_allclose(block, expected[ROWS], atol=1e-6)


def test_score_normalisation_takes_the_querys_neighbourhood_off() -> None:
    rng = np.random.default_rng(1)
    o, r, b = unit_vectors(rng, 5, 4), unit_vectors(rng, 7, 4), unit_vectors(rng, 9, 4)

    found = NormalisedSimilarities(CosineSimilarities(o, r), CosineBackground(o, r, b), originals=5, repaints=7, weight=0.5)

    for block, x, y in (
        (found.originals_to_originals(ROWS), o, o),
        (found.originals_to_repaints(ROWS), o, r),
        (found.repaints_to_originals(ROWS), r, o),
        (found.repaints_to_repaints(ROWS), r, r),
    ):
        expected = x @ y.T - 0.5 * np.sort(x @ b.T, axis=1)[:, -3:].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(block, expected[ROWS], atol=1e-6)


def test_normalised_scores_rank_as_before_and_share_a_threshold_better() -> None:
    """Repaints of every second work lie in a dense region, where everything is near."""
    rng = np.random.default_rng(2)
    dense = np.arange(40) % 2 == 0
    originals = rng.normal(size=(40, 16))
    originals[dense] = originals[dense] + 6 * np.eye(16)[0]
    repaints = originals + 0.8 * rng.normal(size=(40, 16))
    background = np.concatenate([rng.normal(size=(50, 16)) + 6 * np.eye(16)[0], rng.normal(size=(50, 16))])
    o, r, b = ((x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32) for x in (originals, repaints, background))
    table = a_table(range(40), range(40))
    plain = CosineSimilarities(o, r)
    normalised = NormalisedSimilarities(plain, CosineBackground(o, r, b), originals=40, repaints=40)

    np.testing.assert_allclose(
        repaint_to_original(normalised, table).average_precision, repaint_to_original(plain, table).average_precision
    )
    wrong_before, wrong_after = (1 - pair_auc(verification_scores(one, table).counts) for one in (plain, normalised))
    assert wrong_after < wrong_before / 2


def test_csls_finds_what_a_hub_hides() -> None:
    """An original lies where all the background is, at 0 degrees; the repaint of another, at 40, is at 19 and so nearer to that."""
    o, r, b = (
        np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]).astype(np.float32)
        for degrees in ([0.0, 40.0], [1.0, 19.0], [-1.0, 0.0, 1.0])
    )
    table = a_table([0, 1], [0, 1])
    plain = CosineSimilarities(o, r)

    csls = CSLSSimilarities(plain, CosineBackground(o, r, b), originals=2, repaints=2)

    assert repaint_to_original(plain, table).recall_at_1.tolist() == [1, 0]
    assert repaint_to_original(csls, table).recall_at_1.tolist() == [1, 1]


def test_a_background_smaller_than_the_neighbourhood_is_taken_whole_and_an_empty_one_refused() -> None:
    small = np.array([[0.2, 0.6]], dtype=np.float32)

    assert neighbour_similarity(lambda rows: small[rows], 1, 10).tolist() == pytest.approx([0.4])
    with pytest.raises(ValueError, match="no picture"):
        neighbour_similarity(lambda rows: small[rows, :0], 1, 10)


def test_a_query_is_as_alike_as_its_best_view() -> None:
    rng = np.random.default_rng(4)
    o, r = unit_vectors(rng, 5, 4), unit_vectors(rng, 7, 4)
    o_views, r_views = unit_vectors(rng, 5, 3, 4).astype(np.float16), unit_vectors(rng, 7, 2, 4)

    found, plain = ViewSimilarities(o, r, r_views, o_views), ViewSimilarities(o, r, r_views)

    for block, views, gallery in (
        (found.originals_to_originals(ROWS), o_views, o),
        (found.originals_to_repaints(ROWS), o_views, r),
        (found.repaints_to_originals(ROWS), r_views, o),
        (found.repaints_to_repaints(ROWS), r_views, r),
        (plain.originals_to_originals(ROWS), o[:, None], o),
        (plain.originals_to_repaints(ROWS), o[:, None], r),
    ):
        np.testing.assert_allclose(block, np.einsum("nvd,gd->nvg", views, gallery).max(axis=1)[ROWS], atol=1e-3)


def test_a_mirrored_repaint_is_found_by_its_mirrored_view() -> None:
    rng = np.random.default_rng(5)
    originals = unit_vectors(rng, 20, 8)
    mirrored = originals[:, ::-1].copy()
    table = a_table(range(20), range(20))

    seen = ViewSimilarities(
        originals, mirrored, np.stack([mirrored, mirrored[:, :, ::-1] if mirrored.ndim == 3 else mirrored[:, ::-1]], axis=1)
    )

    assert repaint_to_original(seen, table).recall_at_1.tolist() == [1.0] * 20
    assert repaint_to_original(CosineSimilarities(originals, mirrored), table).recall_at_1.mean() < 0.5


def test_views_give_repaints_no_more_tries_than_negatives() -> None:
    """Vectors without any relation: triplet accuracy stays that of a coin however many views there are."""
    rng = np.random.default_rng(6)
    o, r = unit_vectors(rng, 150, 8), unit_vectors(rng, 150, 8)
    seen = ViewSimilarities(o, r, unit_vectors(rng, 150, 6, 8), unit_vectors(rng, 150, 6, 8))

    (result,) = triplet_accuracy(seen, a_table(range(150), range(150)), [NegativeSet(kind=NegativeKind.ANY)])

    assert 0.42 < result.accuracies.mean() < 0.58


def test_views_that_do_not_fit_are_refused() -> None:
    rng = np.random.default_rng(7)
    o, r = unit_vectors(rng, 5, 4), unit_vectors(rng, 7, 4)

    with pytest.raises(ValueError, match="repaint views of shape"):
        ViewSimilarities(o, r, unit_vectors(rng, 5, 2, 4))
    with pytest.raises(ValueError, match="original views of shape"):
        ViewSimilarities(o, r, unit_vectors(rng, 7, 2, 4), unit_vectors(rng, 5, 4))


def test_a_part_has_the_similarities_of_its_rows_in_the_whole() -> None:
    rng = np.random.default_rng(8)
    o, r = unit_vectors(rng, 6, 4), unit_vectors(rng, 8, 4)
    whole = a_table([0, 1, 2, 3, 4, 5], [5, 1, 0, 2, 5, 3, 4, 1])
    originals, repaints = np.array([1, 5, 2]), np.array([7, 0, 3])

    part = PartSimilarities(CosineSimilarities(o, r), originals, repaints)

    own = CosineSimilarities(o[originals], r[repaints])
    rows = np.array([2, 0])
    for name in ("originals_to_originals", "originals_to_repaints", "repaints_to_originals", "repaints_to_repaints"):
        np.testing.assert_allclose(getattr(part, name)(rows), getattr(own, name)(rows), atol=1e-6)
    table = whole.take(originals, repaints)
    columns = [NegativeSet(kind=NegativeKind.ANY)]
    np.testing.assert_allclose(triplet_accuracy(part, table, columns)[0].accuracies, triplet_accuracy(own, table, columns)[0].accuracies)
