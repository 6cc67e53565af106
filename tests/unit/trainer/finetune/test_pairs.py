from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.embeddings import ImageReference
from trainer.errors import NothingToTrainOn
from trainer.finetune.pairs import PicturePair, PicturePairBatches


def pairs(sizes: list[int]) -> list[PicturePair]:
    """So many repaints of each group."""
    return [
        PicturePair(group=f"g{group:03}", original=reference(group, 0), repaint=reference(group, number + 1))
        for group, size in enumerate(sizes)
        for number in range(size)
    ]


def reference(group: int, number: int) -> ImageReference:
    return ImageReference(content_hash=f"{group:032x}{number:032x}")


@given(sizes=st.lists(st.integers(1, 4), min_size=2, max_size=30), batch=st.integers(2, 12), seed=st.integers(0, 5))
def test_no_two_of_a_group_stand_in_a_batch_nor_twice_in_an_epoch(sizes: list[int], batch: int, seed: int) -> None:
    batches = PicturePairBatches(pairs(sizes), batch_size=batch, seed=seed)

    for epoch in range(2):
        steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
        shown = [pair.group for step in steps for pair in batches.batch(step)]
        assert len(shown) == len(set(shown)) == batches.steps_per_epoch * min(batch, len(sizes))


def test_a_batch_follows_from_seed_and_step_alone_and_each_pair_has_its_turn() -> None:
    whole = pairs([3] * 20)
    one, other = (PicturePairBatches(whole, batch_size=8, seed=4) for _ in range(2))
    forward = [one.batch(step) for step in range(60)]

    assert [other.batch(step) for step in reversed(range(60))] == forward[::-1]
    assert all(before != after for before, after in pairwise(forward))
    assert {pair.repaint.key for batch in forward for pair in batch} == {pair.repaint.key for pair in whole}
    assert PicturePairBatches(whole, batch_size=8, seed=5).batch(0) != forward[0]
    assert PicturePairBatches(whole[1:], batch_size=8, seed=4).content_hash != one.content_hash


def test_pairs_of_one_group_alone_are_refused() -> None:
    with pytest.raises(NothingToTrainOn, match="two different artworks"):
        PicturePairBatches(pairs([5]), batch_size=2, seed=0)
