"""How far the jobs are, as `paragone status` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.campaigns import find_campaign
from db.monitoring.progress import Progress, progress

if TYPE_CHECKING:
    from db.runtime import Runtime


def read_status(runtime: Runtime, campaign: str | None = None) -> Progress:
    """Counts by stage and state, pace, time left, workers, what is stuck, and costs; of a campaign, or of all. Raises `UnknownCampaign`."""
    chosen = find_campaign(runtime.database, campaign).id if campaign else None
    settings = runtime.settings
    return progress(runtime.database, chosen, workers_within=settings.alive_within_seconds, price=settings.price_of_gpu)
