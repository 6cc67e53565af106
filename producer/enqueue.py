"""Planning a campaign: open it, or find it, and add the jobs that it still lacks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from db.campaigns import check_not_cancelled, find_campaign
from db.jobs.plan import Selection, plan_campaign
from producer.artworks import check_registered, check_styles
from producer.campaign_options import CampaignOptions, chosen_campaign
from producer.enqueue_checks import check_anything_to_plan
from producer.forecast import Forecast, forecast
from producer.notify import notify_ready

if TYPE_CHECKING:
    from db.enums import CampaignState
    from db.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class EnqueueResult:
    """What was planned, or in a dry run would be: counts of what is new."""

    campaign: str
    #: Whether its jobs may be claimed.
    state: CampaignState
    artworks: int
    variations: int
    jobs: int
    #: Chosen artworks whose image is not there yet: their jobs wait.
    without_picture: int
    #: Reason to number of artworks.
    left_out: dict[str, int]
    forecast: Forecast
    dry_run: bool


def enqueue_campaign(runtime: Runtime, options: CampaignOptions, selection: Selection, *, dry_run: bool = False) -> EnqueueResult:
    """Plan what the campaign still lacks and wake the workers; running it again adds nothing.

    Raises:
        NothingRegistered: there is no artwork yet.
        NothingToPlan: every artwork of the selection is left out, and the campaign has none.
        UnknownStyle: no artwork has a style of the selection.
        CampaignDiffers: the campaign exists with another configuration.
        CampaignCancelled: the campaign was cancelled.
        BadConfiguration, WrongUse: the options cannot be used.
    """
    check_registered(runtime.database)
    check_styles(runtime.database, selection.styles)
    campaign = chosen_campaign(runtime.database, options, dry_run=True)
    check_not_cancelled(campaign)
    check_anything_to_plan(runtime.database, campaign, options, selection)
    if not dry_run:  # only now: a campaign without an artwork would freeze its configuration for nothing
        campaign = chosen_campaign(runtime.database, options, dry_run=False)
    planned = plan_campaign(runtime.database, campaign, selection, dry_run=dry_run)
    outlook = forecast(runtime.database, campaign, planned, runtime.settings.price_of_gpu)
    if planned.jobs and not dry_run:
        notify_ready(runtime)
    # It may have been paused meanwhile.
    state = campaign.state if dry_run else find_campaign(runtime.database, campaign.name).state
    return EnqueueResult(campaign=campaign.name, state=state, **asdict(planned), forecast=outlook, dry_run=dry_run)
