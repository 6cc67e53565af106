"""Campaigns: their configuration, their seeds, their queries."""

from __future__ import annotations

from db.campaigns.configuration import BackendConfig, CampaignConfig, Level, parse_config, read_campaign_file
from db.campaigns.imported import check_not_imported, imported_config, is_imported
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
    "check_not_imported",
    "find_campaign",
    "freeze_revision",
    "frozen_revision",
    "imported_config",
    "is_imported",
    "lock_campaign",
    "open_campaign",
    "parse_config",
    "read_campaign_file",
    "variation_seed",
]
