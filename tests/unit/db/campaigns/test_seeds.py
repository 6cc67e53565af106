from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from db.campaigns import variation_seed

COORDINATES = st.fixed_dictionaries(
    {
        "campaign_seed": st.integers(0, 2**32),
        "artwork_key": st.text(st.characters(exclude_characters="\x1f", codec="utf-8"), min_size=1, max_size=40),
        "level": st.sampled_from(["moderate", "radical", "1", "11"]),
        "ordinal": st.integers(0, 999),
        "redraws": st.integers(0, 9),
    }
)


def test_a_seed_is_the_same_on_every_machine_for_ever() -> None:
    assert variation_seed(campaign_seed=0, artwork_key="vincent-van-gogh_irises", level="radical", ordinal=0) == 5638139814080736898


@given(COORDINATES)
def test_a_seed_is_deterministic_and_fits_a_signed_column(place: dict[str, Any]) -> None:
    seed = variation_seed(**place)

    assert seed == variation_seed(**place)
    assert 0 <= seed < 2**63


@given(COORDINATES, COORDINATES)
def test_two_variations_have_two_seeds_whatever_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(one != other)

    assert variation_seed(**one) != variation_seed(**other)


@given(COORDINATES)
def test_level_ordinal_and_redraw_each_change_the_seed(place: dict[str, Any]) -> None:
    changed = [place, {**place, "level": "other"}, {**place, "ordinal": place["ordinal"] + 1}, {**place, "redraws": place["redraws"] + 1}]

    assert len({variation_seed(**one) for one in changed}) == 4
