"""Pictures that come in after their jobs were planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from db.bulk import runs
from db.clock import now
from db.tables import jobs
from db.vocabulary import JobState, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def pictures_arrived(connection: Connection, artwork_ids: Sequence[int]) -> int:
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
