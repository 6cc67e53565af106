from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.data.embeddings import unit_length
from trainer.quality.near_pairs import LEAST_COSINE, MOST_BITS, Groups, PictureSet, near_duplicate_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def pictures(
    directions: Sequence[int],
    *,
    hashes: Sequence[int] | None = None,
    families: Sequence[int] | None = None,
    originals: Sequence[bool] | None = None,
    asked: list[int] | None = None,
) -> PictureSet:
    """Rows of one direction are equal for CLIP, others are orthogonal; hashes are all equal unless given."""
    count = len(directions)
    vectors = np.eye(16, dtype=np.float32)[list(directions)]
    known = np.array(hashes if hashes is not None else [0] * count, dtype=np.uint64)

    def hashes_of(rows: Sequence[int]) -> npt.NDArray[np.uint64]:
        if asked is not None:
            asked.extend(rows)
        return known[list(rows)]

    return PictureSet(
        vectors=vectors.astype(np.float16),
        families=np.array(families if families is not None else range(count), dtype=np.int64),
        originals=np.array(originals if originals is not None else [False] * count, dtype=np.bool_),
        hashes=hashes_of,
    )


def bits(count: int) -> int:
    return (1 << count) - 1


def test_pictures_near_in_both_ways_form_a_group() -> None:
    assert near_duplicate_groups(pictures([0, 1, 0, 2, 1])) == [[0, 2], [1, 4]]


def test_clip_alone_makes_no_duplicates_and_the_hash_alone_neither() -> None:
    assert near_duplicate_groups(pictures([0, 0], hashes=[0, bits(MOST_BITS + 1)])) == []
    assert near_duplicate_groups(pictures([0, 0], hashes=[0, bits(MOST_BITS)])) == [[0, 1]]
    assert near_duplicate_groups(pictures([0, 1], hashes=[0, 0])) == []


def test_a_cosine_below_the_least_is_not_near() -> None:
    for cosine, expected in ((LEAST_COSINE + 0.01, [[0, 1]]), (LEAST_COSINE - 0.01, [])):
        vectors = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]], dtype=np.float16)
        assert near_duplicate_groups(replace(pictures([0, 0]), vectors=vectors)) == expected


def test_nearness_goes_on_through_others() -> None:
    chain = [bits(0), bits(MOST_BITS), bits(2 * MOST_BITS)]
    assert near_duplicate_groups(pictures([0, 0, 0], hashes=chain)) == [[0, 1, 2]]
    assert near_duplicate_groups(pictures([0, 1, 0], hashes=chain)) == []


def test_a_repaint_like_its_own_original_is_none_and_like_anothers_is_one() -> None:
    original = [True, False]
    assert near_duplicate_groups(pictures([0, 0], families=[5, 5], originals=original)) == []
    assert near_duplicate_groups(pictures([0, 0], families=[5, 6], originals=original)) == [[0, 1]]
    assert near_duplicate_groups(pictures([0, 0], families=[5, 5], originals=[False, False])) == [[0, 1]], "two repaints of one"


def test_only_what_clip_finds_near_is_opened() -> None:
    asked: list[int] = []
    near_duplicate_groups(pictures([0, 1, 2, 0, 3], asked=asked))
    assert set(asked) == {0, 3}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_blocks_find_what_a_look_at_every_pair_finds(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 14))
    seed, block = data.draw(st.integers(0, 2**16)), data.draw(st.integers(1, 6))
    rng = np.random.default_rng(seed)
    vectors = unit_length((rng.integers(0, 3, (count, 1)) + 0.25 * rng.normal(size=(count, 3))).astype(np.float32)).astype(np.float16)
    hashes = (rng.integers(0, 2, (count, 12)) @ (2 ** np.arange(12))).astype(np.uint64)
    families, originals = rng.integers(0, 4, count), rng.integers(0, 2, count).astype(np.bool_)
    chosen = PictureSet(vectors=vectors, families=families, originals=originals, hashes=lambda rows: hashes[list(rows)])

    groups = Groups(count)
    wide = vectors.astype(np.float32)
    for one in range(count):
        for other in range(one + 1, count):
            own = families[one] == families[other] and originals[one] != originals[other]
            differ = int(hashes[one] ^ hashes[other]).bit_count()
            if wide[one] @ wide[other] >= LEAST_COSINE and differ <= MOST_BITS and not own:
                groups.join(one, other)
    assert near_duplicate_groups(chosen, block=block) == groups.members()


def test_groups_are_joined_in_any_order_to_the_same() -> None:
    forward, backward = Groups(6), Groups(6)
    pairs = [(0, 1), (2, 3), (1, 3), (4, 5)]
    for one, other in pairs:
        forward.join(one, other)
    for one, other in reversed(pairs):
        backward.join(other, one)
    assert forward.members() == backward.members() == [[0, 1, 2, 3], [4, 5]]
