"""From a campaign's configuration and the registered artworks to variations and their jobs, in a few bulk statements."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, Text, case, cast, func, insert, literal, select, update

from db.campaigns import variation_seed
from db.campaigns.tables import campaigns, variations
from db.catalogue.tables import artworks
from db.engine.bulk import analyze, bulk_insert
from db.engine.clock import now
from db.enums import ImageState, JobState, Stage
from db.jobs.arrival import hold_arrivals
from db.jobs.batch_keys import batch_key, write_batch_keys
from db.jobs.tables import batch_keys, jobs
from db.jobs.transitions import move

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection

    from db.campaigns import Campaign, CampaignConfig
    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which artworks are planned: all complete ones, or the first `limit` of some styles."""

    styles: tuple[str, ...] = ()
    limit: int | None = None
    priority: int = 0


@dataclass(frozen=True, kw_only=True)
class PlannedWork:
    """What was planned, or would be: counts of what is new, and how many artworks were left out and why."""

    artworks: int
    variations: int
    jobs: int
    #: Chosen artworks whose original is not there yet: their jobs wait.
    without_picture: int
    left_out: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    id: int
    key: str
    style: str
    picture: str


def plan_campaign(database: Database, campaign: Campaign, selection: Selection, *, dry_run: bool = False) -> PlannedWork:
    """Add the variations and jobs that the campaign still lacks; running it again adds nothing."""
    if dry_run:
        with database.read() as connection:
            return _plan(connection, campaign, selection, write=False)

    def write(connection: Connection) -> PlannedWork:
        # One producer at a time for each campaign; SQLite's writer lock does the same by itself. It also makes a worker that completes a
        # caption wait until the prompts planned here can be seen: a weaker lock would let them be missed, and wait for ever.
        connection.execute(select(campaigns.c.id).where(campaigns.c.id == campaign.id).with_for_update())
        hold_arrivals(connection)
        return _plan(connection, campaign, selection, write=True)

    return database.write(write)


def _plan(connection: Connection, campaign: Campaign, selection: Selection, *, write: bool) -> PlannedWork:
    chosen = _candidates(connection, campaign.config, selection)
    present = _assigned(connection, campaign.id)
    levels = _levels(campaign.config, chosen, present)
    rows = list(_new_variations(campaign, chosen, levels, present))
    fresh = {row[1] for row in rows}
    added = len(rows) * (len(campaign.config.stages) - 1) + len(fresh - present.keys())
    if write and rows:
        write_batch_keys(connection, campaign)
        last_variation = connection.scalar(select(func.coalesce(func.max(variations.c.id), 0)))
        columns = ("campaign_id", "artwork_id", "level", "ordinal", "seed", "redraws")
        bulk_insert(connection, variations, columns, rows)
        analyze(connection, variations)
        added = _insert_jobs(connection, campaign, int(last_variation or 0), selection.priority, catch_up=bool(fresh & present.keys()))
    return PlannedWork(
        artworks=len(fresh),
        variations=len(rows),
        jobs=added,
        without_picture=sum(candidate.picture == ImageState.PLANNED for candidate in chosen if candidate.id in fresh),
        left_out=_left_out(connection, campaign.config),
    )


def _candidates(connection: Connection, config: CampaignConfig, selection: Selection) -> list[_Candidate]:
    query = select(artworks.c.id, artworks.c.key, func.coalesce(artworks.c.style, "").label("style"), artworks.c.picture)
    query = query.where(artworks.c.picture != ImageState.UNREADABLE).order_by(artworks.c.id)
    if not config.include_incomplete:
        query = query.where(artworks.c.incomplete.is_(None))
    if selection.styles:
        query = query.where(artworks.c.style.in_(selection.styles))
    if selection.limit is not None:
        query = query.limit(selection.limit)
    return [_Candidate(id=row.id, key=row.key, style=row.style, picture=row.picture) for row in connection.execute(query)]


def _left_out(connection: Connection, config: CampaignConfig) -> dict[str, int]:
    unreadable = select(func.count()).select_from(artworks).where(artworks.c.picture == ImageState.UNREADABLE)
    counted = {"unreadable": int(connection.scalar(unreadable) or 0)}
    if not config.include_incomplete:
        query = (
            select(artworks.c.incomplete, func.count())
            .where(artworks.c.incomplete.is_not(None), artworks.c.picture != ImageState.UNREADABLE)
            .group_by(artworks.c.incomplete)
        )
        counted |= dict(connection.execute(query).all())
    return {reason: count for reason, count in counted.items() if count}


def _assigned(connection: Connection, campaign_id: int) -> dict[int, set[tuple[str, int]]]:
    """The (level, ordinal) pairs that each artwork of the campaign has already."""
    query = select(variations.c.artwork_id, variations.c.level, variations.c.ordinal).where(variations.c.campaign_id == campaign_id)
    present: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for artwork_id, level, ordinal in connection.execute(query):
        present[artwork_id].add((level, ordinal))
    return present


def _levels(config: CampaignConfig, chosen: Iterable[_Candidate], present: dict[int, set[tuple[str, int]]]) -> dict[int, tuple[str, ...]]:
    """The levels of each artwork: all of them, or one by stratified shares within its style."""
    if config.levels == "both":
        return {candidate.id: tuple(config.level) for candidate in chosen}
    by_style: dict[str, list[_Candidate]] = defaultdict(list)
    for candidate in chosen:
        by_style[candidate.style].append(candidate)
    assigned: dict[int, tuple[str, ...]] = {}
    for style, members in by_style.items():
        counts = dict.fromkeys(config.levels, 0)
        members.sort(key=lambda member: sha256(f"{config.seed}\x1f{style}\x1f{member.key}".encode()).digest())
        for member in members:
            if member.id in present:
                level = min(present[member.id])[0]
                counts[level] = counts.get(level, 0) + 1
                assigned[member.id] = (level,)
        for member in members:
            if member.id not in assigned:
                level = _neediest(config.levels, counts)
                counts[level] += 1
                assigned[member.id] = (level,)
    return assigned


