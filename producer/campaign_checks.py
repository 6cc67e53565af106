"""How a campaign stands, for the commands that steer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import CampaignState
from producer.errors import CampaignOver

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from db.enums import Stage


def check_not_cancelled(campaign: Campaign) -> None:
    """Raise `CampaignOver` for a campaign whose jobs are gone for good."""
    if campaign.state is CampaignState.CANCELLED:
        raise CampaignOver(f"campaign {campaign.name!r} was cancelled: enqueue under another --campaign name")


def scope(campaign: str, stage: Stage | None) -> str:
    """The campaign of that name, or one stage of it, for a sentence."""
    return f"campaign {campaign}" if stage is None else f"{stage} of campaign {campaign}"
