"""Putting right what can be put right: results are made again by their jobs, and of several current ones the latest stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select, update

from db.campaigns import check_not_cancelled, is_imported, lock_campaign
from db.engine.bulk import runs
from db.enums import JobState, Stage
from db.errors import CampaignCancelled
from db.jobs.dependents import reset_values
from db.jobs.tables import jobs
from db.jobs.transitions import move
from db.verification.chains import RESULTS
from db.verification.findings import FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, FromClause

    from db.engine import Database
    from db.store import Store
    from db.verification.findings import Finding, Verification

#: What a job makes again.
REMADE = frozenset({
    FindingKind.REPAINT_MISSING,
    FindingKind.REPAINT_DAMAGED,
    FindingKind.RESULT_MISSING,
    FindingKind.PROMPT_SUPERSEDED,
    FindingKind.REPAINT_SUPERSEDED,
})  # fmt: skip


def mend(database: Database, store: Store, result: Verification, findings: Iterable[Finding]) -> None:
    """Mend one page of findings; what was done is counted in `result`."""
    found = list(findings)
    for content_hash in dict.fromkeys(one.damaged_hash for one in found if one.damaged_hash):
        # A blob of that name that is there would not be written again.
        store.set_aside(content_hash)
        result.corrected += 1
    twice = sorted({one.job_id for one in found if one.kind is FindingKind.SEVERAL_CURRENT and one.job_id is not None})
    for some in runs(twice):
        result.corrected += database.write(lambda connection, some=some: _keep_latest(connection, some))  # type: ignore[misc]
    again = sorted({one.job_id for one in found if one.kind in REMADE and one.job_id is not None})
    for some in runs(again):
        result.requeued += _requeue(database, some)


def _requeue(database: Database, job_ids: Sequence[int]) -> int:
    with database.read() as connection:
        campaign_ids = connection.scalars(select(jobs.c.campaign_id).where(jobs.c.id.in_(job_ids)).distinct()).all()
    total = 0
    for campaign_id in campaign_ids:

        def write(connection: Connection, campaign_id: int = campaign_id) -> int:
            campaign = lock_campaign(connection, campaign_id)
            check_not_cancelled(campaign)
            if is_imported(campaign.config):  # no worker makes them: another import brings them back
                return 0
            mine = (jobs.c.id.in_(job_ids), jobs.c.campaign_id == campaign_id)
            waiting = connection.scalars(select(jobs.c.id).where(*mine, _predecessor_is_undone())).all()
            # What it is made from is being made again: it follows from that. The others are still done.
            behind = move(JobState.WAITING, leaving={JobState.DONE}).where(jobs.c.id.in_(waiting)).values(**reset_values())
            ready = move(JobState.READY, leaving={JobState.DONE}).where(*mine).values(**reset_values())
            return connection.execute(behind).rowcount + connection.execute(ready).rowcount

        try:
            total += database.write(write)
        except CampaignCancelled:  # which is final
            continue
    return total


def _predecessor_is_undone() -> ColumnElement[bool]:
    before = jobs.alias("before")
    pairs = [
        and_(jobs.c.stage == str(stage.following), before.c.stage == str(stage), _same(before, stage))
        for stage in Stage
        if stage.following is not None
    ]
    return select(before.c.id).where(or_(*pairs), before.c.state != str(JobState.DONE)).correlate(jobs).exists()


def _same(before: FromClause, stage: Stage) -> ColumnElement[bool]:
    if stage.per_variation:
        return before.c.variation_id == jobs.c.variation_id
    return and_(before.c.artwork_id == jobs.c.artwork_id, before.c.campaign_id == jobs.c.campaign_id)


def _keep_latest(connection: Connection, job_ids: Sequence[int]) -> int:
    """Make all but the latest current result of each job history; returns how many that were."""
    corrected = 0
    for stage, (table, key) in RESULTS.items():
        mine = select(jobs.c.id if key == "job_id" else jobs.c.variation_id).where(jobs.c.id.in_(job_ids), jobs.c.stage == str(stage))
        latest = select(func.max(table.c.id)).where(table.c[key].in_(mine), table.c.current).group_by(table.c[key])
        older = update(table).where(table.c[key].in_(mine), table.c.current, table.c.id.not_in(latest)).values(current=False)
        corrected += connection.execute(older).rowcount
    return corrected
