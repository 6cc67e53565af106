from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.training import Split
from db.training.group_splits import draw_splits, splits_by_subset

SUBSETS = st.sampled_from(["train", "Test ", "valid", "uncertain artist", "", None])


def test_the_words_of_catalogues_are_known() -> None:
    found = splits_by_subset([("a", "Training"), ("b", " VALID "), ("c", "dev"), ("d", "testing"), ("e", "uncertain artist"), ("f", None)])
    assert list(found.values()) == [Split.TRAIN, Split.VALIDATION, Split.VALIDATION, Split.TEST, Split.TRAIN, Split.TRAIN]


@given(st.lists(st.tuples(st.integers(0, 8).map(str), SUBSETS)))
def test_only_a_group_that_is_wholly_tested_is_tested(copies: list[tuple[str, str | None]]) -> None:
    found = splits_by_subset(copies)
    assert set(found) == {group for group, _ in copies}
    for group, split in found.items():
        words = {subset for name, subset in copies if name == group}
        assert (split is Split.TEST) == (words == {"Test "})
        assert (split is Split.VALIDATION) == (words == {"valid"})


@given(st.integers(6, 300), st.integers(0, 1000))
def test_three_sides_have_their_shares(count: int, seed: int) -> None:
    counts = Counter(draw_splits({f"g{n}": f"s{n % 4}" for n in range(count)}, test=0.1, validation=1 / 9, random=Random(seed)).values())
    assert abs(counts[Split.TEST] - max(2, count * 0.1)) <= 0.5
    assert min(counts[Split.VALIDATION], counts[Split.TRAIN]) >= 2


def test_two_sides_need_fewer_groups_than_three() -> None:
    styles = {f"g{n}": "s" for n in range(4)}
    assert Counter(draw_splits(styles, test=0.5, validation=0, random=Random(0)).values()) == {Split.TRAIN: 2, Split.TEST: 2}
    with pytest.raises(ValueError, match="too few to split 3 ways"):
        draw_splits(styles, test=0.5, validation=0.5, random=Random(0))
