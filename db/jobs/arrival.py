"""Originals that arrive after their jobs were planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from db.engine.bulk import runs
from db.enums import JobState, Stage
from db.jobs.tables import jobs
from db.jobs.transitions import move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

#: PostgreSQL's advisory lock that `db.catalogue.upsert` holds while it writes artworks.
ARRIVALS = 0x1A6E57


def hold_arrivals(connection: Connection) -> None:
    """Let no original arrive until this transaction ends: the jobs that it plans cannot be seen yet, and would wait for ever."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": ARRIVALS})


def originals_arrived(connection: Connection, artwork_ids: Sequence[int]) -> int:
    """Make ready the first jobs of artworks whose originals are there now; returns how many were waiting for that."""
    readied = 0
    for some in runs(artwork_ids):
        result = connection.execute(
            move(JobState.READY, leaving={JobState.WAITING}).where(jobs.c.artwork_id.in_(some), jobs.c.stage == str(Stage.CAPTION))
        )
        readied += result.rowcount
    return readied
