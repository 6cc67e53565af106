"""The paths of one chunk of artworks: where copies of an artwork lie, and which of them is its original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from db.catalogue.tables import artwork_paths
from db.engine.bulk import bulk_insert, runs, update_by_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from db.catalogue.types import ArtworkPath, CatalogueArtwork, CatalogueChanges

_COLUMNS = ("artwork_id", "path", "style", "repaired", "chosen", "byte_size", "modified_ns")
#: What a path's own spelling settles; the other columns need the file to be opened.
_SPELLED = ("artwork_id", "path", "style", "repaired")


def write_paths(connection: Connection, chunk: Sequence[CatalogueArtwork], ids: Mapping[str, int], changes: CatalogueChanges) -> None:
    """Insert and update the paths of one chunk, whose keys have these ids, counting into `changes`."""
    wanted = {path.path: _row(path, artwork, ids[artwork.key]) for artwork in chunk for path in artwork.paths}
    held = _held(connection, list(wanted))
    fresh = [row for path, row in wanted.items() if path not in held]
    if fresh:
        bulk_insert(connection, artwork_paths, _COLUMNS, ([row[name] for name in _COLUMNS] for row in fresh))
        changes.new_paths += len(fresh)
    opened = {path.path for artwork in chunk for path in artwork.paths if artwork.picture is not None}
    known = [(held[path], row, path in opened) for path, row in wanted.items() if path in held]
    update_by_id(connection, artwork_paths, [difference for one in known if (difference := _difference(*one)) is not None])
    _choose_anew(connection, {ids[artwork.key]: artwork.picture.path for artwork in chunk if artwork.picture is not None})


def reopen_others(connection: Connection, changed: Mapping[int, CatalogueArtwork]) -> None:
    """Let the next ingest open the other files of artworks whose original has changed: they still hold what it was before."""
    own = {path.path for artwork in changed.values() for path in artwork.paths}
    for some in runs(list(changed)):
        query = select(artwork_paths.c.id, artwork_paths.c.path)
        held = connection.execute(query.where(artwork_paths.c.artwork_id.in_(some), artwork_paths.c.modified_ns.is_not(None))).all()
        update_by_id(connection, artwork_paths, [{"the_id": row.id, "modified_ns": None} for row in held if row.path not in own])


def _held(connection: Connection, paths: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for some in runs(paths):
        rows = connection.execute(select(artwork_paths).where(artwork_paths.c.path.in_(some))).mappings()
        found |= {row["path"]: row for row in rows}
    return found


def _difference(before: Mapping[str, Any], wanted: Mapping[str, Any], opened: bool) -> dict[str, Any] | None:
    """The row's new values; None if it stays as it is.

    The file of a path that was read once belongs to the artwork that its bytes are: its name alone does not move it.
    """
    after = wanted if opened else {name: wanted[name] for name in _SPELLED if name != "artwork_id" or before["modified_ns"] is None}
    if all(before[name] == value for name, value in after.items()):
        return None
    return {"the_id": before["id"], **{name: before[name] for name in _COLUMNS}, **after}


def _choose_anew(connection: Connection, chosen: Mapping[int, str]) -> None:
    """Paths that were chosen once and are not among an artwork's paths any more give way to the one that is chosen now."""
    for some in runs(list(chosen)):
        query = select(artwork_paths.c.id, artwork_paths.c.artwork_id, artwork_paths.c.path)
        held = connection.execute(query.where(artwork_paths.c.artwork_id.in_(some), artwork_paths.c.chosen)).all()
        given_up = [{"the_id": row.id, "chosen": False} for row in held if chosen[row.artwork_id] != row.path]
        update_by_id(connection, artwork_paths, given_up)


def _row(path: ArtworkPath, artwork: CatalogueArtwork, artwork_id: int) -> dict[str, Any]:
    image = artwork.picture
    return {
        "artwork_id": artwork_id,
        "path": path.path,
        "style": path.style,
        "repaired": path.repaired,
        "chosen": image is not None and image.reason is None and image.path == path.path,
        "byte_size": path.byte_size,
        "modified_ns": path.modified_ns,
    }
