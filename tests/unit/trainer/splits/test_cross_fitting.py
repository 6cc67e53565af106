"""Cross-fitting: every artist is tested once, by a head that has neither learned from nor been stopped by that artist."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.training import Split
from trainer.errors import NothingToTrainOn
from trainer.splits import SplitUnit, folds


def gallery(works: list[int]) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    artists = {f"g{artist:03}-{number:03}": frozenset({f"artist {artist}"}) for artist, size in enumerate(works) for number in range(size)}
    return {group: f"style {int(group[1:4]) % 4}" for group in artists}, artists


@settings(max_examples=40, deadline=None)
@given(works=st.lists(st.integers(1, 12), min_size=12, max_size=36), count=st.integers(2, 5), seed=st.integers(0, 2**32))
def test_every_artist_is_tested_once_and_is_on_one_side_of_every_fold(works: list[int], count: int, seed: int) -> None:
    styles, artists = gallery(works)

    made = folds(styles, artists, seed=seed, count=count)

    assert len(made) == count
    tested = Counter(group for fold in made for group, side in fold.sides.items() if side is Split.TEST)
    assert tested == dict.fromkeys(styles, 1)
    for fold in made:
        assert set(fold.sides) == set(styles)
        on = {
            name: {fold.sides[group] for group, names in artists.items() if name in names}
            for name in {n for a in artists.values() for n in a}
        }
        assert all(len(sides) == 1 for sides in on.values())
        assert all(Counter(side for (side,) in on.values())[side] >= 2 for side in Split)
        assert (fold.unit, fold.seed) == (SplitUnit.ARTIST, seed)
    assert [fold.sides for fold in made] == [fold.sides for fold in folds(dict(reversed(styles.items())), artists, seed=seed, count=count)]


def test_folds_are_of_one_size_and_one_mixture_of_styles_where_artists_allow_it() -> None:
    styles, artists = gallery([30] * 40)

    made = folds(styles, artists, seed=5, count=2)

    for fold in made:
        tested = Counter(styles[group] for group, side in fold.sides.items() if side is Split.TEST)
        assert tested == {f"style {number}": 150 for number in range(4)}
        assert abs(fold.counts()["validation"] - 0.15 * 600) <= 30
    assert made[0].notes == ("fold 1 of 2",)
    assert len({fold.fingerprint for fold in made}) == 2


def test_validation_artists_differ_from_fold_to_fold() -> None:
    styles, artists = gallery([5] * 30)

    validated = [
        {group for group, side in fold.sides.items() if side is Split.VALIDATION} for fold in folds(styles, artists, seed=0, count=5)
    ]

    assert len({frozenset(groups) for groups in validated}) == 5


@pytest.mark.parametrize(("artists", "expected"), [(8, 2), (19, 3), (24, 4), (36, 5), (200, 5)])
def test_the_number_of_folds_follows_from_the_number_of_artists(artists: int, expected: int) -> None:
    assert len(folds(*gallery([2] * artists), seed=0)) == expected


def test_small_sets_are_refused_or_folded_by_artwork() -> None:
    styles, artists = gallery([10] * 6)

    with pytest.raises(NothingToTrainOn, match=r"6 artists are too few for 2 folds: at least 8 are needed; .*split by artwork"):
        folds(styles, artists, seed=0)
    made = folds(styles, artists, seed=0, unit=SplitUnit.ARTWORK)
    assert len(made) == 5
    assert {fold.counts()["test"] for fold in made} == {12}


def test_one_fold_is_none() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        folds(*gallery([2] * 20), seed=0, count=1)


def test_another_seed_gives_other_folds() -> None:
    styles, artists = gallery(list(range(1, 31)))

    assert len({folds(styles, artists, seed=seed, count=2)[0].fingerprint for seed in range(6)}) > 3
