"""Accuracy over all negatives of a kind equals what loops over all pairs find."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.unit.trainer.metrics.random_tables import MatrixSimilarities, a_table, exact, stepped, tables_with_similarities
from trainer.metrics import negatives
from trainer.metrics import similarities as blocks
from trainer.metrics.negatives import COLUMNS, HEADLINE, NegativeKind, NegativeSet, nearest
from trainer.metrics.triplet_accuracy import triplet_accuracy

if TYPE_CHECKING:
    from trainer.data.pair_table import PairTable

#: Instead of ten nearest, of which no small table has another.
FEW = 2
BOTH = [NegativeSet(kind=kind, same_shape=same_shape) for kind in NegativeKind for same_shape in (False, True)]


def is_negative(table: PairTable, kind: NegativeKind, anchor: int, other: int) -> bool:
    """Of two originals, whatever the shape."""
    one = table.originals
    if one.groups[anchor] == one.groups[other]:
        return False
    if kind is NegativeKind.OTHER_STYLE:
        return bool(one.styles[anchor]) and bool(one.styles[other]) and not one.styles[anchor] & one.styles[other]
    if kind is NegativeKind.SAME_STYLE:
        return bool(one.styles[anchor] & one.styles[other])
    if kind is NegativeKind.SAME_ARTIST:
        return bool(one.artists[anchor] == one.artists[other] != -1)
    return True


def by_loops(table: PairTable, given: MatrixSimilarities, column: NegativeSet, reference: MatrixSimilarities) -> list[float]:
    oo, om = exact(given.oo), exact(given.om)
    found = []
    for repaint, anchor in enumerate(table.repaints.originals.tolist()):
        others = []
        for other in range(len(table.originals)):
            ratio = table.originals.aspects[anchor] / table.originals.aspects[other]
            if is_negative(table, column.kind, anchor, other) and (not column.same_shape or max(ratio, 1 / ratio) <= 1.02):
                others.append(other)
        if column.kind is NegativeKind.NEAREST:
            others = sorted(others, key=lambda other: (-reference.oo[anchor, other], other))[:FEW]
        if column.kind is NegativeKind.GENERATED:
            level = table.repaints.levels[repaint]
            made = [one for one, owner in enumerate(table.repaints.originals) if owner in others and table.repaints.levels[one] == level]
            compared = [om[anchor, one] for one in made]
        else:
            compared = [oo[anchor, other] for other in others]
        own = om[anchor, repaint]
        ranked = [1.0 if own > one else 0.5 if own == one else 0.0 for one in compared]
        found.append(float(np.mean(ranked)) if ranked else np.nan)
    return found


@settings(deadline=None)
@given(tables_with_similarities(), st.integers(0, 2**32 - 1))
def test_accuracy_equals_loops_over_all_pairs(case: tuple[PairTable, MatrixSimilarities], seed: int) -> None:
    table, given_similarities = case
    reference = replace(given_similarities, oo=stepped(np.random.default_rng(seed), given_similarities.oo.shape))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(negatives, "NEAREST", FEW)
        results = triplet_accuracy(given_similarities, table, BOTH, reference)

    for result in results:
        expected = by_loops(table, given_similarities, result.column, reference)
        np.testing.assert_allclose(result.accuracies, expected, err_msg=result.column.name)
        assert result.without_negatives == np.isnan(expected).sum()


def test_blocks_of_one_row_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    owners = rng.integers(0, 30, size=50).tolist()
    table = a_table(range(30), owners, artists=rng.integers(-1, 3, size=30).tolist())
    given_similarities = MatrixSimilarities(*(stepped(rng, shape) for shape in ((30, 30), (30, 50), (50, 30), (50, 50))))
    whole = triplet_accuracy(given_similarities, table, COLUMNS, given_similarities)

    monkeypatch.setattr(blocks, "BLOCK", 1)
    for one, other in zip(whole, triplet_accuracy(given_similarities, table, COLUMNS, given_similarities), strict=True):
        np.testing.assert_array_equal(one.accuracies, other.accuracies)


def test_it_is_the_area_under_the_curve_of_each_repaint_against_its_negatives() -> None:
    rng = np.random.default_rng(3)
    table = a_table(range(20), list(range(20)))
    given_similarities = MatrixSimilarities(*(rng.normal(size=(20, 20)).astype(np.float32) for _ in range(4)))

    (result,) = triplet_accuracy(given_similarities, table, [NegativeSet(kind=NegativeKind.ANY)])

    for row in range(20):
        scores = [given_similarities.om[row, row], *np.delete(given_similarities.oo[row], row)]
        assert result.accuracies[row] == pytest.approx(roc_auc_score([1] + [0] * 19, scores))


def test_a_model_that_maps_everything_to_one_point_scores_a_half() -> None:
    table = a_table(range(5), [0, 1, 2, 3, 4])
    flat = MatrixSimilarities(*(np.ones((5, 5), dtype=np.float32) for _ in range(4)))

    (result,) = triplet_accuracy(flat, table, [HEADLINE])

    assert result.accuracies.tolist() == [0.5] * 5


def test_a_probe_that_sees_the_shape_alone_is_a_coin_in_the_headline_and_good_elsewhere() -> None:
    aspects = np.repeat([0.5, 1.0, 2.0], 4)
    table = a_table(range(12), list(range(12)), aspects=aspects.tolist())
    alike = -np.abs(np.log(aspects[:, None] / aspects)).astype(np.float32)
    probe = MatrixSimilarities(alike, alike, alike, alike)

    headline, anything = triplet_accuracy(probe, table, [HEADLINE, NegativeSet(kind=NegativeKind.ANY)])

    assert headline.accuracies.mean() == 0.5
    assert anything.accuracies.mean() > 0.8


def test_the_nearest_are_the_ten_of_another_group_and_the_earlier_of_equal_ones() -> None:
    reference = np.array([9, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 0, 3], dtype=np.float32)
    candidates = np.ones(13, dtype=np.bool_)
    candidates[0] = False

    assert np.flatnonzero(nearest(reference, candidates, 7)).tolist() == [3, 4, 6, 7, 8, 9, 10]
    assert np.flatnonzero(nearest(reference, candidates, 12)).tolist() == list(range(1, 13))


def test_nearest_without_a_reference_is_refused() -> None:
    flat = MatrixSimilarities(*(np.ones((2, 2), dtype=np.float32) for _ in range(4)))

    with pytest.raises(ValueError, match="need a reference"):
        triplet_accuracy(flat, a_table([0, 1], [0, 1]), [NegativeSet(kind=NegativeKind.NEAREST)])


def test_columns_have_different_names_and_the_headline_comes_first() -> None:
    assert COLUMNS[0].name == "same-shape"
    assert len({column.name for column in BOTH}) == len(BOTH)
    assert NegativeSet(kind=NegativeKind.OTHER_STYLE, same_shape=True).name == "other-style, same-shape"
