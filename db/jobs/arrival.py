"""Pictures that come in after their jobs were planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text, update

from db.engine.bulk import runs
from db.engine.clock import now
from db.enums import JobState, Stage
from db.jobs.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

#: PostgreSQL's advisory lock that `db.catalogue.upsert` holds while it writes pictures.
ARRIVALS = 0x1A6E57


def hold_arrivals(connection: Connection) -> None:
    """Let no picture arrive until this transaction ends: the jobs that it plans could not be seen yet, and would wait for ever."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": ARRIVALS})


def images_arrived(connection: Connection, artwork_ids: Sequence[int]) -> int:
    """Make ready the first jobs of artworks whose pictures are there now; returns how many were waiting for that."""
    readied = 0
    for some in runs(artwork_ids):
        result = connection.execute(
            update(jobs)
            .where(jobs.c.artwork_id.in_(some), jobs.c.stage == Stage.CAPTION, jobs.c.state == JobState.WAITING)
            .values(state=JobState.READY, changed_at=now())
        )
        readied += result.rowcount
    return readied
