"""Strategies mixed by weights."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.trainer.negatives.pools import LEVELS, original, pool_of, repaint
from trainer.errors import UnknownComponent
from trainer.negatives.mixture import NegativeMixture, parse_mixture
from trainer.negatives.registry import check_strategy, load_strategy

if TYPE_CHECKING:
    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import NegativePool


class _Labelled:
    """Originals of one style alone, which tells by which strategy a negative was drawn."""

    style: str

    def __init__(self, pool: NegativePool) -> None:
        self._originals = [one for one in pool.originals if one.styles == {self.style}]

    def draw(self, anchor: GroupedOriginal, count: int, random: Random) -> list[GroupedOriginal]:
        others = [one for one in self._originals if one.group_key != anchor.group_key]
        return random.sample(others, min(count, len(others)))

    def explain_empty(self, anchor: GroupedOriginal) -> str:
        return f"no {self.style}"


def labelled(style: str) -> type[_Labelled]:
    return type(style, (_Labelled,), {"style": style})


def mixture(pool: NegativePool, weights: dict[str, int]) -> NegativeMixture:
    return NegativeMixture(pool, {name: (labelled(name), weight) for name, weight in weights.items()})


@settings(deadline=None, max_examples=30)
@given(
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=3),
    count=st.integers(1, 6),
    seed=st.integers(0, 99),
    repaints=st.integers(1, 30),
)
def test_the_weights_are_met_at_each_level_but_for_the_pack_that_is_being_dealt(
    weights: list[int], count: int, seed: int, repaints: int
) -> None:
    names = dict(zip("abc", weights, strict=False))
    pool = pool_of([original(number, styles=["abc"[number % 3]]) for number in range(60)])
    strategy, random = mixture(pool, names), Random(seed)
    drawn: dict[str, Counter[str]] = {level: Counter() for level in LEVELS}

    for place in range(repaints):
        anchor = pool.originals[place]
        for level in LEVELS:
            negatives = strategy.draw_for(anchor, repaint(anchor, level), count, random)
            assert len({one.content_hash for one in negatives}) == count
            drawn[level].update(next(iter(one.styles)) for one in negatives)  # type: ignore[union-attr]

    for counts in drawn.values():
        assert counts.total() == repaints * count
        for name, weight in names.items():
            packs, begun = divmod(counts.total(), sum(weights))
            assert packs * weight <= counts[name] <= packs * weight + min(weight, begun)
    assert strategy.fallbacks == {}


def test_levels_and_strategies_do_not_go_hand_in_hand() -> None:
    pool = pool_of([original(number, styles=["ab"[number % 2]]) for number in range(40)])
    strategy, random = mixture(pool, {"a": 1, "b": 1}), Random(0)

    drawn = Counter(
        (level, *one.styles)  # type: ignore[union-attr]
        for anchor in pool.originals
        for level in LEVELS
        for one in strategy.draw_for(anchor, repaint(anchor, level), 1, random)
    )

    assert set(drawn.values()) == {20}


def test_where_one_has_too_few_the_others_fill_up_and_that_is_counted() -> None:
    pool = pool_of([original(0, styles=["a"]), original(1, styles=["a"]), *(original(number, styles=["b"]) for number in range(2, 9))])
    strategy = mixture(pool, {"a": 2, "b": 2})

    drawn = strategy.draw_for(pool.originals[0], repaint(pool.originals[0]), 4, Random(0))

    assert Counter(style for one in drawn for style in one.styles) == {"a": 1, "b": 3}  # type: ignore[union-attr]
    assert dict(strategy.fallbacks) == {"a: fewer negatives than its share, filled up by b": 1}


def test_an_original_that_two_strategies_give_is_one_negative() -> None:
    pool = pool_of([original(number) for number in range(4)])
    strategy = load_strategy("any:1,nearest:1,same-shape:2")(pool)

    for seed in range(20):
        drawn = strategy.draw(pool.originals[0], 3, Random(seed))
        assert sorted(one.artwork_id for one in drawn) == [1, 2, 3]


def test_fallbacks_of_the_mixed_strategies_are_told() -> None:
    pool = pool_of([original(number) for number in range(4)])
    strategy = load_strategy("same-artist,any")(pool)
    assert isinstance(strategy, NegativeMixture)

    strategy.draw_for(pool.originals[0], repaint(pool.originals[0]), 2, Random(0))

    assert strategy.fallbacks["same-artist: artist unknown, so same-style"] == 1
    assert strategy.explain_empty(pool.originals[0]) == "no other original in its part"


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ("any", "any"),
        ("any:3", "any"),
        (" nearest:1 , other-style:2", "nearest:1,other-style:2"),
        ("other-style:2,nearest", "nearest:1,other-style:2"),
        ("generated:20,any:10", "any:1,generated:2"),
    ],
)
def test_equal_mixtures_are_recorded_alike(text: str, recorded: str) -> None:
    assert check_strategy(text) == recorded
    assert check_strategy(recorded) == recorded


@pytest.mark.parametrize("text", ["", "any,", "any:0", "any:-1", "any:1.5", "any:", "any:1000", "any:²", "any:2,any:1", "any:1;nearest:2"])
def test_what_is_no_mixture_is_told_with_an_example(text: str) -> None:
    with pytest.raises(UnknownComponent, match="such as other-style:2,nearest:1"):
        parse_mixture(text)


def test_a_mixture_with_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownComponent, match=r"'farthest'; known: any, generated, nearest"):
        check_strategy("any:1,farthest:2")
