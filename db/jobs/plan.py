"""From a campaign's configuration and the registered artworks to variations and their jobs, a slice of artworks at a time.

Each slice is a transaction of its own, so that workers hand in results and renew leases beside a plan of any size. One that was interrupted
is completed by running it again.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from db.campaigns import check_not_imported
from db.campaigns.tables import variations
from db.engine.bulk import analyze, runs
from db.engine.limits import BULK_SECONDS
from db.jobs.candidates import Selection, candidates, left_out
from db.jobs.levels import deal_levels
from db.jobs.living import is_living
from db.jobs.plan_slice import plan_slice
from db.jobs.planned_work import PlannedWork, counted, lacks, present_variations
from db.jobs.tables import jobs, leases, workers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from db.campaigns import Campaign, CampaignConfig
    from db.engine import Database
from db.jobs.levels import Assignment

__all__ = ["PlannedWork", "Selection", "plan_campaign"]

#: Variations in one transaction: about half a second of writing.
VARIATIONS_AT_ONCE = 4_000
#: Seconds between two slices on SQLite. Its writers do not queue: each looks again every tenth of a second, so while workers live every
#: gap is one that they find, and without them one that an operator finds sooner or later.
GAP_SECONDS = {True: 0.12, False: 0.02}
#: Seconds after its last heartbeat for which a worker is given that gap.
ALIVE_SECONDS = 60.0


def plan_campaign(database: Database, campaign: Campaign, selection: Selection, *, dry_run: bool = False) -> PlannedWork:
    """Add the variations and jobs that the campaign still lacks; running it again adds nothing.

    Raises:
        CampaignCancelled: the campaign was cancelled, perhaps just now: then what was planned until then is cancelled too.
        CampaignImported: the campaign holds results that were made elsewhere.
    """
    check_not_imported(campaign)
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        chosen = candidates(connection, campaign.config, selection)
        present = present_variations(connection, campaign.id)
        planned = PlannedWork(left_out=left_out(connection, campaign.config))
    dealt = deal_levels(campaign.config, chosen, present)
    lacking = lacks(campaign.config, dealt, present)
    if dry_run:
        return planned.plus(counted(campaign.config, lacking))
    open_ids = {one.artwork.id for one in lacking}
    slices = list(_slices(campaign.config, [one for one in dealt if one.artwork.id in open_ids]))
    for number, some in enumerate(slices):
        if number:
            _give_way(database)
        plan = partial(plan_slice, campaign_id=campaign.id, dealt=some, priority=selection.priority)
        planned = planned.plus(database.write(plan, timeout_seconds=BULK_SECONDS))  # an ingest may hold it up
        if number in {0, len(slices) - 1}:
            # Once early, for the first claims, and once for all of them.
            database.write(lambda connection: analyze(connection, variations, jobs))
    return planned


def _slices(config: CampaignConfig, dealt: Sequence[Assignment]) -> Iterator[list[Assignment]]:
    """In the order in which levels were dealt; within a slice in that of the artworks, next to which their jobs are looked for."""
    if not dealt:
        return
    each = len(dealt[0].levels) * config.variations
    for some in runs(dealt, max(1, VARIATIONS_AT_ONCE // each)):
        yield sorted(some, key=lambda one: one.artwork.id)


def _give_way(database: Database) -> None:
    """Let other writers in where they would not get in by themselves."""
    if database.is_postgresql:
        return
    with database.read() as connection:
        working = connection.scalar(
            select(or_(select(leases.c.token).exists(), select(workers.c.id).where(is_living(ALIVE_SECONDS)).exists()))
        )
    time.sleep(GAP_SECONDS[bool(working)])
