from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.results.pairs import Original
from db.training import Split
from trainer.data.originals import group_originals, style_by_group
from trainer.errors import NothingToTrainOn
from trainer.splits import SplitRatio, split_groups
from trainer.splits.assignment import fingerprint

ratios = st.sampled_from(["80/20", "40/60", "50/50", "90/10"])


def original(number: int, *, group: str, style: str | None, styles: tuple[str, ...] = ()) -> Original:
    return Original(
        artwork_id=number,
        key=f"artist_title-{number:04}",
        group_key=group,
        artist="artist",
        title="title",
        style=style,
        styles=styles,
        subset=None,
        content_hash=f"{number:064x}",
        link=None,
        width=8,
        height=8,
    )


@given(
    groups=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["Cubism", "Rococo", "Pop Art", None])), min_size=40, max_size=150),
    split=ratios,
    seed=st.integers(0, 2**40),
)
def test_no_group_of_copies_is_in_two_splits(groups: list[tuple[int, str | None]], split: str, seed: int) -> None:
    found = [original(number, group=f"g{group}", style=style) for number, (group, style) in enumerate(groups)]
    grouped = group_originals(found)
    styles = style_by_group(grouped, found)
    if len(styles) < 6:
        return

    split_of = split_groups(styles, SplitRatio.parse(split), seed)

    found_splits: dict[str, set[Split]] = {}
    for one in grouped:
        found_splits.setdefault(one.group_key, set()).add(split_of[one.group_key])
    assert set(split_of) == {one.group_key for one in grouped}
    assert all(len(splits) == 1 for splits in found_splits.values())


@given(sizes=st.lists(st.integers(1, 80), min_size=3, max_size=12), split=ratios, seed=st.integers(0, 1000))
def test_the_share_of_every_style_is_met_within_one_group(sizes: list[int], split: str, seed: int) -> None:
    styles = {f"{style}-{number}": f"style {style}" for style, size in enumerate(sizes) for number in range(size)}
    if len(styles) < 20:
        return
    ratio = SplitRatio.parse(split)

    split_of = split_groups(styles, ratio, seed)

    test = Counter(styles[group] for group, side in split_of.items() if side is Split.TEST)
    assert sum(test.values()) == pytest.approx(len(styles) * ratio.test / 100, abs=0.5)
    for style, size in enumerate(sizes):
        assert abs(test[f"style {style}"] - size * sum(test.values()) / len(styles)) < 1


def test_validation_is_taken_from_the_training_side() -> None:
    counts = Counter(split_groups({f"g{number}": "s" for number in range(1000)}, SplitRatio.parse("80/20"), 0).values())

    assert counts == {Split.TEST: 200, Split.VALIDATION: 120, Split.TRAIN: 680}


def test_the_order_of_groups_does_not_change_the_split() -> None:
    styles = {f"g{number}": f"s{number % 4}" for number in range(50)}
    backwards = dict(reversed(styles.items()))

    assert split_groups(styles, SplitRatio.parse("80/20"), 3) == split_groups(backwards, SplitRatio.parse("80/20"), 3)


def test_another_seed_gives_another_split() -> None:
    styles = {f"g{number}": f"s{number % 4}" for number in range(50)}

    assert split_groups(styles, SplitRatio.parse("80/20"), 3) != split_groups(styles, SplitRatio.parse("80/20"), 4)


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ("80/20", "cd4554346686e9f13174087986684870a077c49cdefede2b098e6adb96168424"),
        ("40/60", "32bc1e065300914f4eab65e1e774a917268f0962e020cddbeba139bb54493220"),
    ],
)
def test_splits_by_artwork_are_those_of_earlier_versions(ratio: str, expected: str) -> None:
    styles = {f"g{number}": f"s{number % 4}" for number in range(50)}

    assert fingerprint(split_groups(styles, SplitRatio.parse(ratio), 3)) == expected


@pytest.mark.parametrize("count", [6, 7, 9])
def test_the_smallest_campaigns_still_get_three_splits_of_two_groups(count: int) -> None:
    for split in ("90/10", "50/50", "10/90"):
        counts = Counter(split_groups({f"g{number}": "s" for number in range(count)}, SplitRatio.parse(split), 0).values())
        assert min(counts[side] for side in Split) >= 2


def test_too_few_artworks_to_split_are_refused_with_the_number() -> None:
    with pytest.raises(NothingToTrainOn, match="5 different artworks"):
        split_groups({f"g{number}": "s" for number in range(5)}, SplitRatio.parse("80/20"), 0)


@pytest.mark.parametrize("text", ["80", "80/30", "100/0", "0/100", "a/b", "80-20", "", "-10/110", "00/100"])
def test_a_malformed_split_ratio_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no split"):
        SplitRatio.parse(text)