def _neediest(shares: dict[str, float], counts: dict[str, int]) -> str:
    """The level that is farthest behind its share once one more artwork is dealt."""
    dealt = sum(counts.values()) + 1
    return max(shares, key=lambda level: (shares[level] * dealt - counts[level], shares[level], level))


def _new_variations(
    campaign: Campaign, chosen: Iterable[_Candidate], levels: dict[int, tuple[str, ...]], present: dict[int, set[tuple[str, int]]]
) -> Iterator[tuple[Any, ...]]:
    for candidate in chosen:
        have = present.get(candidate.id, set())
        for level in levels[candidate.id]:
            for ordinal in range(campaign.config.variations):
                if (level, ordinal) not in have:
                    seed = variation_seed(campaign_seed=campaign.config.seed, artwork_key=candidate.key, level=level, ordinal=ordinal)
                    yield campaign.id, candidate.id, level, ordinal, seed, 0


_JOB_COLUMNS = (
    "job_key",
    "campaign_id",
    "artwork_id",
    "variation_id",
    "stage",
    "batch_key",
    "priority",
    "state",
    "created_at",
    "changed_at",
)


def _insert_jobs(connection: Connection, campaign: Campaign, last_variation: int, priority: int, *, catch_up: bool) -> int:
    """Jobs for the variations after `last_variation`, by INSERT ... SELECT; returns how many are new."""
    before = int(connection.scalar(select(func.coalesce(func.max(jobs.c.id), 0))) or 0)
    for stage in campaign.config.stages:
        rows = _caption_rows(campaign, last_variation) if stage is Stage.CAPTION else _variation_rows(campaign, stage, last_variation)
        numbered = rows.subquery()
        connection.execute(
            insert(jobs).from_select(
                _JOB_COLUMNS,
                select(
                    numbered.c.job_key,
                    literal(campaign.id),
                    numbered.c.artwork_id,
                    numbered.c.variation_id,
                    literal(str(stage)),
                    numbered.c.batch_key,
                    literal(priority),
                    numbered.c.state,
                    now(),
                    now(),
                ),
            )
        )
    analyze(connection, jobs)
    if catch_up:
        connection.execute(_catch_up(campaign.id, before))
    counted = select(jobs.c.batch_key, func.count()).where(*_new(campaign.id, before)).group_by(jobs.c.batch_key)
    planned = {key: int(count) for key, count in connection.execute(counted)}
    for key, count in planned.items():
        connection.execute(update(batch_keys).where(batch_keys.c.batch_key == key).values(planned_jobs=batch_keys.c.planned_jobs + count))
    return sum(planned.values())


def _caption_rows(campaign: Campaign, last_variation: int) -> Select[Any]:
    # Artworks that the campaign meets for the first time. Not asked of `jobs`: PostgreSQL may scan there what this very statement inserts,
    # again for each artwork (five minutes for 80,000).
    planned = (
        select(variations.c.artwork_id)
        .where(variations.c.campaign_id == campaign.id)
        .group_by(variations.c.artwork_id)
        .having(func.min(variations.c.id) > last_variation)
        .subquery()
    )
    return (
        select(
            (f"c{campaign.id}-a" + cast(planned.c.artwork_id, Text) + f"-v0-{Stage.CAPTION}").label("job_key"),
            planned.c.artwork_id,
            cast(None, variations.c.id.type).label("variation_id"),
            literal(batch_key(campaign.id, Stage.CAPTION)).label("batch_key"),
            case((artworks.c.picture == ImageState.PRESENT, str(JobState.READY)), else_=str(JobState.WAITING)).label("state"),
        )
        .join(artworks, artworks.c.id == planned.c.artwork_id)
        .order_by(planned.c.artwork_id)
    )


def _variation_rows(campaign: Campaign, stage: Stage, last_variation: int) -> Select[Any]:
    key = case(*[(variations.c.level == level, batch_key(campaign.id, stage, level)) for level in campaign.config.level])
    name = f"c{campaign.id}-a" + cast(variations.c.artwork_id, Text) + "-v" + cast(variations.c.id, Text) + f"-{stage}"
    return (
        select(
            name.label("job_key"),
            variations.c.artwork_id,
            variations.c.id.label("variation_id"),
            key.label("batch_key"),
            literal(str(JobState.WAITING)).label("state"),
        )
        .where(variations.c.campaign_id == campaign.id, variations.c.id > last_variation)
        .order_by(variations.c.id)
    )


def _catch_up(campaign_id: int, before: int) -> Any:
    """New prompt jobs of artworks whose caption was done before they were planned are ready at once."""
    earlier = jobs.alias("earlier")
    captioned = select(earlier.c.id).where(
        earlier.c.artwork_id == jobs.c.artwork_id,
        earlier.c.campaign_id == campaign_id,
        earlier.c.stage == str(Stage.CAPTION),
        earlier.c.state == str(JobState.DONE),
        earlier.c.id <= before,
    )
    return move(JobState.READY, leaving={JobState.WAITING}).where(
        *_new(campaign_id, before), jobs.c.stage == str(Stage.PROMPT), captioned.exists()
    )


def _new(campaign_id: int, before: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Jobs written after `before`: another campaign's may have been committed meanwhile."""
    return jobs.c.campaign_id == campaign_id, jobs.c.id > before
