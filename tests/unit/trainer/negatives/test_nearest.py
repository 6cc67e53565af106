"""The nearest originals: as a plain form finds them, and never one that may be the same work."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.trainer.negatives.pools import original, pool_of
from trainer.errors import NothingToTrainOn
from trainer.negatives import NegativePool, near_originals
from trainer.negatives.near_originals import NOTHING, nearest_of_other_groups
from trainer.negatives.nearest import BIT_MARGIN, MARGIN, NEAREST, NearestNegatives
from trainer.quality.near_pairs import LEAST_COSINE, MOST_BITS

if TYPE_CHECKING:
    import numpy.typing as npt


def at_angles(*cosines: float) -> npt.NDArray[np.float32]:
    """A first vector, and one for each cosine to it; among themselves they are farther apart than from the first."""
    vectors = np.zeros((len(cosines) + 1, len(cosines) + 1), np.float32)
    vectors[0, 0] = 1
    for place, cosine in enumerate(cosines, start=1):
        vectors[place, 0], vectors[place, place] = cosine, np.sqrt(1 - cosine**2)
    return vectors


def drawn_for_first(pool: NegativePool, count: int = 20) -> set[int]:
    strategy = NearestNegatives(pool)
    return {one.artwork_id for one in strategy.draw(pool.originals[0], count, Random(0))}


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), rows=st.integers(1, 40), count=st.integers(1, 6), below=st.sampled_from([0.3, 0.7, 1.1]))
def test_blocks_find_what_a_plain_form_finds(seed: int, rows: int, count: int, below: float) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(rows, 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    groups = random.integers(0, 12, size=rows)

    with pytest.MonkeyPatch.context() as small:
        small.setattr(near_originals, "_ROWS", 3)
        small.setattr(near_originals, "_COLUMNS", 7)
        found, cosines = nearest_of_other_groups(vectors, groups, count, below=below)

    for row in range(rows):
        plain = [(float(vectors[row] @ vectors[other]), other) for other in range(rows) if groups[other] != groups[row]]
        plain = sorted((pair for pair in plain if pair[0] < below), reverse=True)[:count]
        there = cosines[row] > NOTHING
        assert there.sum() == len(plain)
        assert cosines[row][there] == pytest.approx([cosine for cosine, _ in plain], abs=1e-5)
        assert set(groups[found[row][there]]).isdisjoint({groups[row]})


def test_one_of_the_nearest_is_drawn_and_none_beyond() -> None:
    vectors = at_angles(*(0.8 - 0.01 * place for place in range(30)))
    pool = pool_of([original(number) for number in range(31)], vectors=vectors)

    assert drawn_for_first(pool) == set(range(1, NEAREST + 1))
    assert {one.artwork_id for seed in range(200) for one in NearestNegatives(pool).draw(pool.originals[0], 1, Random(seed))} == set(
        range(1, NEAREST + 1)
    )


def test_copies_and_near_duplicates_are_left_out() -> None:
    vectors = at_angles(0.5, LEAST_COSINE + 0.01, 0.7)
    originals = [original(0, group="one"), original(1), original(2), original(3, group="one")]

    assert drawn_for_first(pool_of(originals, vectors=vectors)) == {1}


def test_within_the_margin_the_hash_decides_and_without_one_all_are_left_out() -> None:
    within = LEAST_COSINE - MARGIN / 2
    vectors = at_angles(within, within - 0.001, 0.5)
    originals = [original(number) for number in range(4)]
    allowed, refused = (1 << (MOST_BITS + BIT_MARGIN + 1)) - 1, (1 << (MOST_BITS + BIT_MARGIN)) - 1
    hashes = np.array([0, refused, allowed, 0], dtype=np.uint64)

    assert drawn_for_first(pool_of(originals, vectors=vectors)) == {3}
    assert drawn_for_first(pool_of(originals, vectors=vectors, hashes=hashes)) == {2, 3}


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 999), close=st.floats(0.001, 0.8))
def test_no_negative_is_one_that_the_guard_forbids(seed: int, close: float) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(4, 8))[random.integers(0, 4, 24)] + close * random.normal(size=(24, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    hashes = np.where(random.random(24) < 0.5, np.uint64(1), np.uint64(2**40 - 1)).astype(np.uint64)
    pool = pool_of([original(number, group=f"g{number // 2}") for number in range(24)], vectors=vectors, hashes=hashes)
    strategy, rng = NearestNegatives(pool), Random(seed)

    for anchor in pool.originals:
        before = sum(strategy.fallbacks.values())
        for negative in strategy.draw(anchor, 5, rng):
            cosine = float(vectors[anchor.artwork_id] @ vectors[negative.artwork_id])
            same = hashes[anchor.artwork_id] == hashes[negative.artwork_id]
            assert negative.group_key != anchor.group_key
            if sum(strategy.fallbacks.values()) == before:
                assert cosine < LEAST_COSINE + 1e-5
                assert not (same and cosine >= LEAST_COSINE - MARGIN + 1e-5)


def test_pictures_are_read_only_where_the_cosine_leaves_it_open() -> None:
    asked: list[int] = []

    def hashes(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        asked.extend(rows.tolist())
        return np.zeros(len(rows), np.uint64)

    vectors = at_angles(LEAST_COSINE - MARGIN / 2, 0.5, 0.4)
    originals = [original(number) for number in range(4)]

    NearestNegatives(NegativePool(originals=originals, vectors=lambda rows: vectors[rows], hashes=hashes))

    assert sorted(asked) == [0, 1]


def test_where_the_guard_leaves_none_any_other_is_drawn_and_counted() -> None:
    pool = pool_of([original(0), original(1)], vectors=at_angles(0.99))
    strategy = NearestNegatives(pool)

    assert [one.artwork_id for one in strategy.draw(pool.originals[0], 1, Random(0))] == [1]
    assert dict(strategy.fallbacks) == {"nearest: no original that is surely another work in its part, so any other original": 1}


def test_a_pool_without_vectors_is_refused_in_one_line() -> None:
    with pytest.raises(NothingToTrainOn, match="need the vectors"):
        NearestNegatives(NegativePool(originals=[original(0)]))


def test_vectors_of_any_length_are_compared_by_their_direction() -> None:
    vectors = at_angles(0.8, 0.3) * np.array([[1], [0.01], [50]], np.float32)
    strategy = NearestNegatives(pool_of([original(number) for number in range(3)], vectors=vectors.astype(np.float32)))

    assert strategy._near[0].tolist()[:2] == [1, 2]
