from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.results.pairs import Original, Repaint
from db.training import Split
from trainer.errors import NothingToTrainOn
from trainer.negatives import OtherStyle
from trainer.triplets import Drawing, draw_triplets, hash_of
from trainer.works import Work, gather_works

STYLES = ["Cubism", "Rococo", "Pop Art", "Baroque"]


def work(number: int, styles: set[str], group: str | None = None) -> Work:
    return Work(
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


def draw(works: list[Work], parts: dict[str, Split], seed: int = 0, per_repaint: int = 2) -> Drawing:
    repaints = [repaint(work.artwork_id, work.artwork_id) for work in works]
    return draw_triplets(works=works, repaints=repaints, parts=parts, strategy=OtherStyle, per_repaint=per_repaint, seed=seed, needed=())


some_works = st.lists(
    st.tuples(st.sets(st.sampled_from(STYLES), max_size=3), st.integers(0, 12), st.sampled_from(list(Split))), max_size=40
)


@given(drawn=some_works, seed=st.integers(0, 99))
def test_a_negative_shares_no_style_no_group_and_no_side_with_another(drawn: list[tuple[set[str], int, Split]], seed: int) -> None:
    works = [work(number, styles, f"g{group}") for number, (styles, group, _) in enumerate(drawn)]
    parts = {f"g{group}": part for _, group, part in drawn}
    by_id = {work.artwork_id: work for work in works}

    for triplet in draw(works, parts, seed).triplets:
        anchor, negative = by_id[triplet.anchor_id], by_id[triplet.negative_id]
        assert anchor.styles
        assert negative.styles
        assert anchor.styles.isdisjoint(negative.styles)
        assert anchor.group_key != negative.group_key
        assert parts[anchor.group_key] is parts[negative.group_key] is triplet.part
        assert triplet.positive_hash == f"{triplet.anchor_id + 10**6:064x}"


def test_the_styles_of_copies_count_for_the_whole_group() -> None:
    works = gather_works(
        [
            original(1, group="same", style="Cubism"),
            original(2, group="same", style="Rococo", styles=("Rococo", "Baroque")),
            original(3, group="other", style=None),
        ]
    )

    assert [set(work.styles) for work in works] == [{"Cubism", "Rococo", "Baroque"}] * 2 + [set()]


def test_an_anchor_gets_every_other_work_once_when_all_are_asked_for() -> None:
    works = [work(0, {"Cubism"}), *(work(number, {"Rococo"}) for number in range(1, 6))]

    negatives = OtherStyle(works).draw(works[0], 10, Random(0))

    assert sorted(negative.artwork_id for negative in negatives) == [1, 2, 3, 4, 5]


def test_negatives_are_drawn_evenly() -> None:
    works = [work(0, {"Cubism"}), *(work(number, {"Rococo"}) for number in range(1, 5))]
    strategy, random = OtherStyle(works), Random(0)

    drawn = [strategy.draw(works[0], 1, random)[0].artwork_id for _ in range(4000)]

    assert all(abs(drawn.count(number) - 1000) < 120 for number in range(1, 5))


def test_what_gives_no_triplet_is_counted_with_its_reason() -> None:
    works = [work(0, {"Cubism"}), work(1, {"Cubism"}), work(2, set()), work(3, {"Rococo"}, "alone")]
    parts = {"g0": Split.TRAIN, "g1": Split.TRAIN, "g2": Split.TRAIN, "alone": Split.TEST}

    assert draw(works, parts).left_out == {"no original of another style in its part": 3, "style unknown": 1}


def test_an_empty_side_is_named_with_what_is_missing() -> None:
    works = [work(number, {"Cubism"}) for number in range(4)]
    parts = {"g0": Split.TRAIN, "g1": Split.TRAIN, "g2": Split.TEST, "g3": Split.TEST}

    with pytest.raises(NothingToTrainOn, match=r"the train side has no triplet.*more styles"):
        draw_triplets(works=works, repaints=[repaint(0, 0)], parts=parts, strategy=OtherStyle, per_repaint=1, seed=0)


def test_row_ids_and_order_do_not_change_what_is_drawn() -> None:
    works = [work(number, {STYLES[number % 4]}) for number in range(20)]
    parts = {work.group_key: Split.TRAIN for work in works}
    renumbered = [replace(work, artwork_id=500 - work.artwork_id) for work in works]
    repaints = [repaint(number, number) for number in range(20)]
    again = [replace(repaint, artwork_id=500 - repaint.artwork_id, image_id=7000 - repaint.image_id) for repaint in reversed(repaints)]
    options: dict[str, Any] = {"parts": parts, "strategy": OtherStyle, "per_repaint": 3, "seed": 1, "needed": ()}

    one = draw_triplets(works=works, repaints=repaints, **options)
    other = draw_triplets(works=renumbered, repaints=again, **options)

    assert one.content_hash == other.content_hash
    assert len(one.triplets) == 60


def test_the_hash_notices_every_change() -> None:
    works = [work(number, {STYLES[number % 4]}) for number in range(8)]
    drawing = draw(works, {work.group_key: Split.TRAIN for work in works})
    first, *rest = drawing.triplets

    assert hash_of(drawing.triplets) == drawing.content_hash
    for change in ({"part": Split.TEST}, {"positive_hash": "f" * 64}, {"negative_key": "x"}, {"group_key": "x"}, {"level": "radical"}):
        assert hash_of([replace(first, **change), *rest]) != drawing.content_hash
    assert hash_of([*rest, first]) != drawing.content_hash


def test_another_seed_draws_other_negatives() -> None:
    works = [work(number, {STYLES[number % 4]}) for number in range(20)]
    parts = {work.group_key: Split.TRAIN for work in works}

    assert draw(works, parts, seed=0).content_hash == draw(works, parts, seed=0).content_hash
    assert draw(works, parts, seed=0).content_hash != draw(works, parts, seed=1).content_hash
