"""Whole blocks on sides: everything placed once, sizes within the largest block, styles spread, and the same again for the same seed."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.splits.balance import LEAST_BLOCKS, balance
from trainer.splits.blocks import GroupBlock

shares = st.sampled_from([(0.68, 0.12, 0.2), (0.34, 0.06, 0.6), (0.8, 0.1, 0.1), (0.7, 0.15, 0.15), (0.5, 0.5), (0.85, 0.15), (0.25,) * 4])
sizes = st.lists(st.one_of(st.integers(1, 4), st.integers(1, 60)), min_size=8, max_size=60)


def painted(sizes: list[int], *, styles: int = 5) -> tuple[list[GroupBlock], dict[str, str]]:
    """Blocks of these sizes; each is in one style, every third in two."""
    blocks = [
        GroupBlock(groups=tuple(f"g{block:03}-{number:03}" for number in range(size)), by_artist=True) for block, size in enumerate(sizes)
    ]
    named = {
        group: f"style {(place + (number % 2 if place % 3 == 0 else 0)) % styles}"
        for place, block in enumerate(blocks)
        for number, group in enumerate(block.groups)
    }
    return blocks, named


@settings(max_examples=150, deadline=None)
@given(sizes=sizes, shares=shares, seed=st.integers(0, 2**32))
def test_every_block_is_on_one_side_and_no_side_is_further_from_its_share_than_the_largest_block(
    sizes: list[int], shares: tuple[float, ...], seed: int
) -> None:
    blocks, styles = painted(sizes)

    sides = balance(blocks, styles, shares, Random(seed), least=1)

    assert sorted(block.groups for side in sides for block in side) == sorted(block.groups for block in blocks)
    for side, share in zip(sides, shares, strict=True):
        assert side
        if min(shares) * sum(sizes) >= max(sizes):  # else a side may have to be given a block that it has no room for
            assert abs(sum(map(len, side)) - share * sum(sizes)) < max(sizes)


@settings(max_examples=80, deadline=None)
@given(sizes=sizes, shares=shares, seed=st.integers(0, 100))
def test_every_side_has_works_of_two_artists_and_the_order_of_blocks_does_not_count(
    sizes: list[int], shares: tuple[float, ...], seed: int
) -> None:
    blocks, styles = painted(sizes)

    sides = balance(blocks, styles, shares, Random(seed))
    again = balance(blocks[::-1], dict(reversed(styles.items())), shares, Random(seed))

    assert min(map(len, sides)) >= LEAST_BLOCKS
    assert sides == again


@pytest.mark.parametrize("seed", range(5))
def test_styles_are_spread_as_the_shares_say_where_blocks_allow_it(seed: int) -> None:
    blocks = [
        GroupBlock(groups=tuple(f"{style}-{artist}-{number}" for number in range(10)), by_artist=True)
        for style in range(6)
        for artist in range(5)
    ]
    styles = {group: group.split("-")[0] for block in blocks for group in block.groups}

    train, test = balance(blocks, styles, (0.8, 0.2), Random(seed))

    assert Counter(styles[group] for block in test for group in block.groups) == dict.fromkeys("012345", 10)
    assert len(train) == 24


def test_single_works_fill_up_what_large_artists_leave_uneven() -> None:
    blocks, styles = painted([37, 29, 23, 17] + [1] * 40)

    sides = balance(blocks, styles, (0.7, 0.1, 0.2), Random(3))

    wanted = [0.7 * 146, 0.1 * 146, 0.2 * 146]
    for side, count in zip(sides, wanted, strict=True):
        assert abs(sum(map(len, side)) - count) < 2


def test_another_seed_gives_another_division_even_where_all_sizes_differ() -> None:
    blocks, styles = painted(list(range(1, 31)))

    divisions = {tuple(block.groups for block in balance(blocks, styles, (0.6, 0.2, 0.2), Random(seed))[2]) for seed in range(8)}

    assert len(divisions) > 4


def test_too_few_blocks_are_refused() -> None:
    blocks, styles = painted([5, 5, 5, 5, 5])

    with pytest.raises(ValueError, match="5 blocks are too few for 3 sides of 2"):
        balance(blocks, styles, (0.6, 0.2, 0.2), Random(0))
