"""What an operator decides: pausing, resuming and cancelling a campaign or one of its stages.

Each decision locks the campaign's row first, as every slice of a plan does: jobs that are being planned are decided on too.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, true, update

from db.campaigns import check_not_cancelled, lock_campaign
from db.campaigns.tables import campaigns
from db.engine.bulk import runs
from db.engine.clock import now
from db.enums import CampaignState, JobState, Stage
from db.jobs.batch_keys import write_batch_keys
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import in_state, move, origins

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from db.engine import Database

#: Jobs that one transaction cancels.
AT_ONCE = 9_000


def set_paused(database: Database, campaign_id: int, stage: Stage | None, *, paused: bool) -> int:
    """Stop or allow the claiming of a campaign's jobs, of all stages or one; returns how many batch keys it touches.

    What is claimed already is finished. What is planned later of a paused stage is paused too.

    Raises:
        CampaignCancelled: the campaign was cancelled.
    """
    keys = update(batch_keys).where(batch_keys.c.campaign_id == campaign_id)
    if stage is not None:
        keys = keys.where(batch_keys.c.stage == str(stage))

    def write(connection: Connection) -> int:
        campaign = lock_campaign(connection, campaign_id)
        check_not_cancelled(campaign)
        write_batch_keys(connection, campaign)  # nothing may be planned yet
        touched = connection.execute(keys.values(paused=paused)).rowcount
        still = select(batch_keys.c.batch_key).where(batch_keys.c.campaign_id == campaign_id, batch_keys.c.paused).limit(1)
        if stage is None or (not paused and connection.scalar(still) is None):
            state = CampaignState.PAUSED if paused else CampaignState.OPEN
            connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(state=str(state)))
        return touched

    return database.write(write)


def cancel(database: Database, campaign_id: int, stage: Stage | None) -> int:
    """Cancel every job that is not done or failed, running ones too (their results are refused); returns how many.

    Without a stage the campaign itself is cancelled, for good; but not if it has nothing to cancel: then it stays as it is, and its failed
    jobs can be requeued. Written a few thousand jobs at a time, so that other campaigns go on; one that was interrupted is run again.
    """
    if not database.write(partial(_begin_to_cancel, campaign_id=campaign_id, stage=stage)):
        return 0
    total = 0
    while cancelled := _pass(database, campaign_id, stage):
        total += cancelled
        if stage is not None:
            break
        # What a result handed in meanwhile has readied or superseded behind this pass is for the next one. Nothing is claimed any more.
    return total


def _begin_to_cancel(connection: Connection, *, campaign_id: int, stage: Stage | None) -> bool:
    """Let nothing more be planned, requeued or claimed; False if there is nothing to cancel."""
    lock_campaign(connection, campaign_id)
    if connection.scalar(_cancellable(campaign_id, stage).limit(1)) is None:
        return False
    if stage is None:
        connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(state=str(CampaignState.CANCELLED)))
        connection.execute(update(batch_keys).where(batch_keys.c.campaign_id == campaign_id).values(paused=true()))
    return True


def _pass(database: Database, campaign_id: int, stage: Stage | None) -> int:
    """Once over all jobs, in the order of their ids."""
    cancelled, last = 0, 0
    chosen = _cancellable(campaign_id, stage).where(jobs.c.id > bindparam("last")).order_by(jobs.c.id).limit(AT_ONCE)
    while some := database.write(partial(_cancel_some, campaign_id=campaign_id, chosen=chosen, last=last)):
        cancelled += some[0]
        last = some[1]
    return cancelled


def _cancel_some(connection: Connection, *, campaign_id: int, chosen: Select[Any], last: int) -> tuple[int, int] | None:
    """How many were cancelled and the last id that was looked at; None after the last."""
    lock_campaign(connection, campaign_id)
    ids = connection.scalars(chosen, {"last": last}).all()
    if not ids:
        return None
    ended = move(JobState.CANCELLED).values(lease_token=None, not_before=0, finished_at=now())
    return sum(connection.execute(ended.where(jobs.c.id.in_(some))).rowcount for some in runs(ids)), ids[-1]


def _cancellable(campaign_id: int, stage: Stage | None) -> Select[Any]:
    chosen = select(jobs.c.id).where(jobs.c.campaign_id == campaign_id, in_state(*origins(JobState.CANCELLED)))
    return chosen if stage is None else chosen.where(jobs.c.stage == str(stage))
