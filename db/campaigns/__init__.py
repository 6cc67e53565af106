"""Campaigns: their configuration, their seeds, their book."""

from __future__ import annotations

from db.campaigns.book import (
    DEFAULT_NAME,
    Campaign,
    all_campaigns,
    find_campaign,
    freeze_revision,
    frozen_revision,
    open_campaign,
    set_campaign_state,
)
from db.campaigns.configuration import CampaignConfig, Level, Model, parse_config, read_campaign_file
from db.campaigns.seeds import variation_seed

__all__ = [
    "DEFAULT_NAME",
    "Campaign",
    "CampaignConfig",
    "Level",
    "Model",
    "all_campaigns",
    "find_campaign",
    "freeze_revision",
    "frozen_revision",
    "open_campaign",
    "parse_config",
    "read_campaign_file",
    "set_campaign_state",
    "variation_seed",
]
