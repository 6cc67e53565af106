"""Which workers are alive, by their heartbeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_

from db.engine.clock import now
from db.jobs.tables import workers

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


def is_living(within_seconds: float) -> ColumnElement[bool]:
    """The condition that a worker has not ended, as far as anybody knows, and that its last heartbeat is no older.

    One that lies as far ahead was recorded before the database's clock went back: whoever is alive has recorded another since.
    """
    return and_(workers.c.stopped_at.is_(None), workers.c.seen_at > now() - within_seconds, workers.c.seen_at < now() + within_seconds)
