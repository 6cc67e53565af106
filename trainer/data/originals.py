"""The originals of a campaign as the trainer sees them: each with every style that any of its copies is known by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from db.results.pairs import Original


@dataclass(frozen=True, kw_only=True)
class GroupedOriginal:
    """One original, an anchor or a negative, with the styles of its whole group of copies."""

    artwork_id: int
    key: str
    group_key: str
    content_hash: str
    #: Every style known for it or for a copy of it; empty if none is.
    styles: frozenset[str]
    #: None if unknown; two works of unknown artists may be of one.
    artist: str | None = None
    #: Width over height of the upright original.
    aspect: float = 1.0


def group_originals(originals: Iterable[Original]) -> list[GroupedOriginal]:
    """The originals by key: row ids differ between databases, and seeded draws must not."""
    ordered = sorted(originals, key=lambda original: original.key)
    styles: defaultdict[str, set[str]] = defaultdict(set)
    for original in ordered:
        styles[original.group_key].update(original.styles)
        if original.style:
            styles[original.group_key].add(original.style)
    return [
        GroupedOriginal(
            artwork_id=original.artwork_id,
            key=original.key,
            group_key=original.group_key,
            content_hash=original.content_hash,
            styles=frozenset(styles[original.group_key]),
            artist=original.artist,
            aspect=original.width / original.height,
        )
        for original in ordered
    ]


def style_by_group(grouped: Iterable[GroupedOriginal], originals: Iterable[Original]) -> dict[str, str]:
    """One style a group, to stratify by: that of its first artwork by key; "" if unknown."""
    first = {original.key: original.style for original in originals}
    styles: dict[str, str] = {}
    for original in grouped:
        styles.setdefault(original.group_key, first[original.key] or min(original.styles, default=""))
    return styles
