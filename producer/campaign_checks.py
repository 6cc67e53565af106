"""Checks and descriptions of a campaign, for the commands that control it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import CampaignState
from producer.errors import CampaignCancelled

if TYPE_CHECKING:
    from db.campaigns import Campaign
    from db.enums import Stage


def check_not_cancelled(campaign: Campaign) -> None:
    """Raise `CampaignCancelled` for a campaign that was cancelled for good."""
    if campaign.state is CampaignState.CANCELLED:
        raise CampaignCancelled(f"campaign {campaign.name!r} was cancelled: enqueue under another --campaign name")


def describe_scope(campaign: str, stage: Stage | None) -> str:
    """The campaign of that name, or one of its stages, as part of a sentence."""
    return f"campaign {campaign}" if stage is None else f"{stage} of campaign {campaign}"
