"""What an operator decides: pausing, resuming and cancelling a campaign or one of its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from db.campaigns.tables import campaigns
from db.engine.clock import now
from db.enums import CampaignState, JobState, Stage
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import move

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.engine import Database


def set_paused(database: Database, campaign_id: int, stage: Stage | None, *, paused: bool) -> int:
    """Stop or allow the claiming of a campaign's jobs, of all stages or one; returns how many batch keys it touches.

    What is claimed already is finished.
    """
    keys = update(batch_keys).where(batch_keys.c.campaign_id == campaign_id)
    if stage is not None:
        keys = keys.where(batch_keys.c.stage == str(stage))

    def write(connection: Connection) -> int:
        touched = connection.execute(keys.values(paused=paused)).rowcount
        still = select(batch_keys.c.batch_key).where(batch_keys.c.campaign_id == campaign_id, batch_keys.c.paused).limit(1)
        if stage is None or (not paused and connection.scalar(still) is None):
            state = CampaignState.PAUSED if paused else CampaignState.OPEN
            connection.execute(
                update(campaigns)
                .where(campaigns.c.id == campaign_id, campaigns.c.state != str(CampaignState.CANCELLED))
                .values(state=str(state))
            )
        return touched

    return database.write(write)


def cancel(database: Database, campaign_id: int, stage: Stage | None) -> int:
    """Cancel every job that is not done or failed, running ones too (their results are refused); returns how many."""
    chosen = move(JobState.CANCELLED).where(jobs.c.campaign_id == campaign_id)
    if stage is not None:
        chosen = chosen.where(jobs.c.stage == str(stage))

    def write(connection: Connection) -> int:
        cancelled = connection.execute(chosen.values(lease_token=None, finished_at=now())).rowcount
        if stage is None:
            connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(state=str(CampaignState.CANCELLED)))
        return cancelled

    return database.write(write)
