"""Pausing, resuming and cancelling a campaign, or one of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.campaigns import find_campaign
from db.jobs.control import cancel, set_paused
from producer.notify import notify_ready

if TYPE_CHECKING:
    from db.enums import CampaignState, Stage
    from db.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class PauseResult:
    """What was paused or resumed."""

    campaign: str
    #: None means all of them.
    stage: Stage | None
    paused: bool


@dataclass(frozen=True, kw_only=True)
class CancelResult:
    """How many jobs were cancelled."""

    campaign: str
    #: None means all of them.
    stage: Stage | None
    jobs: int
    #: The campaign's state now: a campaign that had nothing to cancel is not cancelled.
    state: CampaignState


def pause_campaign(runtime: Runtime, campaign: str | None = None, stage: Stage | None = None) -> PauseResult:
    """Claim no further jobs of a campaign, the latest if none is named. Raises `UnknownCampaign`, `CampaignCancelled`."""
    return _set_paused(runtime, campaign, stage, paused=True)


def resume_campaign(runtime: Runtime, campaign: str | None = None, stage: Stage | None = None) -> PauseResult:
    """Let workers claim again what was paused, and wake them. Raises `UnknownCampaign`, `CampaignCancelled`."""
    resumed = _set_paused(runtime, campaign, stage, paused=False)
    notify_ready(runtime)
    return resumed


def cancel_campaign(runtime: Runtime, campaign: str | None = None, stage: Stage | None = None) -> CancelResult:
    """Cancel for good every job that is not done or failed, running ones too. Raises `UnknownCampaign`."""
    chosen = find_campaign(runtime.database, campaign)
    jobs = cancel(runtime.database, chosen.id, stage)
    state = find_campaign(runtime.database, chosen.name).state
    return CancelResult(campaign=chosen.name, stage=stage, jobs=jobs, state=state)


def _set_paused(runtime: Runtime, campaign: str | None, stage: Stage | None, *, paused: bool) -> PauseResult:
    chosen = find_campaign(runtime.database, campaign)
    set_paused(runtime.database, chosen.id, stage, paused=paused)
    return PauseResult(campaign=chosen.name, stage=stage, paused=paused)
