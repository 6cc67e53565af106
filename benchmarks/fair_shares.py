"""How long a small campaign takes beside two large ones of equal priority, against the time that it takes alone.

    python benchmarks/fair_shares.py [--artworks 10 1000 100000] [--seconds 0.2] [--workers 1] [--database-url URL] [--broker-url URL]

Worker processes that are up and waiting, with fake stages: every batch of 8 captions, repaints or recaptions holds its worker's device for
so long. First the small campaign alone; then all three resumed at the same moment; then a second small one that is resumed in the midst of
the large ones. Timed from the resumption to its last commit. Its fair share of the device is a third, so three times the time alone is
what it may take, and half as much again for batches under way; exits 1 if it takes longer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures import environment, register
from pydantic import SecretStr
from sqlalchemy import func, select

from db.campaigns import Campaign, open_campaign, parse_config
from db.engine import connect
from db.engine.clock import now
from db.engine.schema import migrate
from db.enums import JobState, Stage
from db.jobs.control import set_paused
from db.jobs.inputs import PromptInput
from db.jobs.plan import Selection, plan_campaign
from db.monitoring.worker_registry import live_workers
from db.runtime import Runtime
from db.settings import Settings
from db.tables import jobs
from producer.notify import notify_ready
from workers.broker import resolve_broker
from workers.process import run_worker
from workers.stages import fakes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workers.backends.settings.fakes import NoBackendSettings

BATCH = 8
#: Of three times the time alone.
ALLOWED = 1.5
MIDST_SECONDS = 10.0
PATIENCE_SECONDS = 600.0


def main() -> None:
    parser = argparse.ArgumentParser(description="A small campaign beside large ones.")
    parser.add_argument("--artworks", type=int, nargs=3, default=[10, 1_000, 100_000], metavar=("SMALL", "MIDDLE", "LARGE"))
    parser.add_argument("--seconds", type=float, default=0.2, help="how long a batch of 8 holds a device")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    parser.add_argument("--broker-url", default="", help="Redis or Valkey; the embedded one if not given")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        sys.exit(_work())
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url), broker_url=SecretStr(given.broker_url))
        runtime = Runtime(settings)
        migrate(connect(settings.sqlalchemy_url))
        register(runtime.database, "fair", max(given.artworks))
        small, middle, large = given.artworks
        # The large ones first: the small ones do not go before them for their numbers.
        names = {"large": large, "middle": middle, "alone": small, "together": small, "midst": small}
        campaigns = {name: _planned(runtime, name, count) for name, count in names.items()}
        with resolve_broker(settings), _workers(runtime, given.workers, given.seconds):
            alone = _until_done(runtime, campaigns["alone"], _resume(runtime, campaigns["alone"]))
            print(f"alone: {alone:.1f} s", flush=True)
            began = _resume(runtime, campaigns["large"], campaigns["middle"], campaigns["together"])
            together = _until_done(runtime, campaigns["together"], began)
            print(f"beside two others from the beginning: {together:.1f} s, others {_done(runtime, campaigns)}", flush=True)
            time.sleep(MIDST_SECONDS)
            midst = _until_done(runtime, campaigns["midst"], _resume(runtime, campaigns["midst"]))
            print(f"coming in their midst: {midst:.1f} s, others {_done(runtime, campaigns)}", flush=True)
            set_paused(runtime.database, campaigns["large"].id, None, paused=True)
            set_paused(runtime.database, campaigns["middle"].id, None, paused=True)
    kind = "PostgreSQL" if given.database_url else "SQLite"
    ratio = max(together, midst) / (3 * alone)
    print(f"{kind}, {given.workers} workers, {given.artworks} artworks: {ratio:.2f} of three times the time alone (allowed {ALLOWED})")
    sys.exit(int(ratio > ALLOWED))


def _planned(runtime: Runtime, name: str, count: int) -> Campaign:
    """A campaign of two levels, paused."""
    backend = {"backend": "fake-none", "batch": BATCH}
    levels = {"moderate": {**backend, "strength": 0.3}, "radical": {**backend, "strength": 0.45}}
    config: dict[str, Any] = {"caption": backend, "prompt": backend, "level": levels}
    campaign = open_campaign(runtime.database, name, parse_config(config))
    plan_campaign(runtime.database, campaign, Selection(limit=count))
    set_paused(runtime.database, campaign.id, None, paused=True)
    return campaign


def _resume(runtime: Runtime, *campaigns: Campaign) -> float:
    """Let the workers have these; the moment by the database's clock."""
    with runtime.database.engine.connect() as connection:
        began = float(connection.scalar(select(now())) or 0.0)
    for campaign in campaigns:
        set_paused(runtime.database, campaign.id, None, paused=False)
    notify_ready(runtime)
    return began


def _until_done(runtime: Runtime, campaign: Campaign, began: float) -> float:
    """Seconds from then to the last commit of a campaign."""
    mine = jobs.c.campaign_id == campaign.id
    left = select(func.count()).where(mine, jobs.c.state != str(JobState.DONE))
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        with runtime.database.engine.connect() as connection:
            if not connection.scalar(left):
                return float(connection.scalar(select(func.max(jobs.c.finished_at)).where(mine)) or 0.0) - began
        assert time.monotonic() < until, "the small campaign is not served"
        time.sleep(0.2)


def _done(runtime: Runtime, campaigns: dict[str, Campaign]) -> dict[str, int]:
    """Jobs of the large ones that are done."""
    done = select(func.count()).where(jobs.c.state == str(JobState.DONE))
    with runtime.database.engine.connect() as connection:
        return {name: connection.scalar(done.where(jobs.c.campaign_id == campaigns[name].id)) or 0 for name in ("middle", "large")}


class HeldDevice(fakes.NoBackend):
    """A device that takes its time, but for prompts."""

    def run(self, batch: Sequence[Any], settings: NoBackendSettings) -> Sequence[Any]:  # noqa: ARG002  # the form of the protocol
        """Hold the device."""
        if not isinstance(batch[0], PromptInput):
            time.sleep(float(os.environ["FAIR_SECONDS"]))
        return batch


@contextmanager
def _workers(runtime: Runtime, count: int, seconds: float) -> Iterator[None]:
    """Worker processes that are up and wait for work."""
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, "--work"],
            env=environment(runtime.settings, FAIR_SECONDS=str(seconds), FAIR_NAME=f"gpu{number}"),
            stdout=subprocess.DEVNULL,
        )
        for number in range(count)
    ]
    try:
        until = time.monotonic() + 120
        while len(live_workers(runtime.database, within_seconds=10)) < count:
            assert time.monotonic() < until, "the workers did not come up"
            assert all(process.poll() is None for process in processes), "a worker ended"
            time.sleep(0.2)
        time.sleep(2.0)  # registered, but Celery is still connecting
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)


def _work() -> int:
    """In a worker process: stages that do nothing, on a device that takes its time."""
    fakes.NoBackend = HeldDevice  # type: ignore[misc]  # what the entry point loads
    name = os.environ["FAIR_NAME"]
    return run_worker(Runtime(Settings()), name=name, device="cpu", stages=list(Stage), until_idle=False, runners=fakes.FAKE_STAGE_RUNNERS)


if __name__ == "__main__":
    main()
