"""Copies: artworks with equal bytes, or with one name, are one group, which a split keeps on one side."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from db.catalogue.tables import artworks
from db.engine.bulk import runs, update_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

#: How `db.catalogue.recognise` makes the key of another picture of one name: such pictures often are two photographs of one painting.
_SAME_NAME = re.compile(r"~[0-9a-f]{12}$")


def group_copies(connection: Connection) -> None:
    """Artworks with equal bytes share the least of their keys, as do those of one name; the rest stand alone.

    Compared here: databases sort text each in its way.
    """
    hashes = select(artworks.c.content_hash).where(artworks.c.content_hash.is_not(None))
    twice = hashes.group_by(artworks.c.content_hash).having(func.count() > 1)
    query = select(artworks.c.id, artworks.c.key, artworks.c.group_key, artworks.c.content_hash)
    chosen = or_(artworks.c.content_hash.in_(twice), artworks.c.group_key != artworks.c.key, artworks.c.key.like("%~____________"))
    rows = {row.id: row for row in connection.execute(query.where(chosen))}
    names = {row.key: _SAME_NAME.sub("", row.key) for row in rows.values() if _SAME_NAME.search(row.key)}
    for some in runs(list(set(names.values()))):
        rows |= {row.id: row for row in connection.execute(query.where(artworks.c.key.in_(some)))}
    leasts = _leasts(list(rows.values()), names)
    moved = [{"the_id": row.id, "group_key": leasts[row.key]} for row in rows.values() if leasts[row.key] != row.group_key]
    update_by_id(connection, artworks, moved)


def _leasts(rows: Sequence[Any], names: dict[str, str]) -> dict[str, str]:
    """The least key of the group that each key belongs to."""
    above: dict[str, str] = {}

    def top(node: str) -> str:
        while above.get(node, node) != node:
            node = above[node]
        return node

    for row in rows:
        for label in (f"bytes {row.content_hash}" if row.content_hash else None, f"name {names.get(row.key, row.key)}"):
            if label is not None:
                above[top(f"key {row.key}")] = top(label)
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        groups[top(f"key {row.key}")].append(row.key)
    return {key: min(keys) for keys in groups.values() for key in keys}
