"""Artworks and their paths into the record, in bulk, and as often as one likes: what is there already is compared, not written again.

Works come in chunks. Each chunk reads what the record holds of it, and writes only new works and differences. A fact that a catalogue's
row gives rules over what is there; a fact read off a file name only fills gaps.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import bindparam, func, insert, or_, select, text, update

from db.catalogue.tables import artwork_paths, artworks, ingests
from db.engine.bulk import PARAMETERS, analyze, bulk_insert
from db.engine.clock import now
from db.enums import ImageState
from db.jobs.arrival import ARRIVALS, images_arrived

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Table

    from db.engine import Database

T = TypeVar("T")

_json = json.JSONEncoder(ensure_ascii=False).encode

#: Works in one transaction: short enough that workers on SQLite are not kept waiting.
TRANSACTION = 20 * PARAMETERS


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtworkPath:
    """One path under which a work lies, relative to the image root."""

    path: str
    style: str | None
    repaired: bool
    #: Size and time of the file when it was read; None if it was not, or could not be.
    byte_size: int | None = None
    modified_ns: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtworkImage:
    """What opening a work's files showed: a picture, or the reason why there is none."""

    #: The path whose picture stands for the work, or the first of those that cannot be read.
    path: str
    #: Why it cannot be read; None if it can.
    reason: str | None = None
    content_hash: str | None = None
    byte_size: int | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    #: Absolute path of a picture that stays where it is.
    link: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueArtwork:
    """One artwork as a catalogue and its files tell it."""

    key: str
    artist: str | None
    title: str | None
    style: str | None
    styles: tuple[str, ...]
    subset: str | None
    incomplete: str | None
    extra: Mapping[str, str] = field(default_factory=dict)
    #: Whether a row of the catalogue describes it.
    listed: bool = True
    paths: tuple[ArtworkPath, ...] = ()
    #: None if its files were not opened this time: what the record knows of its picture stays.
    picture: ArtworkImage | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPath:
    """What the record knows of a file: whether to open it again."""

    key: str
    byte_size: int | None
    modified_ns: int | None
    #: The artwork's, as is the link.
    picture: ImageState
    link: str | None
    width: int | None
    height: int | None


@dataclass(kw_only=True)
class CatalogueChanges:
    """What a registration changed."""

    #: Works the record had not known.
    new: int = 0
    #: Works with other facts than before.
    changed: int = 0
    #: Works whose picture was seen for the first time, mended or replaced.
    arrived: int = 0
    #: Paths the record had not known.
    new_paths: int = 0
    #: Jobs that had waited for a picture and are ready now.
    readied: int = 0


def known_paths(database: Database) -> dict[str, KnownPath]:
    """Every path whose file was read before, by its spelling."""
    columns = (artworks.c.key, artwork_paths.c.byte_size, artwork_paths.c.modified_ns, artworks.c.link, artworks.c.width, artworks.c.height)
    query = (
        select(artwork_paths.c.path, artworks.c.picture, *columns)
        .join(artworks, artworks.c.id == artwork_paths.c.artwork_id)
        .where(artwork_paths.c.modified_ns.is_not(None))
    )
    with database.read() as connection:
        return {
            row["path"]: KnownPath(picture=ImageState(row["picture"]), **{column.name: row[column.name] for column in columns})
            for row in connection.execute(query).mappings()
        }


def upsert_artworks(database: Database, works: Iterable[CatalogueArtwork], *, at_once: int = TRANSACTION) -> CatalogueChanges:
    """Write works, their paths and pictures as they come, `at_once` in a transaction; doing it again changes nothing."""
    done = CatalogueChanges()
    coming = iter(works)
    while some := list(islice(coming, at_once)):
        changes = database.write(partial(_transaction, works=some))
        for counted, value in vars(changes).items():
            setattr(done, counted, getattr(done, counted) + value)

    def finish(connection: Connection) -> None:
        _lock(connection)
        _group_copies(connection)  # always: an ingest that died may have left it undone
        if done.new or done.changed or done.new_paths:
            analyze(connection, artworks, artwork_paths)

    database.write(finish)
    return done


