"""Jobs per second through four fake stages, batch 8, against bare Celery no-op tasks in the same run.

    python benchmarks/throughput.py [--artworks 3000] [--database-url URL] [--broker-url URL] [--rounds 3]

Both sides: one worker process, the `threads` pool with as many threads, the same broker, everything enqueued beforehand; timed by their own
clock between the first twentieth and the end, so start-up does not count. The fake stages read and store no image, as a no-op task does
nothing: what is measured is claiming, leasing, committing, readying, waking and reporting every job to Flower.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from celery import Celery
from pydantic import SecretStr
from sqlalchemy import func, select

from db.campaigns import open_campaign, parse_config
from db.engine import connect
from db.engine.bulk import bulk_insert
from db.engine.schema import migrate
from db.enums import ImageState, JobState, Stage
from db.jobs.plan import Selection, plan_campaign
from db.runtime import Runtime
from db.settings import Settings
from db.tables import artworks, attempts, jobs
from workers.broker import resolve_broker
from workers.process import run_worker
from workers.stages.fakes import FAKE_STAGE_RUNNERS

BATCH = 8
COLUMNS = ("key", "group_key", "artist", "style", "styles", "picture", "content_hash", "width", "height", "registered_at")


def main() -> None:
    parser = argparse.ArgumentParser(description="Jobs per second against bare Celery.")
    parser.add_argument("--artworks", type=int, default=3000)
    parser.add_argument("--noop-tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    parser.add_argument("--broker-url", default="", help="Redis or Valkey; the embedded one if not given")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        runtime = Runtime(Settings())
        sys.exit(run_worker(runtime, name="cpu", device="cpu", stages=list(Stage), until_idle=True, runners=FAKE_STAGE_RUNNERS))
    ours, bare = [], []
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url), broker_url=SecretStr(given.broker_url))
            with resolve_broker(settings) as broker:
                ours.append(_paragone(settings, given.artworks, f"throughput-{number}"))
                bare.append(_bare_celery(broker.url, given.noop_tasks, settings.threads))
        print(
            f"round {number + 1}: {ours[-1]:6.0f} jobs/s, bare Celery {bare[-1]:6.0f} tasks/s, ratio {ours[-1] / bare[-1]:.2f}", flush=True
        )
    kind = "PostgreSQL" if given.database_url else "SQLite"
    ratio = statistics.median(one / other for one, other in zip(ours, bare, strict=True))
    print(f"{kind}: {statistics.median(ours):.0f} jobs/s, bare Celery {statistics.median(bare):.0f} tasks/s, median ratio {ratio:.2f}")


def _paragone(settings: Settings, count: int, name: str) -> float:
    """Jobs per second of one worker over `count` artworks, two levels, four stages: seven jobs each."""
    database = connect(settings.sqlalchemy_url)
    migrate(database)
    rows = (
        (f"{name}-{n}", f"{name}-{n}", "a b", "style", '["style"]', str(ImageState.PRESENT), "0" * 64, 16, 16, 0.0) for n in range(count)
    )
    with database.engine.begin() as connection:
        bulk_insert(connection, artworks, COLUMNS, rows)
    backend = {"backend": "fake-none", "batch": BATCH}
    config: dict[str, Any] = {
        "caption": backend,
        "prompt": backend,
        "level": {"moderate": {**backend, "strength": 0.3}, "radical": {**backend, "strength": 0.45}},
    }
    campaign = open_campaign(database, name, parse_config(config))
    plan_campaign(database, campaign, Selection())
    environment = {
        **os.environ,
        "PARAGONE_DATA_DIR": str(settings.data_dir),
        "PARAGONE_DATABASE_URL": settings.database_url.get_secret_value(),
        "PARAGONE_BROKER_URL": settings.broker_url.get_secret_value(),
    }
    subprocess.run([sys.executable, __file__, "--work"], env=environment, check=True, capture_output=True)
    with database.engine.connect() as connection:
        undone = connection.scalar(select(func.count()).where(jobs.c.state != str(JobState.DONE)))
        mine = select(attempts.c.ended_at).join(jobs, jobs.c.id == attempts.c.job_id).where(jobs.c.campaign_id == campaign.id)
        ended = connection.scalars(mine.order_by(attempts.c.ended_at)).all()
    database.dispose()
    assert not undone, f"{undone} jobs were not done"
    skip = len(ended) // 20
    return float((len(ended) - skip) / (ended[-1] - ended[skip]))


def _bare_celery(broker_url: str, count: int, threads: int) -> float:
    """Tasks per second of a worker whose task does nothing."""
    app = Celery("bare", broker=broker_url)
    with app.producer_pool.acquire() as producer:
        for _ in range(count):
            app.send_task("noop", queue="bare", producer=producer, ignore_result=True)
    with tempfile.TemporaryDirectory() as folder:
        script, result = Path(folder) / "bare.py", Path(folder) / "result.json"
        script.write_text(BARE.format(broker=broker_url, count=count, threads=threads, result=str(result)))
        subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
        return float(json.loads(result.read_text()))


BARE = """
import json, os, signal, threading, time
from celery import Celery
app = Celery("bare", broker={broker!r})
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4, accept_content=["json"])
moments, lock = [], threading.Lock()
@app.task(name="noop", ignore_result=True)
def noop():
    with lock:
        moments.append(time.perf_counter())
        if len(moments) == {count}:
            os.kill(os.getpid(), signal.SIGTERM)
quiet = dict(without_gossip=True, without_mingle=True, loglevel="ERROR", quiet=True)
worker = app.Worker(pool="threads", concurrency={threads}, queues=["bare"], **quiet)
try:
    worker.start()
except SystemExit:
    pass
skip = len(moments) // 20
open({result!r}, "w").write(json.dumps((len(moments) - skip) / (moments[-1] - moments[skip])))
"""


if __name__ == "__main__":
    main()
