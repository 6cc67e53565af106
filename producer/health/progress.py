"""Whether work that is left goes on, and whether workers are alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.durations import format_duration
from producer.health.check import failed, passed, warned

if TYPE_CHECKING:
    from db.monitoring.health import HealthFacts
    from db.settings import Settings
    from producer.health.check import HealthCheck

PROGRESS, WORKERS = "progress", "workers"


def check_progress(facts: HealthFacts, settings: Settings) -> HealthCheck:
    """Fails if work is left, workers are alive, and nothing was done for as long as one batch may take."""
    alive = f"{len(facts.workers)} {'worker' if len(facts.workers) == 1 else 'workers'} alive"
    if not facts.work_left:
        return passed(PROGRESS, f"no work is left, {alive}")
    if not facts.workers:
        return warned(PROGRESS, "work is left, but no worker is alive", "start `paragone work` on a host with a GPU")
    troubles = sorted({worker.trouble for worker in facts.workers if worker.trouble})
    quiet = facts.quiet_seconds or 0.0
    if quiet > settings.budget_seconds:
        cause = f": {troubles[0]}" if troubles else ""
        text = f"work is left and {alive}, but nothing was done for {format_duration(quiet)}{cause}"
        return failed(PROGRESS, text, "look at `paragone status` and at the workers' logs")
    if troubles:
        return warned(PROGRESS, f"{alive}, but one says: {troubles[0]}", "look at `paragone status`")
    return passed(PROGRESS, f"work is left, {alive}, the last sign of it {format_duration(quiet)} ago")


def check_own_workers(facts: HealthFacts, settings: Settings) -> HealthCheck:
    """Whether a worker that is registered under this host's name was seen lately."""
    host = settings.host_name
    mine = [worker for worker in facts.workers if worker.host == host]
    if mine:
        quietest = max(worker.silent_for for worker in mine)
        return passed(WORKERS, f"{len(mine)} of this host ({host}), each seen within {quietest:.0f} s")
    within = format_duration(settings.alive_within_seconds)
    return failed(WORKERS, f"no worker of this host ({host}) was seen within {within}", "look at the log of `paragone work` on this host")
