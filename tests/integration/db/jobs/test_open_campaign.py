"""Opening a campaign: the same name is the same configuration, and a pause outlives an empty plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from db.campaigns import find_campaign, open_campaign
from db.enums import Stage
from db.errors import CampaignDiffers, UnknownCampaign
from db.jobs.control import set_paused
from db.tables import campaigns, captions
from tests.builders import CampaignHarness, artworks_of, fake_config, harness_of

if TYPE_CHECKING:
    from db.engine import Database


def test_the_same_name_with_another_configuration_is_refused_with_the_differences(database: Database) -> None:
    open_campaign(database, "trial", fake_config())

    with pytest.raises(CampaignDiffers, match=re.escape("campaign 'trial' exists with another configuration")) as refusal:
        open_campaign(database, "trial", fake_config(seed=12, picture={"size": 128}))

    assert "seed: 11 -> 12" in str(refusal.value)
    assert "picture.size: 64 -> 128" in str(refusal.value)
    assert "caption" not in str(refusal.value)
    assert len(CampaignHarness(database=database, campaign=find_campaign(database, None)).rows(campaigns)) == 1


def test_the_same_name_with_the_same_configuration_is_the_same_campaign_wherever_the_models_lie(database: Database) -> None:
    first = open_campaign(database, "trial", fake_config(models_directory="/here"))

    assert open_campaign(database, "trial", fake_config(models_directory="/there")).id == first.id


def test_a_campaign_is_found_by_name_or_as_the_latest(database: Database) -> None:
    with pytest.raises(UnknownCampaign, match="no campaign yet"):
        find_campaign(database, None)
    for name in ("one", "two"):
        open_campaign(database, name, fake_config())

    assert find_campaign(database, None).name == "two"
    assert find_campaign(database, "one").name == "one"
    with pytest.raises(UnknownCampaign, match="'three': there are one, two"):
        find_campaign(database, "three")


def test_a_campaign_paused_before_its_first_plan_stays_paused(database: Database) -> None:
    harness = harness_of(database, planned=False)
    set_paused(database, harness.campaign.id, None, paused=True)
    artworks_of(database, 2)
    paused = CampaignHarness(database=database, campaign=open_campaign(database, "trial", fake_config()))

    paused.plan()

    assert paused.offer(Stage.CAPTION) is None
    set_paused(database, harness.campaign.id, None, paused=False)
    assert paused.run(Stage.CAPTION) == 2
    assert len(paused.rows(captions)) == 2
