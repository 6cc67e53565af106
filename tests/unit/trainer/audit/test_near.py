"""Pairs across sides found block by block, after what components rule out, are those that a look at every pair finds."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.audit import PictureSpace, SidedPictures, near
from trainer.audit.near import compared, near_by_embedding, near_by_hash, near_duplicates
from trainer.audit.shared import across_sides, equal_contents
from trainer.quality.near_pairs import LEAST_COSINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pytest


def pictures(
    sides: Sequence[int], groups: Sequence[int], *, contents: Sequence[str] | None = None, originals: Sequence[bool] | None = None
) -> SidedPictures:
    count = len(sides)
    return SidedPictures(
        sides=np.array(sides, dtype=np.int64),
        groups=np.array(groups, dtype=np.int64),
        artists=np.full(count, -1, dtype=np.int64),
        originals=np.array(originals if originals is not None else [True] * count, dtype=np.bool_),
        contents=tuple(contents if contents is not None else [f"c{number}" for number in range(count)]),
        names=tuple(f"n{number}" for number in range(count)),
        group_names=tuple(f"g{number}" for number in range(max(groups, default=0) + 1)),
        artist_names=(),
    )


def unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    scaled: npt.NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return scaled


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**16), count=st.integers(0, 90), dimension=st.sampled_from([3, 64, 80]), block=st.sampled_from([1, 7, 32, 2048])
)
def test_blocks_find_what_a_look_at_every_pair_finds(seed: int, count: int, dimension: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(5, dimension))
    vectors = unit(centres[rng.integers(0, 5, count)] + rng.uniform(0.05, 0.6) * rng.normal(size=(count, dimension)))
    sides, groups = rng.integers(0, 3, count), rng.integers(0, max(1, count // 2), count)
    contents = [f"c{number}" for number in rng.integers(0, max(1, count), count)]
    first = {content: row for row, content in reversed(list(enumerate(contents)))}
    chosen = pictures(sides.tolist(), groups.tolist(), contents=contents, originals=(rng.random(count) < 0.5).tolist())

    found = near_by_embedding(chosen, PictureSpace(vectors=vectors, rows=first), block=block)

    expected = set()
    for one, other in combinations(range(count), 2):
        cosine = float(vectors[first[contents[one]]] @ vectors[first[contents[other]]])
        apart = sides[one] != sides[other] and groups[one] != groups[other] and contents[one] != contents[other]
        if apart and cosine >= LEAST_COSINE:
            expected.add((one, other))
    assert {tuple(sorted(pair)) for pair in found.pairs.tolist()} == expected
    assert len(found.pairs) == len(expected)
    pairs_of_originals = chosen.originals[found.pairs].sum(axis=1)
    assert (np.diff(pairs_of_originals) <= 0).all(), "pairs of originals come first"


def test_pictures_without_a_vector_are_left_out() -> None:
    vectors = np.ones((2, 1), np.float32)

    found = near_by_embedding(pictures([0, 2, 2], [0, 1, 2]), PictureSpace(vectors=vectors, rows={"c0": 0, "c2": 1}))

    assert found.pairs.tolist() == [[0, 2]]


def test_of_more_near_pairs_than_are_kept_the_number_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST_PAIRS", 10)
    monkeypatch.setattr(near, "_AT_ONCE", 4)
    space = PictureSpace(vectors=np.ones((9, 1), np.float32), rows={f"c{number}": number for number in range(9)})

    found = near_by_embedding(pictures([0] * 3 + [2] * 6, range(9)), space, block=2)

    assert (len(found.pairs), found.beyond) == (10, 8)


def test_no_more_pictures_are_opened_than_may_be_and_the_rest_stays_uncompared() -> None:
    opened: list[str] = []

    def hashes(contents: Sequence[str]) -> npt.NDArray[np.uint64]:
        opened.extend(contents)
        return np.zeros(len(contents), np.uint64)

    space = PictureSpace(vectors=np.ones((6, 1), np.float32), rows={f"c{number}": number for number in range(6)})
    chosen = pictures([0] * 3 + [2] * 3, range(6))

    looked_at = compared(chosen, near_by_embedding(chosen, space), hashes, most_opened=4)

    assert sorted(opened) == ["c0", "c3", "c4", "c5"]
    assert near_duplicates(looked_at).sum() == 3
    assert (looked_at.bits == -1).sum() == 6


def test_originals_are_compared_by_hash_unless_they_are_too_many_to_open(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = pictures([0, 0, 1, 2], [0, 1, 2, 3], originals=[True, True, True, False])
    values = {"c0": 0b1111, "c1": 0xFFFF, "c2": 0b1100, "c3": 0b1111}

    def hashes(contents: Sequence[str]) -> npt.NDArray[np.uint64]:
        return np.array([values[content] for content in contents], dtype=np.uint64)

    assert near_by_hash(chosen, hashes).pairs.tolist() == [[0, 2]]
    monkeypatch.setattr(near, "MOST_HASHED", 2)
    assert near_by_hash(chosen, hashes).pairs.tolist() == []


@given(st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 2)), max_size=40))
def test_labels_on_several_sides_are_each_found_once(rows: list[tuple[int, int]]) -> None:
    labels, sides = (np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1))

    pairs = across_sides(labels, sides).tolist()

    expected = [label for label in range(7) if len({side for found, side in rows if found == label}) > 1]
    assert [labels[one] for one, _ in pairs] == expected
    for one, other in pairs:
        assert labels[one] == labels[other]
        assert sides[one] != sides[other]


def test_equal_bytes_of_one_group_are_no_finding() -> None:
    chosen = pictures([0, 2, 0, 2], [0, 0, 1, 2], contents=["a", "a", "b", "b"])

    assert equal_contents(chosen).tolist() == [[2, 3]]
