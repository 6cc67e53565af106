"""What every strategy promises, and of what kind its negatives are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.results.pairs import Repaint
from tests.unit.trainer.negatives.pools import original, pool_of, pools, repaint
from trainer.metrics.negatives import SAME_SHAPE
from trainer.negatives.protocol import CountsFallbacks, draws_of
from trainer.negatives.registry import NEGATIVES, load_strategy

if TYPE_CHECKING:
    from trainer.data.originals import GroupedOriginal
    from trainer.negatives.protocol import Negative, NegativePool, NegativeStrategy

MIXTURE = "same-artist:2,generated:1,nearest:1,other-style:1"
NAMES = ("other-style", "any", "same-style", "same-artist", "same-shape", "generated", "nearest", MIXTURE)
#: Those that always find a negative where there is another group.
NEVER_EMPTY = tuple(name for name in NAMES if name != "other-style")


def group_of(negative: Negative, pool: NegativePool) -> str:
    return next(one.group_key for one in pool.originals if one.artwork_id == negative.artwork_id)


def fallbacks_of(strategy: NegativeStrategy) -> Counter[str]:
    return Counter(strategy.fallbacks) if isinstance(strategy, CountsFallbacks) else Counter()


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30)
@given(pool=pools(), seed=st.integers(0, 9), count=st.integers(1, 5))
def test_negatives_are_different_pictures_of_other_groups_of_the_pool(name: str, pool: NegativePool, seed: int, count: int) -> None:
    draw, random = draws_of(load_strategy(name)(pool)), Random(seed)
    known = {one.content_hash for one in pool.originals} | {one.content_hash for one in pool.repaints}

    for anchor in pool.originals:
        negatives = draw(anchor, repaint(anchor), count, random)

        assert len(negatives) <= count
        assert len({negative.content_hash for negative in negatives}) == len(negatives)
        assert anchor.group_key not in {group_of(negative, pool) for negative in negatives}
        assert {negative.content_hash for negative in negatives} <= known
        if name in NEVER_EMPTY and any(other.group_key != anchor.group_key for other in pool.originals):
            assert negatives


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30)
@given(pool=pools(), seed=st.integers(0, 9))
def test_row_ids_do_not_change_what_a_seed_draws(name: str, pool: NegativePool, seed: int) -> None:
    originals = [replace(one, artwork_id=900 - one.artwork_id) for one in pool.originals]
    repaints = [replace(one, artwork_id=900 - one.artwork_id, image_id=7000 - one.image_id) for one in pool.repaints]
    renumbered = replace(pool, originals=originals, repaints=repaints)

    def drawn(used: NegativePool) -> list[list[str]]:
        draw, random = draws_of(load_strategy(name)(used)), Random(seed)
        return [[one.content_hash for one in draw(anchor, repaint(anchor), 3, random)] for anchor in used.originals]

    assert drawn(pool) == drawn(pool) == drawn(renumbered)


def is_of_its_kind(name: str, anchor: GroupedOriginal, negative: Negative) -> bool:
    if isinstance(negative, Repaint):
        return name == "generated" and negative.level == "moderate"
    ratio = negative.aspect / anchor.aspect
    return {
        "same-style": bool(negative.styles & anchor.styles),
        "same-artist": anchor.artist is not None and negative.artist == anchor.artist,
        "same-shape": 1 / (1 + SAME_SHAPE) <= ratio <= 1 + SAME_SHAPE,
        "generated": False,
    }[name]


@pytest.mark.parametrize("name", ["same-style", "same-artist", "same-shape", "generated"])
@settings(deadline=None, max_examples=30)
@given(pool=pools(), seed=st.integers(0, 9))
def test_negatives_are_of_their_kind_and_where_there_is_none_of_it_that_is_counted(name: str, pool: NegativePool, seed: int) -> None:
    strategy, random = load_strategy(name)(pool), Random(seed)
    draw = draws_of(strategy)
    candidates = pool.repaints if name == "generated" else pool.originals

    for anchor in pool.originals:
        before = fallbacks_of(strategy)
        negatives = draw(anchor, repaint(anchor), 2, random)
        reasons = fallbacks_of(strategy) - before

        others = [one for one in candidates if group_of(one, pool) != anchor.group_key and is_of_its_kind(name, anchor, one)]
        if others:
            assert all(is_of_its_kind(name, anchor, negative) for negative in negatives)
            assert len(negatives) == min(2, len(others))
            assert not reasons
        else:
            assert not any(is_of_its_kind(name, anchor, negative) for negative in negatives)
            assert any(reason.startswith(f"{name}: ") for reason in reasons)


def test_each_reason_to_draw_otherwise_is_named() -> None:
    alone = original(0, styles=["Cubism"], artist="Ada", aspect=3.0)
    nameless = original(1)
    other = original(2, styles=["Rococo"], artist="Bo")
    pool = pool_of([alone, nameless, other], [repaint(alone), repaint(other, "radical")])

    def reasons(name: str, anchor: GroupedOriginal) -> list[str]:
        strategy = load_strategy(name)(pool)
        draws_of(strategy)(anchor, repaint(anchor), 1, Random(0))
        return list(fallbacks_of(strategy))

    assert reasons("same-style", alone) == ["same-style: no other original of its style in its part, so any other original"]
    assert reasons("same-style", nameless) == ["same-style: style unknown, so any other original"]
    assert reasons("same-artist", nameless)[0] == "same-artist: artist unknown, so same-style"
    assert reasons("same-artist", alone)[0] == "same-artist: no other work of its artist in its part, so same-style"
    assert reasons("same-shape", alone) == ["same-shape: no other original of its shape in its part, so any other original"]
    assert reasons("generated", alone) == ["generated: no repaint of another work at its level in its part, so of another level"]
    assert reasons("any", alone) == []


def test_without_repaints_generated_negatives_are_originals_and_that_is_counted() -> None:
    pool = pool_of([original(0), original(1)])
    strategy = load_strategy("generated")(pool)

    drawn = draws_of(strategy)(pool.originals[0], repaint(pool.originals[0]), 1, Random(0))

    assert list(drawn) == [pool.originals[1]]
    assert list(fallbacks_of(strategy)) == ["generated: no repaint of another work in its part, so any other original"]


def test_a_picture_equal_to_the_positive_is_no_negative() -> None:
    one, other, third = original(0), original(1), original(2)
    positive = repaint(one)
    equal = replace(repaint(other), content_hash=positive.content_hash)
    pool = pool_of([one, other, third], [positive, equal, repaint(third)])

    draw = draws_of(load_strategy("generated")(pool))

    assert {negative.artwork_id for seed in range(20) for negative in draw(one, positive, 2, Random(seed))} == {2}


@pytest.mark.parametrize("name", ["any", "same-style", "same-shape", "generated"])
def test_negatives_are_drawn_evenly(name: str) -> None:
    originals = [original(number, styles=["Cubism"]) for number in range(5)]
    pool = pool_of(originals, [repaint(one) for one in originals])
    draw, random = draws_of(load_strategy(name)(pool)), Random(0)

    drawn = Counter(draw(originals[0], repaint(originals[0]), 1, random)[0].artwork_id for _ in range(2000))

    assert set(drawn) == {1, 2, 3, 4}
    assert all(abs(times - 500) < 100 for times in drawn.values())


def test_a_work_with_two_styles_gets_negatives_of_both() -> None:
    pool = pool_of([original(0, styles=["Cubism", "Rococo"]), original(1, styles=["Cubism"]), original(2, styles=["Rococo"]), original(3)])
    strategy = load_strategy("same-style")(pool)

    assert sorted(one.artwork_id for one in strategy.draw(pool.originals[0], 5, Random(0))) == [1, 2]


def test_every_strategy_that_ships_is_tested_here() -> None:
    assert set(NEGATIVES.names) == set(NAMES) - {MIXTURE}
