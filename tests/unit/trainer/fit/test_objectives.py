"""How triplets and pairs are cut into batches."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.triplet_indices import TripletIndices
from trainer.errors import NothingToTrainOn
from trainer.fit.fitting_pairs import fitting_pairs, pair_rows
from trainer.fit.objectives import PairBatches, TripletBatches, group_batches, objective
from trainer.losses.contrastive import ContrastiveLoss
from trainer.losses.infonce import InfoNceLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    Indices = Callable[..., TripletIndices]


def several(groups: list[int], per_pair: int = 3) -> TripletIndices:
    """Each original (rows 0 ...) with one repaint (rows 100 ...), named by several triplets."""
    anchors = np.repeat(np.arange(len(groups)), per_pair)
    return TripletIndices(
        anchors=anchors,
        positives=anchors + 100,
        negatives=(anchors + 1) % len(groups),
        levels=np.where(anchors % 2 == 0, "moderate", "radical"),
        groups=np.array(groups)[anchors],
        group_of_row=dict(enumerate(groups)),
    )


@settings(deadline=None)
@given(groups=st.lists(st.integers(0, 9), max_size=60), batch_size=st.integers(1, 12))
def test_no_batch_holds_two_of_a_group_and_only_what_stands_alone_is_left_out(groups: list[int], batch_size: int) -> None:
    numbers = np.array(groups, dtype=np.int64)

    batches = group_batches(numbers, batch_size)

    placed = np.concatenate([np.zeros(0, dtype=np.int64), *batches])
    assert len(np.unique(placed)) == len(placed)
    for batch in batches:
        assert 2 <= len(batch) <= max(batch_size, 3)
        assert len(np.unique(numbers[batch])) == len(batch)
    # Alone are the members of the one group that has more than every other.
    sizes = [*sorted(Counter(groups).values(), reverse=True), 0, 0]
    assert len(groups) - len(placed) == sizes[0] - sizes[1]


def test_pairs_come_once_a_pass_however_many_triplets_name_them() -> None:
    pairs = PairBatches(InfoNceLoss(), several([0, 1, 2, 3, 4, 5, 6]), "cpu")

    torch.manual_seed(0)
    batches = list(pairs.shuffled(4))

    assert len(pairs) == 7
    assert [batch.shape for batch in batches] == [(2, 4), (2, 3)]
    assert len(batches) == pairs.steps(4)
    rows = torch.cat(batches, dim=1)
    assert sorted(rows[0].tolist()) == list(range(7))
    assert torch.equal(rows[1], rows[0] + 100)
    assert not torch.equal(torch.cat(list(pairs.in_order(4)), dim=1), rows)


def test_a_side_of_one_group_has_no_negative_for_a_loss_over_batches() -> None:
    with pytest.raises(NothingToTrainOn, match="only one on a side"):
        PairBatches(InfoNceLoss(), several([5, 5, 5]), "cpu")


def test_pairs_are_right_by_the_share_of_others_that_are_farther() -> None:
    pairs = PairBatches(InfoNceLoss(), several([0, 1, 2]), "cpu")
    originals = torch.eye(3)
    repaints = torch.tensor([[1.0, 0, 0], [1.0, 0, 0], [0.0, 0, 1]])

    # The second is nearer to another, and its own ties with the third.
    assert pairs.right((originals, repaints)) == pytest.approx(1 + 0.25 + 1)


def test_the_loss_decides_what_a_batch_is(indices: Indices) -> None:
    assert isinstance(objective(ContrastiveLoss(), indices(4), "cpu"), TripletBatches)
    assert isinstance(objective(InfoNceLoss(), indices(4), "cpu"), PairBatches)


def test_triplets_all_come_in_one_pass(indices: Indices) -> None:
    triplets = TripletBatches(ContrastiveLoss(), indices(10), "cpu")

    rows = torch.cat(list(triplets.shuffled(4)), dim=1)

    assert (triplets.steps(4), len(triplets)) == (3, 10)
    assert sorted(rows[0].tolist()) == list(range(10))
    assert torch.equal(rows[1], rows[0] + 10)


def test_the_pairs_of_triplets_hold_each_original_and_each_repaint_once() -> None:
    indices = several([7, 7, 8], per_pair=2)
    vectors = np.arange(206, dtype=np.float32)[:, None] * np.ones((1, 2), np.float32)

    pairs = fitting_pairs(vectors, indices)

    assert pairs is not None
    assert pair_rows(indices).tolist() == [0, 2, 4]
    assert pairs.originals[:, 0].tolist() == [0, 1, 2]
    assert pairs.repaints[:, 0].tolist() == [100, 101, 102]
    assert pairs.original_of_repaint.tolist() == [0, 1, 2]
    assert pairs.groups.tolist() == [7, 7, 8]
    assert pairs.levels is not None
    assert pairs.levels.tolist() == ["moderate", "radical", "moderate"]
    assert fitting_pairs(vectors, several([])) is None
