"""Pairs as parallel arrays: rows by key whatever the order they came in, and a side of a split as a table of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from db.results.pairs import Repaint
from trainer.data.originals import GroupedOriginal
from trainer.data.pair_table import UNKNOWN, pair_table


def original(number: int, **facts: Any) -> GroupedOriginal:
    known: dict[str, Any] = {"artist": f"artist {number % 2}", "group_key": f"g{number}", "styles": frozenset({"Cubism"})}
    return GroupedOriginal(artwork_id=number, key=f"k{number}", content_hash=f"o{number}", **known | facts)


def repaint(artwork: int, level: str = "moderate", ordinal: int = 0, **facts: Any) -> Repaint:
    known: dict[str, Any] = {"image_id": 0, "variation_id": 0, "seed": 7, "pixel_hash": "", "width": 1, "height": 1, "brief": ""}
    texts: dict[str, Any] = {"prompt": "p", "prompt_tokens": 1, "caption": f"of {artwork}", "recaption": None, "provenance": {}}
    return Repaint(artwork_id=artwork, level=level, ordinal=ordinal, content_hash=f"r{artwork}{level}{ordinal}", **known | texts | facts)


def test_rows_follow_keys_and_not_the_order_of_the_database() -> None:
    given = [original(3), original(1, artist=None), original(2)]
    made = [repaint(3), repaint(1, "radical"), repaint(1), repaint(9)]

    table = pair_table(given, made)
    again = pair_table(given[::-1], made[::-1])

    assert table.originals.keys == again.originals.keys == ("k1", "k2", "k3")
    assert table.repaints.hashes == again.repaints.hashes == ("r1moderate0", "r1radical0", "r3moderate0")
    assert table.repaints.originals.tolist() == [0, 0, 2]
    assert table.originals.artists.tolist() == [UNKNOWN, 0, 1]
    assert table.originals.captions == ("of 1", "", "of 3")


def test_a_side_of_a_split_is_a_table_whose_rows_lead_back() -> None:
    table = pair_table([original(1), original(2, group_key="g1"), original(3)], [repaint(1), repaint(2), repaint(3)])

    side, originals, repaints = table.of_groups(["g3"])

    assert (originals.tolist(), repaints.tolist()) == ([2], [2])
    assert side.repaints.originals.tolist() == [0]
    assert side.group_names[side.originals.groups[0]] == "g3"
    with pytest.raises(ValueError, match="without its original"):
        table.take(np.array([0]), np.array([2]))