def save_ingest_report(database: Database, catalogue: str, report: Mapping[str, Any]) -> int:
    """Keep an ingest's report; returns its number."""
    row = insert(ingests).values(catalogue=catalogue, report=dict(report), finished_at=now()).returning(ingests.c.id)
    return database.write(lambda connection: int(connection.execute(row).scalar_one()), single_statement=True)


def _transaction(connection: Connection, works: Sequence[CatalogueArtwork]) -> CatalogueChanges:
    done = CatalogueChanges()
    _lock(connection)
    ids: dict[str, int] = {}
    for some in _chunks(works):
        ids |= _write_works(connection, some, done)
    for some in _chunks(works):
        _write_paths(connection, some, ids, done)
    return done


def _chunks(things: Sequence[T]) -> Iterator[Sequence[T]]:
    return (things[start : start + PARAMETERS] for start in range(0, len(things), PARAMETERS))


def _write_works(connection: Connection, works: Sequence[CatalogueArtwork], done: CatalogueChanges) -> dict[str, int]:
    """Insert and update one chunk of works; returns the ids of its keys."""
    keys = [work.key for work in works]
    held = {row["key"]: dict(row) for row in connection.execute(select(artworks).where(artworks.c.key.in_(keys))).mappings()}
    fresh = [_new_row(work) for work in works if work.key not in held]
    if fresh:
        moment = connection.execute(select(now())).scalar_one()
        columns = [*fresh[0], "registered_at"]
        bulk_insert(connection, artworks, columns, ([*_plain(row), moment] for row in fresh))
        done.new += len(fresh)
    differences: list[dict[str, Any]] = []
    arrived: list[int] = []
    for work in works:
        before = held.get(work.key)
        if before is None:
            done.arrived += work.picture is not None and work.picture.reason is None
            continue
        after = _merged(work, before)
        if any(before[name] != value for name, value in after.items()):
            differences.append({"the_id": before["id"], **after})
        if after["picture"] == ImageState.PRESENT and any(before[name] != after[name] for name in ("picture", "content_hash")):
            arrived.append(before["id"])
    _update(connection, artworks, differences)
    done.changed += len(differences)
    done.arrived += len(arrived)
    done.readied += images_arrived(connection, arrived)
    ids = {row.key: row.id for row in connection.execute(select(artworks.c.key, artworks.c.id).where(artworks.c.key.in_(keys)))}
    if len(ids) != len(works):
        raise RuntimeError(f"{len(works) - len(ids)} works were not registered: their keys repeat")
    return ids


def _new_row(work: CatalogueArtwork) -> dict[str, Any]:
    facts = {"key": work.key, "group_key": work.key, **_facts(work), "picture": ImageState.PLANNED.value}
    unknown = dict.fromkeys(("picture_reason", "content_hash", "byte_size", "width", "height", "mode", "link"))
    return facts | unknown | _picture(work.picture)


def _facts(work: CatalogueArtwork) -> dict[str, Any]:
    return {
        "artist": work.artist,
        "title": work.title,
        "style": work.style,
        "styles": list(work.styles),
        "subset": work.subset,
        "incomplete": work.incomplete,
        "extra": dict(work.extra) or None,
    }


