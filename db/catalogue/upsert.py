"""Artworks and their paths into the database, in bulk, and as often as one likes: what is there already is compared, not written again.

Artworks come in chunks. Each chunk reads what the database holds of it, and writes only new artworks and differences.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text

from db.catalogue.artworks import write_artworks
from db.catalogue.copies import group_copies
from db.catalogue.paths import reopen_others, write_paths
from db.catalogue.recognise import recognise
from db.catalogue.tables import artwork_paths, artworks, ingests
from db.catalogue.types import CatalogueChanges, RecognisedArtworks
from db.engine.bulk import PARAMETERS, analyze, runs
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS
from db.jobs.arrival import ARRIVALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from sqlalchemy import Connection

    from db.catalogue.types import CatalogueArtwork
    from db.engine import Database

#: Artworks in one transaction: short enough that workers on SQLite are not kept waiting.
TRANSACTION = 20 * PARAMETERS


def upsert_artworks(
    database: Database,
    coming: Iterable[CatalogueArtwork],
    *,
    at_once: int = TRANSACTION,
    recognised: RecognisedArtworks | None = None,
    may_replace: bool = True,
) -> CatalogueChanges:
    """Write artworks, their paths and images as they come, `at_once` in a transaction; doing it again changes nothing.

    Which registered artworks they are is added to `recognised`. `may_replace` says whether other bytes at a known path are that file
    changed.

    Raises:
        RuntimeError: a key stands twice among artworks of one chunk.
    """
    changes = CatalogueChanges()
    recognised = RecognisedArtworks() if recognised is None else recognised
    remaining = iter(coming)
    while some := list(islice(remaining, at_once)):
        write = partial(_upsert, coming=some, earlier=recognised.ids, may_replace=may_replace)
        changed, found = database.write(write, timeout_seconds=BULK_SECONDS)
        changes.add(changed)
        recognised.add(found)

    def finish(connection: Connection) -> None:
        _lock(connection)
        group_copies(connection)  # always: an ingest that died may have left it undone
        if changes.new or changes.changed or changes.new_paths:
            analyze(connection, artworks, artwork_paths)

    database.write(finish, timeout_seconds=BULK_SECONDS)
    return changes


def save_ingest_report(database: Database, catalogue: str, report: Mapping[str, Any]) -> int:
    """Keep an ingest's report; returns its number."""
    row = insert(ingests).values(catalogue=catalogue, report=dict(report), finished_at=now()).returning(ingests.c.id)
    return database.write(lambda connection: int(connection.execute(row).scalar_one()), single_statement=True)


def _upsert(
    connection: Connection, coming: Sequence[CatalogueArtwork], earlier: AbstractSet[int], *, may_replace: bool
) -> tuple[CatalogueChanges, RecognisedArtworks]:
    """One transaction; it counts anew each time it is run."""
    changes = CatalogueChanges()
    _lock(connection)
    those, recognised = recognise(connection, coming, earlier=earlier, may_replace=may_replace)
    ids: dict[str, int] = {}
    for chunk in runs(those):
        ids |= write_artworks(connection, chunk, changes, recognised.incomplete)
    for chunk in runs(those):
        write_paths(connection, chunk, ids, changes)
    replaced = set(recognised.replaced)
    reopen_others(connection, {ids[artwork.key]: artwork for artwork in those if artwork.key in replaced})
    recognised.ids = set(ids.values())
    return changes, recognised


def _lock(connection: Connection) -> None:
    """One ingest at a time, and no plan beside it, on PostgreSQL; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ARRIVALS})
