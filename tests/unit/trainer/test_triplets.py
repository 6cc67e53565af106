from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.results.pairs import Original, Repaint
from db.training import Split
from trainer.data.originals import GroupedOriginal, group_originals
from trainer.data.triplet_indices import index_triplets
from trainer.data.triplets import DrawnTriplets, draw_triplets, hash_triplets
from trainer.errors import NothingToTrainOn
from trainer.negatives import NegativePool, OtherStyle
from trainer.negatives.registry import load_strategy

STYLES = ["Cubism", "Rococo", "Pop Art", "Baroque"]


def grouped(number: int, styles: set[str], group: str | None = None) -> GroupedOriginal:
    return GroupedOriginal(
        artwork_id=number,
        key=f"work-{number:03}",
        group_key=group or f"g{number}",
        content_hash=f"{number:064x}",
        styles=frozenset(styles),
    )


def original(number: int, *, group: str, style: str | None, styles: tuple[str, ...] = ()) -> Original:
    names = {"artist": "artist", "title": "title", "subset": None, "link": None}
    return Original(
        artwork_id=number, key=f"{number:04}", group_key=group, style=style, styles=styles, content_hash="", width=8, height=8, **names
    )


def repaint(image: int, artwork: int, level: str = "moderate") -> Repaint:
    return Repaint(
        image_id=image,
        artwork_id=artwork,
        variation_id=image,
        level=level,
        ordinal=0,
        seed=0,
        content_hash=f"{image + 10**6:064x}",
        pixel_hash="",
        width=8,
        height=8,
        prompt="",
        prompt_tokens=0,
        brief="",
        caption=None,
        recaption=None,
        provenance={},
    )


def draw(originals: list[GroupedOriginal], splits: dict[str, Split], seed: int = 0, per_repaint: int = 2) -> DrawnTriplets:
    repaints = [repaint(one.artwork_id, one.artwork_id) for one in originals]
    return draw_triplets(
        originals=originals, repaints=repaints, splits=splits, strategy=OtherStyle, per_repaint=per_repaint, seed=seed, needed=()
    )


some_originals = st.lists(
    st.tuples(st.sets(st.sampled_from(STYLES), max_size=3), st.integers(0, 12), st.sampled_from(list(Split))), max_size=40
)


@given(drawn=some_originals, seed=st.integers(0, 99))
def test_a_negative_has_another_style_and_group_and_the_anchors_split(drawn: list[tuple[set[str], int, Split]], seed: int) -> None:
    originals = [grouped(number, styles, f"g{group}") for number, (styles, group, _) in enumerate(drawn)]
    splits = {f"g{group}": part for _, group, part in drawn}
    by_id = {one.artwork_id: one for one in originals}

    for triplet in draw(originals, splits, seed).triplets:
        anchor, negative = by_id[triplet.anchor_id], by_id[triplet.negative_id]
        assert anchor.styles
        assert negative.styles
        assert anchor.styles.isdisjoint(negative.styles)
        assert anchor.group_key != negative.group_key
        assert splits[anchor.group_key] is splits[negative.group_key] is triplet.part
        assert triplet.positive_hash == f"{triplet.anchor_id + 10**6:064x}"


def test_the_styles_of_copies_count_for_the_whole_group() -> None:
    originals = group_originals(
        [
            original(1, group="same", style="Cubism"),
            original(2, group="same", style="Rococo", styles=("Rococo", "Baroque")),
            original(3, group="other", style=None),
        ]
    )

    assert [set(one.styles) for one in originals] == [{"Cubism", "Rococo", "Baroque"}] * 2 + [set()]


def test_an_anchor_gets_every_other_original_once_when_all_are_asked_for() -> None:
    originals = [grouped(0, {"Cubism"}), *(grouped(number, {"Rococo"}) for number in range(1, 6))]

    negatives = OtherStyle(NegativePool(originals=originals)).draw(originals[0], 10, Random(0))

    assert sorted(negative.artwork_id for negative in negatives) == [1, 2, 3, 4, 5]


def test_negatives_are_drawn_evenly() -> None:
    originals = [grouped(0, {"Cubism"}), *(grouped(number, {"Rococo"}) for number in range(1, 5))]
    strategy, random = OtherStyle(NegativePool(originals=originals)), Random(0)

    drawn = [strategy.draw(originals[0], 1, random)[0].artwork_id for _ in range(4000)]

    assert all(abs(drawn.count(number) - 1000) < 120 for number in range(1, 5))


def test_repaints_without_a_triplet_are_counted_by_reason() -> None:
    originals = [grouped(0, {"Cubism"}), grouped(1, {"Cubism"}), grouped(2, set()), grouped(3, {"Rococo"}, "alone")]
    splits = {"g0": Split.TRAIN, "g1": Split.TRAIN, "g2": Split.TRAIN, "alone": Split.TEST}

    assert draw(originals, splits).left_out == {"no original of another style in its part": 3, "style unknown": 1}


def test_an_empty_split_is_named_with_what_is_missing() -> None:
    originals = [grouped(number, {"Cubism"}) for number in range(4)]
    splits = {"g0": Split.TRAIN, "g1": Split.TRAIN, "g2": Split.TEST, "g3": Split.TEST}

    with pytest.raises(NothingToTrainOn, match=r"the train split has no triplet.*--negative-strategy any.*more styles"):
        draw_triplets(originals=originals, repaints=[repaint(0, 0)], splits=splits, strategy=OtherStyle, per_repaint=1, seed=0)


