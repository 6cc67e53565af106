"""The rows of planned jobs, made by the database itself from the variations that were just written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, Text, Update, case, cast, insert, literal, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.clock import now
from db.enums import ImageState, JobState, Stage
from db.jobs.batch_keys import batch_key
from db.jobs.tables import jobs
from db.jobs.transitions import move

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from db.campaigns import Campaign

_COLUMNS = ("job_key", "campaign_id", "artwork_id", "variation_id", "stage", "batch_key", "priority", "state", "created_at", "changed_at")


def insert_jobs(connection: Connection, campaign: Campaign, priority: int, *, last_variation: int, last_known: int) -> None:
    """Write the jobs of the variations after `last_variation`; those after `last_known` are of artworks that are new to the campaign."""
    for stage in campaign.config.stages:
        rows = _caption_rows(campaign, last_known) if stage is Stage.CAPTION else _variation_rows(campaign, stage, last_variation)
        numbered = rows.subquery()
        same: dict[str, Any] = {"campaign_id": literal(campaign.id), "stage": literal(str(stage)), "priority": literal(priority)}
        same |= {"created_at": now(), "changed_at": now()}
        values: list[Any] = [same[name] if name in same else numbered.c[name] for name in _COLUMNS]
        connection.execute(insert(jobs).from_select(_COLUMNS, select(*values)))


def catch_up(campaign_id: int, last_job: int) -> Update:
    """Make ready the prompts after `last_job` whose caption was done before they were planned."""
    earlier = jobs.alias("earlier")
    captioned = select(earlier.c.id).where(
        earlier.c.artwork_id == jobs.c.artwork_id,
        earlier.c.campaign_id == campaign_id,
        earlier.c.stage == str(Stage.CAPTION),
        earlier.c.state == str(JobState.DONE),
        earlier.c.id <= last_job,
    )
    # Of this campaign: another's may have been committed meanwhile.
    new = (jobs.c.campaign_id == campaign_id, jobs.c.id > last_job, jobs.c.stage == str(Stage.PROMPT))
    return move(JobState.READY, leaving={JobState.WAITING}).where(*new, captioned.exists())


def _caption_rows(campaign: Campaign, last_known: int) -> Select[Any]:
    new = (variations.c.campaign_id == campaign.id, variations.c.id > last_known)
    planned = select(variations.c.artwork_id).where(*new).distinct().subquery()
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
