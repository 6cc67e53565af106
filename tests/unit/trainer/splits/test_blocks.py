"""Blocks: works of one artist, and of artists who share a copy, are never parted."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from trainer.data.originals import GroupedOriginal
from trainer.splits.blocks import artists_by_group, blocks_of

names = st.sampled_from("abcdefgh")
known_artists = st.dictionaries(st.integers(0, 20).map("g{:02}".format), st.frozensets(names, max_size=2), max_size=21)


def original(key: str, group: str, artist: str | None) -> GroupedOriginal:
    return GroupedOriginal(artwork_id=0, key=key, group_key=group, content_hash=key, styles=frozenset(), artist=artist)


def test_a_group_of_copies_by_several_artists_joins_them_into_one_block() -> None:
    artists = {"g1": frozenset({"Cima"}), "g2": frozenset({"Cima", "Bellini"}), "g3": frozenset({"Bellini"}), "g4": frozenset({"Dix"})}

    blocks = blocks_of(artists, artists)

    assert [block.groups for block in blocks] == [("g1", "g2", "g3"), ("g4",)]
    assert all(block.by_artist for block in blocks)


def test_works_of_unknown_artists_are_each_a_block_of_their_own() -> None:
    originals = [original("a", "g1", None), original("b", "g2", ""), original("c", "g3", "Dix"), original("d", "g3", None)]

    artists = artists_by_group(originals)
    blocks = blocks_of(["g1", "g2", "g3"], artists)

    assert artists == {"g3": frozenset({"Dix"})}
    assert [(block.groups, block.by_artist) for block in blocks] == [(("g1",), False), (("g2",), False), (("g3",), True)]


def test_works_that_look_the_same_are_joined_whoever_made_them() -> None:
    artists = {"g1": frozenset({"Cima"}), "g2": frozenset({"Dix"}), "g3": frozenset({"Dix"})}

    assert [block.groups for block in blocks_of(artists, artists, [("g1", "g2"), ("g1", "elsewhere")])] == [("g1", "g2", "g3")]
    assert [block.groups for block in blocks_of(artists, joined=[("g3", "g1")])] == [("g1", "g3"), ("g2",)]


@given(artists=known_artists, joined=st.lists(st.tuples(*[st.integers(0, 20).map("g{:02}".format)] * 2), max_size=5))
def test_two_groups_are_in_one_block_exactly_if_a_chain_of_artists_and_likenesses_leads_from_one_to_the_other(
    artists: dict[str, frozenset[str]], joined: list[tuple[str, str]]
) -> None:
    block_of = {group: number for number, block in enumerate(blocks_of(artists, artists, joined)) for group in block.groups}

    reached = {group: {group} for group in artists}
    for _ in artists:
        for one, other in combinations(artists, 2):
            if artists[one] & artists[other] or (one, other) in joined or (other, one) in joined:
                reached[one] = reached[other] = reached[one] | reached[other]
                for group in reached[one]:
                    reached[group] = reached[one]
    assert set(block_of) == set(artists)
    for one, other in combinations(artists, 2):
        assert (block_of[one] == block_of[other]) == (other in reached[one])