def test_row_ids_and_order_do_not_change_the_triplets() -> None:
    originals = [grouped(number, {STYLES[number % 4]}) for number in range(20)]
    splits = {one.group_key: Split.TRAIN for one in originals}
    renumbered = [replace(one, artwork_id=500 - one.artwork_id) for one in originals]
    repaints = [repaint(number, number) for number in range(20)]
    again = [replace(repaint, artwork_id=500 - repaint.artwork_id, image_id=7000 - repaint.image_id) for repaint in reversed(repaints)]
    options: dict[str, Any] = {"splits": splits, "strategy": OtherStyle, "per_repaint": 3, "seed": 1, "needed": ()}

    one = draw_triplets(originals=originals, repaints=repaints, **options)
    other = draw_triplets(originals=renumbered, repaints=again, **options)

    assert one.content_hash == other.content_hash
    assert len(one.triplets) == 60


def test_the_triplet_hash_changes_with_every_field() -> None:
    originals = [grouped(number, {STYLES[number % 4]}) for number in range(8)]
    drawn_triplets = draw(originals, {one.group_key: Split.TRAIN for one in originals})
    first, *rest = drawn_triplets.triplets

    assert hash_triplets(drawn_triplets.triplets) == drawn_triplets.content_hash
    for change in ({"part": Split.TEST}, {"positive_hash": "f" * 64}, {"negative_key": "x"}, {"group_key": "x"}, {"level": "radical"}):
        assert hash_triplets([replace(first, **change), *rest]) != drawn_triplets.content_hash
    assert hash_triplets([*rest, first]) != drawn_triplets.content_hash


def test_the_default_strategy_draws_what_earlier_versions_drew() -> None:
    originals = [grouped(number, {STYLES[number % 4], STYLES[number % 3]}, f"g{number // 2}") for number in range(40)]
    repaints = [repaint(2 * number + place, number, level) for number in range(40) for place, level in enumerate(("moderate", "radical"))]
    splits = {f"g{number}": list(Split)[number % 3] for number in range(20)}

    drawn = draw_triplets(originals=originals, repaints=repaints, splits=splits, strategy=OtherStyle, per_repaint=3, seed=5)

    assert drawn.content_hash == "75e502226e8aaa97ef6b4e1745c5b73ab13cea4ede560c139737e1234698dab9"
    assert (drawn.left_out, drawn.fell_back) == ({"no original of another style in its part": 18}, {})


def test_a_negative_that_is_a_repaint_is_named_by_its_original_and_told_apart_by_its_hash() -> None:
    originals = [grouped(number, {"Cubism"}) for number in range(3)]
    repaints = [repaint(100 + number, number) for number in range(3)]
    splits = {one.group_key: Split.TRAIN for one in originals}
    options: dict[str, Any] = {"originals": originals, "repaints": repaints, "splits": splits, "per_repaint": 2, "seed": 0, "needed": ()}

    generated = draw_triplets(strategy=load_strategy("generated"), **options)
    painted = draw_triplets(strategy=load_strategy("any"), **options)

    for triplet in generated.triplets:
        assert triplet.negative_image_id == 100 + triplet.negative_id
        assert triplet.negative_key == f"work-{triplet.negative_id:03}"
        assert triplet.negative_hash == f"{100 + triplet.negative_id + 10**6:064x}"
    assert {triplet.negative_image_id for triplet in painted.triplets} == {None}
    as_originals = [replace(one, negative_image_id=None, negative_hash=f"{one.negative_id:064x}") for one in generated.triplets]
    assert hash_triplets(as_originals) != generated.content_hash


def test_rows_of_negatives_that_are_repaints_are_of_their_originals_group_and_not_in_the_gallery() -> None:
    originals = [grouped(0, {"Cubism"}, "one"), grouped(1, {"Cubism"}, "two"), grouped(2, {"Rococo"}, "two")]
    repaints = [repaint(100 + number, number) for number in range(3)]
    drawn = draw_triplets(
        originals=originals,
        repaints=repaints,
        splits={"one": Split.TEST, "two": Split.TEST},
        strategy=load_strategy("generated"),
        per_repaint=3,
        seed=0,
        needed=(),
    )
    hashes = [one.content_hash for one in originals] + [one.content_hash for one in repaints]
    rows = {content_hash: row for row, content_hash in enumerate(hashes)}

    indices = index_triplets(drawn.triplets, rows, {one.key: one.group_key for one in originals})

    assert len(indices) == 4
    assert set(indices.negatives.tolist()) == {3, 4, 5}
    assert set(indices.group_of_row) == {0, 1, 2}
    assert indices.group_of_row[1] == indices.group_of_row[2] != indices.group_of_row[0]


def test_where_no_other_negatives_would_help_more_artworks_are_asked_for() -> None:
    originals = [grouped(0, {"Cubism"}), grouped(1, {"Rococo"})]
    splits = {"g0": Split.TRAIN, "g1": Split.TEST}

    with pytest.raises(NothingToTrainOn, match=r"no other original in its part\): repaint more artworks$"):
        draw_triplets(originals=originals, repaints=[repaint(0, 0)], splits=splits, strategy=load_strategy("any"), per_repaint=1, seed=0)


def test_another_seed_draws_other_negatives() -> None:
    originals = [grouped(number, {STYLES[number % 4]}) for number in range(20)]
    splits = {one.group_key: Split.TRAIN for one in originals}

    assert draw(originals, splits, seed=0).content_hash == draw(originals, splits, seed=0).content_hash
    assert draw(originals, splits, seed=0).content_hash != draw(originals, splits, seed=1).content_hash
