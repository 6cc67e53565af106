"""The originals of a campaign as the trainer sees them: with every style that any of their copies is known by."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from db.results.pairs import Original


@dataclass(frozen=True, kw_only=True)
class Work:
    """One original with the styles of its whole group of copies."""

    artwork_id: int
    key: str
    group_key: str
    content_hash: str
    #: Every style known for it or for a copy of it; empty if none is.
    styles: frozenset[str]


def gather_works(originals: Iterable[Original]) -> list[Work]:
    """Originals as works, by key: row ids differ between databases, and seeded draws must not."""
    ordered = sorted(originals, key=lambda original: original.key)
    styles: defaultdict[str, set[str]] = defaultdict(set)
    for original in ordered:
        styles[original.group_key].update(original.styles)
        if original.style:
            styles[original.group_key].add(original.style)
    return [
        Work(
            artwork_id=original.artwork_id,
            key=original.key,
            group_key=original.group_key,
            content_hash=original.content_hash,
            styles=frozenset(styles[original.group_key]),
        )
        for original in ordered
    ]


def group_styles(works: Iterable[Work], originals: Iterable[Original]) -> dict[str, str]:
    """One style a group, to stratify by: that of its first artwork by key; "" if unknown."""
    first = {original.key: original.style for original in originals}
    styles: dict[str, str] = {}
    for work in works:
        styles.setdefault(work.group_key, first[work.key] or min(work.styles, default=""))
    return styles
