"""One chunk of artworks: what is new is inserted, what differs is updated.

A fact that a catalogue's row gives rules over what is there; a fact read off a file name only fills gaps.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.catalogue.tables import artworks
from db.catalogue.types import gaps
from db.engine.bulk import bulk_insert, update_by_id
from db.engine.clock import now
from db.enums import ImageState
from db.jobs.arrival import originals_arrived

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from db.catalogue.types import ArtworkImage, CatalogueArtwork, CatalogueChanges

_json = json.JSONEncoder(ensure_ascii=False).encode

#: The columns that opening an artwork's files settles.
_IMAGE_COLUMNS = ("picture", "picture_reason", "content_hash", "byte_size", "width", "height", "mode", "link")


def write_artworks(
    connection: Connection, chunk: Sequence[CatalogueArtwork], changes: CatalogueChanges, incomplete: dict[int, tuple[str, str]]
) -> dict[str, int]:
    """Insert and update one chunk, counting into `changes`; returns the ids of its keys.

    Key and reason of those that take no part in campaigns are added to `incomplete`, by id.

    Raises:
        RuntimeError: a key stands twice in the chunk.
    """
    keys = [artwork.key for artwork in chunk]
    held = {row["key"]: dict(row) for row in connection.execute(select(artworks).where(artworks.c.key.in_(keys))).mappings()}
    _insert(connection, [artwork for artwork in chunk if artwork.key not in held], changes)
    _update(connection, [(artwork, held[artwork.key]) for artwork in chunk if artwork.key in held], changes)
    query = select(artworks.c.key, artworks.c.id, artworks.c.incomplete).where(artworks.c.key.in_(keys))
    ids: dict[str, int] = {}
    for row in connection.execute(query):
        ids[row.key] = row.id
        if row.incomplete is not None:
            incomplete[row.id] = row.key, row.incomplete
    if len(ids) != len(chunk):
        raise RuntimeError(f"{len(chunk) - len(ids)} artworks were not written: their keys repeat")
    return ids


def _insert(connection: Connection, fresh: Sequence[CatalogueArtwork], changes: CatalogueChanges) -> None:
    if not fresh:
        return
    moment = connection.execute(select(now())).scalar_one()
    rows = [_new_row(artwork) for artwork in fresh]
    bulk_insert(connection, artworks, [*rows[0], "registered_at"], ([*_plain(row), moment] for row in rows))
    changes.new += len(rows)
    changes.arrived += sum(row["picture"] == ImageState.PRESENT for row in rows)


def _update(connection: Connection, known: Sequence[tuple[CatalogueArtwork, Mapping[str, Any]]], changes: CatalogueChanges) -> None:
    differences: list[dict[str, Any]] = []
    arrived: list[int] = []
    for artwork, before in known:
        after = _merged(artwork, before)
        if any(before[name] != value for name, value in after.items()):
            differences.append({"the_id": before["id"], **after})
        if after["picture"] == ImageState.PRESENT and any(before[name] != after[name] for name in ("picture", "content_hash")):
            arrived.append(before["id"])
    update_by_id(connection, artworks, differences)
    changes.changed += len(differences)
    changes.arrived += len(arrived)
    changes.readied += originals_arrived(connection, arrived)


def _new_row(artwork: CatalogueArtwork) -> dict[str, Any]:
    unknown = {**dict.fromkeys(_IMAGE_COLUMNS), "picture": ImageState.PLANNED.value}
    return {"key": artwork.key, "group_key": artwork.key, **_facts(artwork), **unknown, **_image_facts(artwork.picture)}


def _facts(artwork: CatalogueArtwork) -> dict[str, Any]:
    return {
        "artist": artwork.artist,
        "title": artwork.title,
        "style": artwork.style,
        "styles": list(artwork.styles),
        "subset": artwork.subset,
        "incomplete": artwork.incomplete,
        "extra": dict(artwork.extra) or None,
    }


def _merged(artwork: CatalogueArtwork, before: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that the database should hold now. What is not known now, and was, stays."""
    facts = _facts(artwork)
    if artwork.listed:
        given = {name for name in artwork.filled if before[name] is not None}
        facts = {name: before[name] if value is None or name in given else value for name, value in facts.items()}
        facts["styles"] = before["styles"] if "style" in given else list(artwork.styles) or before["styles"]
    else:
        facts = {name: before[name] if before[name] is not None else value for name, value in facts.items()}
        facts["styles"] = list(dict.fromkeys([*before["styles"], *artwork.styles]))
    if artwork.joined and artwork.listed:
        facts["styles"] = list(dict.fromkeys([*artwork.styles, *before["styles"]]))
        facts["extra"] = {**(before["extra"] or {}), **artwork.extra} or None
    facts["incomplete"] = gaps(style=facts["style"], artist=facts["artist"])
    return facts | {name: before[name] for name in _IMAGE_COLUMNS} | _image_facts(artwork.picture)


def _image_facts(image: ArtworkImage | None) -> dict[str, Any]:
    """What opening the files showed. An original that broke keeps the facts of its last good copy, which may be in the store."""
    if image is None:
        return {}
    if image.reason is not None:
        return {"picture": ImageState.UNREADABLE.value, "picture_reason": image.reason}
    return {
        "picture": ImageState.PRESENT.value,
        "picture_reason": None,
        "content_hash": image.content_hash,
        "byte_size": image.byte_size,
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        "link": image.link,
    }


def _plain(row: Mapping[str, Any]) -> list[Any]:
    """Values as `bulk_insert` takes them: JSON as text."""
    return [_json(value) if isinstance(value, list | dict) else value for value in row.values()]
