"""Campaigns of results that were made elsewhere: no worker serves their backend, so nothing of them is ever planned or made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from db.campaigns.configuration import CampaignConfig, CaptionConfig, Level, PromptConfig
from db.campaigns.queries import check_not_cancelled, find_campaign, lock_campaign
from db.campaigns.tables import campaigns
from db.errors import CampaignImported

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from db.campaigns.queries import Campaign
    from db.engine import Database

#: In place of a backend: what a stage of such a campaign holds was imported.
IMPORTED = "imported"

#: Where nobody tells which model made a result.
UNKNOWN_MODEL = "unknown"


def imported_config(levels: Iterable[str]) -> CampaignConfig:
    """The configuration of a campaign that holds imported results of these levels; nothing is known of how they were made."""
    # Strength, guidance and steps say nothing: a level must have some.
    level = Level(backend=IMPORTED, model="", strength=1.0, guidance=0.0, steps=1)
    return CampaignConfig(
        include_incomplete=True,
        caption=CaptionConfig(backend=IMPORTED, model=""),
        prompt=PromptConfig(backend=IMPORTED),
        level=dict.fromkeys(sorted(set(levels)), level),
    )


def is_imported(config: CampaignConfig) -> bool:
    """Whether its results were made elsewhere: jobs stand for results that were given, and for nothing that is to be made."""
    return any(one.backend == IMPORTED for one in (config.caption, config.prompt, *config.level.values()))


def check_not_imported(campaign: Campaign) -> None:
    """Raise `CampaignImported` for a campaign of imported results."""
    if is_imported(campaign.config):
        raise CampaignImported(
            f"campaign {campaign.name!r} holds imported results, and no model to make more of them: "
            "`paragone import-results` adds to it, `paragone enqueue --campaign NAME` under another name plans repaints"
        )


def imported_campaigns(connection: Connection) -> frozenset[int]:
    """The ids of all campaigns of imported results."""
    backends = select(campaigns.c.id, campaigns.c.config["caption"]["backend"])
    return frozenset(campaign_id for campaign_id, backend in connection.execute(backends) if backend == IMPORTED)


def add_levels(database: Database, campaign: Campaign, levels: Iterable[str]) -> Campaign:
    """The campaign with levels that a further import brings: of what is imported a configuration fixes nothing.

    Raises:
        CampaignCancelled: the campaign was cancelled, which is final.
    """
    wanted = set(levels)
    if wanted <= set(campaign.config.level):
        return campaign

    def write(connection: Connection) -> None:
        present = lock_campaign(connection, campaign.id)
        check_not_cancelled(present)
        config = imported_config(wanted | set(present.config.level))
        values = {"config": config.model_dump(mode="json"), "config_hash": config.config_hash}
        connection.execute(update(campaigns).where(campaigns.c.id == campaign.id).values(**values))

    database.write(write)
    return find_campaign(database, campaign.name)
