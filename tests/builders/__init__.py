"""What tests of the database begin with: registered artworks, a campaign of fakes, and what its workers do."""

from __future__ import annotations

from tests.builders.campaign_harness import CampaignHarness, harness_of
from tests.builders.catalogue import artworks_of, original_arrives
from tests.builders.recipe import fake_config
from tests.builders.results import results_of

__all__ = ["CampaignHarness", "artworks_of", "fake_config", "harness_of", "original_arrives", "results_of"]