def _merged(work: CatalogueArtwork, before: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that the record should hold now."""
    facts = _facts(work)
    if not work.listed:
        facts = {name: before[name] if before[name] is not None else value for name, value in facts.items()}
        facts["styles"] = list(dict.fromkeys([*before["styles"], *work.styles]))
        gaps = [gap for gap, name in (("no style", "style"), ("no artist", "artist")) if facts[name] is None]
        facts["incomplete"] = ", ".join(gaps) or None
    picture = {name: before[name] for name in ("picture", "picture_reason", "content_hash", "byte_size", "width", "height", "mode", "link")}
    return facts | picture | _picture(work.picture)


def _picture(picture: ArtworkImage | None) -> dict[str, Any]:
    """The columns that opening the files settles. A picture that broke keeps the facts of its last good copy, which may be in the store."""
    if picture is None:
        return {}
    if picture.reason is not None:
        return {"picture": ImageState.UNREADABLE.value, "picture_reason": picture.reason}
    return {
        "picture": ImageState.PRESENT.value,
        "picture_reason": None,
        "content_hash": picture.content_hash,
        "byte_size": picture.byte_size,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "link": picture.link,
    }


def _write_paths(connection: Connection, works: Sequence[CatalogueArtwork], ids: Mapping[str, int], done: CatalogueChanges) -> None:
    """Insert and update the paths of one chunk of works."""
    wanted = {path.path: _path_row(path, work, ids[work.key]) for work in works for path in work.paths}
    held: dict[str, dict[str, Any]] = {}
    for some in _chunks(list(wanted)):
        held |= {
            row["path"]: dict(row) for row in connection.execute(select(artwork_paths).where(artwork_paths.c.path.in_(some))).mappings()
        }
    fresh = [row for path, row in wanted.items() if path not in held]
    if fresh:
        columns = ("artwork_id", "path", "style", "repaired", "chosen", "byte_size", "modified_ns")
        bulk_insert(connection, artwork_paths, columns, ([row[name] for name in columns] for row in fresh))
        done.new_paths += len(fresh)
    opened = {path.path for work in works for path in work.paths if work.picture is not None}
    differences = []
    for path, row in wanted.items():
        before = held.get(path)
        after = row if path in opened else {name: row[name] for name in ("artwork_id", "path", "style", "repaired")}
        if before is not None and any(before[name] != value for name, value in after.items()):
            differences.append({"the_id": before["id"], **{name: before[name] for name in row}, **after})
    _update(connection, artwork_paths, differences)
    _choose_anew(connection, works, ids)


def _choose_anew(connection: Connection, works: Sequence[CatalogueArtwork], ids: Mapping[str, int]) -> None:
    """Paths that were chosen once and are not among a work's paths any more give way to the one that is chosen now."""
    chosen = {ids[work.key]: work.picture.path for work in works if work.picture is not None}
    for some in _chunks(list(chosen)):
        query = select(artwork_paths.c.id, artwork_paths.c.artwork_id, artwork_paths.c.path)
        held = connection.execute(query.where(artwork_paths.c.artwork_id.in_(some), artwork_paths.c.chosen)).all()
        _update(connection, artwork_paths, [{"the_id": row.id, "chosen": False} for row in held if chosen[row.artwork_id] != row.path])


def _path_row(path: ArtworkPath, work: CatalogueArtwork, artwork_id: int) -> dict[str, Any]:
    return {
        "artwork_id": artwork_id,
        "path": path.path,
        "style": path.style,
        "repaired": path.repaired,
        "chosen": work.picture is not None and work.picture.reason is None and work.picture.path == path.path,
        "byte_size": path.byte_size,
        "modified_ns": path.modified_ns,
    }


def _update(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = [name for name in rows[0] if name != "the_id"]
        statement = update(table).where(table.c.id == bindparam("the_id")).values({name: bindparam(name) for name in names})
        connection.execute(statement, list(rows))


def _plain(row: Mapping[str, Any]) -> list[Any]:
    """Values as `bulk_insert` takes them: JSON as text."""
    return [_json(value) if isinstance(value, list | dict) else value for value in row.values()]


def _group_copies(connection: Connection) -> None:
    """Artworks with equal bytes share the least of their keys; the rest stand alone. Compared here: databases sort text each in its way."""
    hashes = select(artworks.c.content_hash).where(artworks.c.content_hash.is_not(None))
    twice = hashes.group_by(artworks.c.content_hash).having(func.count() > 1)
    query = select(artworks.c.id, artworks.c.key, artworks.c.group_key, artworks.c.content_hash).where(
        or_(artworks.c.content_hash.in_(twice), artworks.c.group_key != artworks.c.key)
    )
    rows = connection.execute(query).all()
    mates: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        mates[row.content_hash or row.key].append(row.key)
    moved = [{"the_id": row.id, "group_key": least} for row in rows if (least := min(mates[row.content_hash or row.key])) != row.group_key]
    _update(connection, artworks, moved)


def _lock(connection: Connection) -> None:
    """One ingest at a time, and no plan beside it, on PostgreSQL; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ARRIVALS})
