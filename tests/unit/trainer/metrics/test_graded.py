"""Graded sameness equals loops over all pairs, and tells a right order from a wrong one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings

from tests.unit.trainer.metrics.random_tables import MatrixSimilarities, a_table, exact, tables_with_similarities
from trainer.metrics.graded import graded_sameness

if TYPE_CHECKING:
    from trainer.data.pair_table import PairTable


def grade(table: PairTable, anchor: int, other: int) -> int | None:
    one = table.originals
    if one.groups[anchor] == one.groups[other]:
        return None
    if one.artists[anchor] == one.artists[other] != -1:
        return 1
    if not one.styles[anchor] or not one.styles[other]:
        return None
    return 2 if one.styles[anchor] & one.styles[other] else 3


@settings(deadline=None)
@given(tables_with_similarities())
def test_means_and_order_equal_loops_over_all_pairs(case: tuple[PairTable, MatrixSimilarities]) -> None:
    table, similarities = case
    found = graded_sameness(similarities, table)

    for repaint, anchor in enumerate(table.repaints.originals.tolist()):
        means = [exact(similarities.om)[anchor, repaint]]
        for step in (1, 2, 3):
            values = [exact(similarities.oo)[anchor, other] for other in range(len(table.originals)) if grade(table, anchor, other) == step]
            means.append(np.mean(values) if values else np.nan)
        np.testing.assert_allclose(found.similarities[repaint], means, atol=1e-6)
        steps = [1.0 if one > other else 0.5 if one == other else 0.0 for one, other in pairwise(means)]
        np.testing.assert_allclose(found.in_order[repaint], np.nan if np.isnan(means).any() else np.prod(steps))


def test_gaps_are_negative_where_the_order_is_wrong() -> None:
    styles = [frozenset("A"), frozenset("A"), frozenset("A"), frozenset("B")]
    table = a_table([0, 1, 2, 3], [0, 0], artists=[0, 0, 1, 2], styles=styles, levels=["moderate", "radical"])
    oo = np.tile(np.array([1.0, 0.6, 0.4, 0.1], dtype=np.float32), (4, 1))
    om = np.tile(np.array([0.9, 0.3], dtype=np.float32), (4, 1))

    found = graded_sameness(MatrixSimilarities(oo, om, om.T, om), table)

    np.testing.assert_allclose(found.gaps, [[0.3, 0.2, 0.3], [-0.3, 0.2, 0.3]], atol=1e-6)
    assert found.in_order.tolist() == [1, 0]
