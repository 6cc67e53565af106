"""Blocks: groups of copies that a split may not part, because an artist made them all or because they were found to look the same.

A group whose copies are known under several artists joins the works of all of them into one block, and so on through those artists' other
groups. A group of unknown artist is a block of its own: nobody knows whose other works it should stay with.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainer.quality.near_pairs import Groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trainer.data.originals import GroupedOriginal


@dataclass(frozen=True, kw_only=True)
class GroupBlock:
    """Groups of copies that stay on one side, sorted."""

    groups: tuple[str, ...]
    #: Whether it is held together by a known artist.
    by_artist: bool

    def __len__(self) -> int:
        return len(self.groups)


def artists_by_group(originals: Iterable[GroupedOriginal]) -> dict[str, frozenset[str]]:
    """Every artist under whom a copy of the group is known; groups of unknown artist are left out."""
    artists: defaultdict[str, set[str]] = defaultdict(set)
    for original in originals:
        if original.artist:
            artists[original.group_key].add(original.artist)
    return {group: frozenset(names) for group, names in artists.items()}


def blocks_of(
    groups: Iterable[str], artists: Mapping[str, frozenset[str]] | None = None, joined: Iterable[tuple[str, str]] = ()
) -> list[GroupBlock]:
    """The blocks, by their first group.

    Args:
        groups: the groups to divide.
        artists: of each group; a group that is not named, or has none, is bound to no other. None to let artists be on several sides.
        joined: pairs of groups that stay together whoever made them; those that are not among `groups` do not count.
    """
    ordered = sorted(groups)
    known = {} if artists is None else artists
    names = sorted({artist for group in ordered for artist in known.get(group, ())})
    number = {artist: len(ordered) + place for place, artist in enumerate(names)}
    places = {group: place for place, group in enumerate(ordered)}
    union = Groups(len(ordered) + len(names))
    for group, place in places.items():
        for artist in known.get(group, ()):
            union.join(place, number[artist])
    for one, other in joined:
        if one in places and other in places:
            union.join(places[one], places[other])
    members: defaultdict[int, list[str]] = defaultdict(list)
    for group, place in places.items():
        members[union.root(place)].append(group)
    return [GroupBlock(groups=tuple(found), by_artist=any(known.get(group) for group in found)) for found in members.values()]
