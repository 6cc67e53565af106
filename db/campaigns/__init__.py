"""Campaigns: their configuration, their seeds, their queries."""

from __future__ import annotations

from db.campaigns.configuration import BackendConfig, CampaignConfig, Level, parse_config, read_campaign_file
from db.campaigns.queries import (
    DEFAULT_NAME,
    Campaign,
    all_campaigns,
    campaign_name,
    check_not_cancelled,
    find_campaign,
    freeze_revision,
    frozen_revision,
    lock_campaign,
    open_campaign,
)
from db.campaigns.seeds import variation_seed

__all__ = [
    "DEFAULT_NAME",
    "BackendConfig",
    "Campaign",
    "CampaignConfig",
    "Level",
    "all_campaigns",
    "campaign_name",
    "check_not_cancelled",
    "find_campaign",
    "freeze_revision",
    "frozen_revision",
    "lock_campaign",
    "open_campaign",
    "parse_config",
    "read_campaign_file",
    "variation_seed",
]
