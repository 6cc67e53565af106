"""Jobs per second through all four stages with fake models, batch 8, against bare Celery no-op tasks in the same run.

    python benchmarks/throughput.py [--artworks 1500] [--database-url URL] [--broker-url URL]

Both sides: one worker process, the `threads` pool, the same broker, everything enqueued beforehand; timed from the start of work to the last
job's end, start-up not counted. Pictures are 16 px: what is measured is claiming, leasing, committing and ringing.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from celery import Celery
from PIL import Image
from pydantic import SecretStr

from db.bulk import bulk_insert
from db.campaigns import open_campaign, parse_config
from db.engine import connect
from db.house import House
from db.life.plan import Selection, plan
from db.progress import progress
from db.schema import migrate
from db.settings import Settings
from db.tables import artworks, attempts, jobs
from db.vocabulary import PictureState
from sqlalchemy import func, select
from workers.broker import EmbeddedBroker

BATCH = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artworks", type=int, default=1500)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--broker-url", default="")
    parser.add_argument("--noop-tasks", type=int, default=4000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        embedded = None
        broker_url = given.broker_url
        if not broker_url:
            embedded = EmbeddedBroker(Path(folder) / "broker")
            embedded.join()
            broker_url = embedded.url
        settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url), broker_url=SecretStr(broker_url))
        ours = _paragone(settings, given.artworks)
        bare = _bare_celery(broker_url, given.noop_tasks, settings.threads)
        if embedded:
            embedded.leave()
    kind = "PostgreSQL" if given.database_url else "SQLite"
    print(f"paragone, {kind}: {ours:8.0f} jobs/s")
    print(f"bare Celery no-op:  {bare:8.0f} tasks/s")
    print(f"ratio:              {ours / bare:8.2f}")


def _paragone(settings: Settings, count: int) -> float:
    engine = connect(settings.sqlalchemy_url)
    migrate(engine)
    house = House(settings)
    rows = []
    store = house.store
    for number in range(count):
        buffer = io.BytesIO()
        Image.new("RGB", (16, 16), (number % 256, number // 256 % 256, 90)).save(buffer, "PNG")
        content_hash = store.put(buffer.getvalue())
        rows.append((f"work-{number}", f"work-{number}", "a b", "style", '["style"]', str(PictureState.PRESENT), content_hash, 16, 16, 0.0))
    columns = ("key", "group_key", "artist", "style", "styles", "picture", "content_hash", "width", "height", "registered_at")
    with engine.begin() as connection:
        bulk_insert(connection, artworks, columns, rows)
    level = {"backend": "fake-repaint", "batch": BATCH}
    config: dict[str, Any] = {
        "caption": {"backend": "fake-caption", "batch": BATCH, "settings": {}},
        "prompt": {"backend": "fake-prompt", "batch": BATCH},
        "level": {"moderate": {**level, "strength": 0.3}, "radical": {**level, "strength": 0.45}},
        "picture": {"size": 16},
    }
    campaign = open_campaign(engine, "throughput", parse_config(config))
    planned = plan(engine, campaign, Selection())
    _work(settings)
    with engine.connect() as connection:
        ended = connection.scalars(select(attempts.c.ended_at).order_by(attempts.c.ended_at)).all()
        done = connection.scalar(select(func.count()).select_from(jobs).where(jobs.c.state == "done"))
    assert done == planned.jobs, progress(engine)
    # The first batches pay for imports and connections.
    skip = len(ended) // 20
    return (len(ended) - skip) / (ended[-1] - ended[skip])


def _work(settings: Settings) -> None:
    environment = {
        **os.environ,
        "PARAGONE_DATA_DIR": str(settings.data_dir),
        "PARAGONE_DATABASE_URL": settings.database_url.get_secret_value(),
        "PARAGONE_BROKER_URL": settings.broker_url.get_secret_value(),
    }
    command = [sys.executable, "-P", "-m", "workers", "--until-idle", "--log-level", "WARNING"]
    if os.environ.get("PROFILE"):
        command = [sys.executable, "-m", "cProfile", "-o", "/tmp/prof", "-m", "workers", "--until-idle"]
    subprocess.run(command, env=environment, check=True)


def _bare_celery(broker_url: str, count: int, threads: int) -> float:
    """Tasks per second of a worker that does nothing, from the first to the last by its own clock."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        result = Path(folder) / "result.json"
        script.write_text(BARE.format(broker=broker_url, count=count, threads=threads, result=str(result)))
        app = Celery("bare", broker=broker_url)
        with app.producer_pool.acquire() as producer:
            for _ in range(count):
                app.send_task("noop", queue="bare", producer=producer, ignore_result=True)
        subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
        return float(json.loads(result.read_text()))


BARE = """
import json, os, signal, sys, threading, time
from celery import Celery
app = Celery("bare", broker={broker!r})
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4, accept_content=["json"])
moments = []
lock = threading.Lock()
@app.task(name="noop", ignore_result=True)
def noop():
    with lock:
        moments.append(time.perf_counter())
        if len(moments) == {count}:
            os.kill(os.getpid(), signal.SIGTERM)
worker = app.Worker(pool="threads", concurrency={threads}, queues=["bare"], without_gossip=True, without_mingle=True, loglevel="ERROR", quiet=True)
try:
    worker.start()
except SystemExit:
    pass
skip = len(moments) // 20
open({result!r}, "w").write(json.dumps((len(moments) - skip) / (moments[-1] - moments[skip])))
"""


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"({time.monotonic() - started:.0f} s)")
