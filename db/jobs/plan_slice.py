"""One transaction of a plan: the variations that some artworks lack, and their jobs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from db.campaigns import check_not_cancelled, lock_campaign, variation_seed
from db.campaigns.tables import variations
from db.engine.bulk import bulk_insert, runs
from db.enums import Stage
from db.jobs.arrival import hold_arrivals
from db.jobs.batch_keys import batch_key, write_batch_keys
from db.jobs.job_rows import catch_up, insert_jobs
from db.jobs.planned_work import PlannedWork, counted, lacks, present_variations
from db.jobs.tables import batch_keys, jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from db.campaigns import Campaign
    from db.jobs.levels import Assignment
    from db.jobs.planned_work import Lack

_COLUMNS = ("campaign_id", "artwork_id", "level", "ordinal", "seed", "redraws")


def plan_slice(connection: Connection, *, campaign_id: int, dealt: Sequence[Assignment], priority: int) -> PlannedWork:
    """Add what these artworks lack now: another producer may have been there since the levels were dealt.

    Raises:
        CampaignCancelled: the campaign was cancelled meanwhile.
    """
    campaign = lock_campaign(connection, campaign_id)
    check_not_cancelled(campaign)
    hold_arrivals(connection)
    present = present_variations(connection, campaign_id, [one.artwork.id for one in dealt])
    lacking = lacks(campaign.config, dealt, present)
    if not lacking:
        return PlannedWork()
    write_batch_keys(connection, campaign)
    known = [one for one in lacking if one.known]
    _hold_captions(connection, campaign_id, [one.artwork.id for one in known])
    last_job = _last(connection, jobs)
    last_variation = last_known = _last(connection, variations)
    if known:
        bulk_insert(connection, variations, _COLUMNS, _rows(campaign, known))
        last_known = _last(connection, variations)
    bulk_insert(connection, variations, _COLUMNS, _rows(campaign, [one for one in lacking if not one.known]))
    insert_jobs(connection, campaign, priority, last_variation=last_variation, last_known=last_known)
    if known:
        connection.execute(catch_up(campaign_id, last_job))
    _count_planned(connection, campaign, lacking)
    return counted(campaign.config, lacking)


def _hold_captions(connection: Connection, campaign_id: int, artwork_ids: Sequence[int]) -> None:
    """Hold the captions that these artworks have, so that none is completed unseen: its prompts of this slice would wait for ever.

    A completion marks its caption done and then readies the prompts that it sees. One that is under way when this asks for the rows goes
    first: the catch-up, a later statement, reads its caption as done. One that comes after waits until this slice is committed, and then
    sees its prompts, because under READ COMMITTED each statement of a transaction has a snapshot of its own. (SQLite has one writer.)
    """
    for some in runs(artwork_ids):
        captions = select(jobs.c.id).where(jobs.c.artwork_id.in_(some), jobs.c.campaign_id == campaign_id)
        captions = captions.where(jobs.c.stage == str(Stage.CAPTION)).order_by(jobs.c.id)
        connection.execute(captions.with_for_update(key_share=True)).all()


def _last(connection: Connection, table: Any) -> int:
    return int(connection.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0)


def _rows(campaign: Campaign, lacking: Sequence[Lack]) -> Iterator[tuple[Any, ...]]:
    for one in lacking:
        for level, ordinal in one.variations:
            seed = variation_seed(campaign_seed=campaign.config.seed, artwork_key=one.artwork.key, level=level, ordinal=ordinal)
            yield campaign.id, one.artwork.id, level, ordinal, seed, 0


def _count_planned(connection: Connection, campaign: Campaign, lacking: Sequence[Lack]) -> None:
    by_level = Counter(level for one in lacking for level, _ in one.variations)
    planned: Counter[str] = Counter()
    for stage in campaign.config.stages:
        if stage is Stage.CAPTION:
            planned[batch_key(campaign.id, stage)] = sum(not one.known for one in lacking)
        else:
            for level, count in by_level.items():
                planned[batch_key(campaign.id, stage, level)] += count
    for key, count in planned.items():
        more = batch_keys.c.planned_jobs + count
        connection.execute(update(batch_keys).where(batch_keys.c.batch_key == key).values(planned_jobs=more))
