"""Splits by shares that keep artists apart, the fall back to artworks, and what the record says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.training import Split
from trainer.errors import NothingToTrainOn
from trainer.splits import GivenSplit, SplitRatio, SplitUnit, disjoint_by, parse_split, split_groups
from trainer.splits.assignment import SplitAssignment, fingerprint

if TYPE_CHECKING:
    from random import Random

RATIOS = ["80/20", "40/60", "80/10/10", "70/15/15"]


def gallery(works: list[int], *, unknown: int = 0, styles: int = 4) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """Style and artist of each group: so many works for each artist, then some of unknown artists."""
    artists = {f"g{artist:03}-{number:03}": frozenset({f"artist {artist}"}) for artist, size in enumerate(works) for number in range(size)}
    groups = [*artists, *(f"u{number:03}" for number in range(unknown))]
    return {group: f"style {place % styles}" for place, group in enumerate(groups)}, artists


@settings(max_examples=60, deadline=None)
@given(
    works=st.lists(st.integers(1, 30), min_size=8, max_size=40),
    unknown=st.integers(0, 20),
    ratio=st.sampled_from(RATIOS),
    seed=st.integers(0, 2**40),
    random=st.randoms(use_true_random=False),
)
def test_no_artist_is_on_two_sides_all_groups_are_placed_and_row_order_does_not_count(
    works: list[int], unknown: int, ratio: str, seed: int, random: Random
) -> None:
    styles, artists = gallery(works, unknown=unknown)
    rule = SplitRatio.parse(ratio)

    split = rule.divide(styles, artists, seed)
    shuffled = list(styles.items())
    random.shuffle(shuffled)

    assert split.unit is SplitUnit.ARTIST
    assert set(split.sides) == set(styles)
    sides = {name: {split.sides[group] for group in artists if name in artists[group]} for name in {n for a in artists.values() for n in a}}
    assert all(len(found) == 1 for found in sides.values())
    assert min(Counter(split.sides.values())[side] for side in Split) >= 2
    assert rule.divide(dict(shuffled), dict(sorted(artists.items(), reverse=True)), seed) == split


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ("80/20", {"train": 680, "validation": 120, "test": 200}),
        ("40/60", {"train": 340, "validation": 60, "test": 600}),
        ("80/10/10", {"train": 800, "validation": 100, "test": 100}),
        ("70/15/15", {"train": 700, "validation": 150, "test": 150}),
    ],
)
def test_the_shares_are_met_within_a_few_works_by_artists_and_exactly_by_artworks(ratio: str, expected: dict[str, int]) -> None:
    styles, artists = gallery([10] * 60 + [4] * 50 + [1] * 200)
    rule = SplitRatio.parse(ratio)

    by_artist = rule.divide(styles, artists, 1).counts()
    by_artwork = replace(rule, unit=SplitUnit.ARTWORK).divide(styles, artists, 1)

    assert all(abs(by_artist[side] - expected[side]) <= 2 for side in expected)
    assert by_artwork.counts() == expected
    assert by_artwork.sides == split_groups(styles, rule, 1)


def test_too_few_artists_fall_back_to_artworks_with_a_line_that_says_so() -> None:
    styles, artists = gallery([20, 20, 20, 20, 20])

    split = SplitRatio.parse("80/20").divide(styles, artists, 0)

    assert (split.unit, split.sides) == (SplitUnit.ARTWORK, split_groups(styles, SplitRatio.parse("80/20"), 0))
    assert len(split.notes) == 1
    assert split.notes[0].startswith(
        "5 artists are too few to be kept apart on three sides (at least 6 are needed): this split is by artwork"
    )


def test_without_any_artist_the_split_is_by_artwork_and_says_so() -> None:
    styles, _ = gallery([], unknown=50)

    split = SplitRatio.parse("80/20").divide(styles, {}, 0)

    assert (split.unit, split.notes) == (SplitUnit.ARTWORK, ("no artist is known: this split is by artwork",))


def test_works_of_unknown_artists_are_told() -> None:
    styles, artists = gallery([5] * 10, unknown=3)

    (note,) = SplitRatio.parse("80/20").divide(styles, artists, 0).notes

    assert note.startswith("3 artworks of unknown artists are kept apart each by itself")


def test_works_that_look_the_same_stay_on_one_side_by_artist_and_by_artwork() -> None:
    styles, artists = gallery([5] * 12)
    joined = tuple((f"g{number:03}-000", f"g{number + 1:03}-001") for number in (0, 2, 4, 6))

    for unit in (SplitUnit.ARTIST, SplitUnit.ARTWORK):
        for seed in range(5):
            rule = replace(SplitRatio.parse("80/20"), unit=unit).keeping(joined)
            split = rule.divide(styles, artists, seed)
            assert split.unit is unit
            assert all(split.sides[one] is split.sides[other] for one, other in joined)


def test_the_record_names_unit_seed_and_fingerprint() -> None:
    styles, artists = gallery([5] * 10)

    record = SplitRatio.parse("80/10/10").divide(styles, artists, 7).record()

    assert (record["disjoint"], record["split_seed"], record["split_notes"]) == ("artist", 7, [])
    assert sum(record["groups"].values()) == 50
    assert len(record["split_fingerprint"]) == 64


def test_a_fingerprint_follows_from_sides_and_not_from_their_order() -> None:
    one = {"a": Split.TRAIN, "b": Split.TEST}

    assert fingerprint(one) == fingerprint(dict(reversed(one.items())))
    assert fingerprint(one) != fingerprint({"a": Split.TEST, "b": Split.TRAIN})
    assert SplitAssignment(one, SplitUnit.ARTIST, 0).fingerprint == SplitAssignment(one, SplitUnit.ARTWORK, 1).fingerprint


def test_three_shares_are_read_and_written_and_have_a_folder() -> None:
    ratio = SplitRatio.parse(" 80/10/10 ")

    assert (str(ratio), ratio.folder, ratio.train, ratio.validate, ratio.test) == ("80/10/10", "80-10-10", 80, 10, 10)
    assert ratio.validation == pytest.approx(1 / 9)
    assert SplitRatio.parse("80/20").validation == 0.15


@pytest.mark.parametrize("text", ["80/10/5", "80/0/20", "50/20/20/10", "80/10/", "100/0/0", "80/10-10"])
def test_malformed_shares_of_three_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no split"):
        parse_split(text)


def test_what_is_kept_apart_is_chosen_for_shares_and_not_for_given_splits() -> None:
    by_artwork = disjoint_by(parse_split("80/20"), SplitUnit.ARTWORK)

    assert isinstance(by_artwork, SplitRatio)
    assert by_artwork.unit is SplitUnit.ARTWORK
    assert disjoint_by(parse_split("catalogue"), SplitUnit.ARTWORK) is GivenSplit.CATALOGUE


def test_too_few_artworks_are_refused_before_anything_else() -> None:
    styles, artists = gallery([1] * 5)

    with pytest.raises(NothingToTrainOn, match="5 different artworks"):
        SplitRatio.parse("80/20").divide(styles, artists, 0)
