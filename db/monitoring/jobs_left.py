"""How many jobs some stages have left, counted no further than somebody wants to know: every worker asks once a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal_column, select

from db.campaigns.tables import campaigns
from db.enums import UNFINISHED_STATES
from db.jobs.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from db.engine import Database
    from db.enums import Stage

_UNFINISHED: list[ColumnElement[Any]] = [literal_column(f"'{state}'") for state in UNFINISHED_STATES]


def jobs_left(database: Database, stages: Sequence[Stage], *, most: int) -> int:
    """Jobs of these stages that wait, are ready or run; `most` + 1 if there are more than `most`."""
    some = (
        select(jobs.c.id)
        .where(
            jobs.c.campaign_id.in_(select(campaigns.c.id)),  # along ix_jobs_progress
            jobs.c.stage.in_([literal_column(f"'{stage}'") for stage in stages]),
            jobs.c.state.in_(_UNFINISHED),
        )
        .limit(most + 1)
        .subquery()
    )
    with database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(some)) or 0)
