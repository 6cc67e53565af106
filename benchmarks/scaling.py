"""Speed-up of 2 and 4 worker processes with simulated devices over one.

    python benchmarks/scaling.py [--workers 1 2 4] [--artworks 480] [--seconds 0.5] [--database-url URL] [--broker-url URL]

All four real stages on small real images; every batch of 8 captions, repaints or recaptions holds its worker's own device for so long,
as a GPU would. The same campaign is given to one, two and four workers that are up and waiting; timed from the moment it is resumed to
its last commit, all ends included. Peer: the single worker, times the number of workers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fixtures import environment, jpeg, paintings, register
from pydantic import SecretStr
from sqlalchemy import func, select

from db.campaigns import open_campaign, parse_config
from db.engine.clock import now
from db.enums import JobState
from db.jobs.control import set_paused
from db.jobs.plan import Selection, plan_campaign
from db.monitoring.worker_registry import live_workers
from db.runtime import Runtime
from db.settings import Settings
from db.tables import jobs
from producer.notify import notify_ready
from workers.broker import resolve_broker

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 8
CANVAS = 64
NEEDED = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed-up of several workers over one.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--artworks", type=int, default=480, help="five device jobs each: 300 batches by default")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long a batch of 8 holds a device")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    parser.add_argument("--broker-url", default="", help="Redis or Valkey; the embedded one if not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url), broker_url=SecretStr(given.broker_url))
        runtime = Runtime(settings)
        runtime.initialise()
        originals = [(runtime.store.put(jpeg(image)), image.width, image.height) for image in paintings(16, CANVAS)]
        register(runtime.database, "scaling", given.artworks, originals)
        with resolve_broker(settings):
            pace = {count: _pace(runtime, count, given.seconds) for count in given.workers}
    kind = "PostgreSQL" if given.database_url else "SQLite"
    single = given.workers[0]
    for count in given.workers:
        ratio = pace[count] / pace[single] * single
        share = ratio / count
        print(f"{kind}, {count} workers: {pace[count]:.1f} jobs/s, {ratio:.2f} times one worker, {share:.3f} of linear (needed {NEEDED})")


def _pace(runtime: Runtime, count: int, seconds: float) -> float:
    """Jobs per second of so many workers over a campaign of its own."""
    campaign = open_campaign(runtime.database, f"workers-{count}", parse_config(_config(seconds)))
    planned = plan_campaign(runtime.database, campaign, Selection())
    set_paused(runtime.database, campaign.id, None, paused=True)
    with _workers(runtime, count):
        with runtime.database.engine.connect() as connection:
            began = connection.scalar(select(now())) or 0.0
        set_paused(runtime.database, campaign.id, None, paused=False)
        notify_ready(runtime)
        mine = jobs.c.campaign_id == campaign.id
        left = select(func.count()).where(mine, jobs.c.state != str(JobState.DONE))
        while True:
            time.sleep(1.0)
            with runtime.database.engine.connect() as connection:
                if not connection.scalar(left):
                    break
                assert not connection.scalar(left.where(jobs.c.state == str(JobState.FAILED))), "a job failed"
    with runtime.database.engine.connect() as connection:
        ended = connection.scalar(select(func.max(jobs.c.finished_at)).where(mine)) or 0.0
    print(f"  {count} workers: {planned.jobs} jobs in {ended - began:.1f} s", flush=True)
    return planned.jobs / (ended - began)


def _config(seconds: float) -> dict[str, Any]:
    held: dict[str, Any] = {"batch": BATCH, "settings": {"seconds_per_batch": seconds}}
    repaint = {**held, "backend": "fake-repaint"}
    return {
        "caption": {**held, "backend": "fake-caption"},
        "prompt": {"backend": "fake-prompt"},
        "level": {"moderate": {**repaint, "strength": 0.3}, "radical": {**repaint, "strength": 0.45}},
        "picture": {"size": CANVAS},
    }


@contextmanager
def _workers(runtime: Runtime, count: int) -> Iterator[None]:
    """Worker processes that are up and wait for work."""
    command = [sys.executable, "-m", "workers", "--log-level", "WARNING"]
    variables = environment(runtime.settings)
    processes = [
        subprocess.Popen([*command, "--name", f"gpu{number}"], env=variables, stdout=subprocess.DEVNULL) for number in range(count)
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


if __name__ == "__main__":
    main()
