"""Planning a campaign of two levels against row-by-row ORM, and against bulk Core inserts with one published message for every job.

    python benchmarks/enqueue.py [--artworks 81446] [--sample 4000] [--rounds 3] [--database-url URL] [--broker-url URL]

Ours: `db.jobs.plan.plan_campaign`, with every variation, its seed, the jobs of four stages and ANALYZE, and the workers' wake-ups. The
peers write the same rows for a sample of the artworks and are given the same ready artworks as objects in memory:
row by row, one ORM object each, a flush for each artwork to learn its ids, a commit every hundred artworks;
bulk, Core inserts in chunks, then one Celery message for every job, through one pooled producer.
Figures are jobs per second, so samples compare; bulk rows grow no faster than linearly, so a sample flatters the peers if anything.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery
from fixtures import register
from pydantic import SecretStr
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, registry

from db.campaigns import open_campaign, parse_config, variation_seed
from db.engine import connect
from db.engine.schema import migrate
from db.enums import Stage
from db.jobs.batch_keys import batch_key, write_batch_keys
from db.jobs.plan import Selection, plan_campaign
from db.runtime import Runtime
from db.settings import Settings
from db.tables import artworks, jobs, variations
from producer.notify import notify_ready
from workers.broker import resolve_broker

if TYPE_CHECKING:
    from db.campaigns import Campaign

COMMIT_EVERY = 100
CHUNK = 1000
JOBS_EACH = 7


class Variation:
    """A row of `variations` as an ORM sees it."""


class Job:
    """A row of `jobs` as an ORM sees it."""


mapping = registry()
mapping.map_imperatively(Variation, variations)
mapping.map_imperatively(Job, jobs)


def main() -> None:
    parser = argparse.ArgumentParser(description="Planning against row-by-row ORM and against bulk inserts with a message for every job.")
    parser.add_argument("--artworks", type=int, default=81_446)
    parser.add_argument("--sample", type=int, default=4000, help="artworks that the peers plan")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    parser.add_argument("--broker-url", default="", help="Redis or Valkey; the embedded one if not given")
    given = parser.parse_args()
    paces: dict[str, list[float]] = {"ours": [], "orm": [], "bulk": []}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url), broker_url=SecretStr(given.broker_url))
        runtime = Runtime(settings)
        migrate(connect(settings.sqlalchemy_url))
        register(runtime.database, "enqueue", given.artworks)
        with runtime.database.engine.connect() as connection:
            rows = connection.execute(select(artworks.c.id, artworks.c.key).order_by(artworks.c.id).limit(given.sample)).all()
        with resolve_broker(settings) as broker:
            for number in range(given.rounds):
                paces["orm"].append(_row_by_row(runtime, rows, number))
                paces["bulk"].append(_bulk_with_messages(runtime, rows, number, broker.url))
                paces["ours"].append(_ours(runtime, number))
                measured = ", ".join(f"{name} {pace[-1]:.0f}" for name, pace in paces.items())
                print(f"round {number + 1}, jobs/s: {measured}", flush=True)
    ours, orm, bulk = (statistics.median(paces[name]) for name in ("ours", "orm", "bulk"))
    kind = "PostgreSQL" if given.database_url else "SQLite"
    print(
        f"{kind}: {ours:.0f} jobs/s over {given.artworks} artworks ({given.artworks * JOBS_EACH / ours:.1f} s); "
        f"of {given.sample} artworks: row-by-row ORM {orm:.0f} jobs/s, ratio {_ratio(paces, 'orm'):.1f}; "
        f"bulk inserts with every message {bulk:.0f} jobs/s, ratio {_ratio(paces, 'bulk'):.1f}"
    )


def _ratio(paces: dict[str, list[float]], peer: str) -> float:
    return statistics.median(one / other for one, other in zip(paces["ours"], paces[peer], strict=True))


def _open(runtime: Runtime, name: str) -> Campaign:
    return open_campaign(runtime.database, name, parse_config({}))


def _ours(runtime: Runtime, number: int) -> float:
    campaign = _open(runtime, f"ours-{number}")
    began = time.perf_counter()
    planned = plan_campaign(runtime.database, campaign, Selection())
    notify_ready(runtime)
    return planned.jobs / (time.perf_counter() - began)


def _row_by_row(runtime: Runtime, rows: Any, number: int) -> float:
    campaign = _open(runtime, f"orm-{number}")
    with runtime.database.engine.begin() as connection:
        write_batch_keys(connection, campaign)
    began = time.perf_counter()
    with Session(runtime.database.engine) as session:
        for position, artwork in enumerate(rows):
            session.add(_object(Job, _job(campaign, artwork.id, None, None, Stage.CAPTION)))
            for variation_row in _variations(campaign, artwork):
                variation = _object(Variation, variation_row)
                session.add(variation)
                session.flush()
                for stage in (Stage.PROMPT, Stage.GENERATE, Stage.RECAPTION):
                    session.add(_object(Job, _job(campaign, artwork.id, variation.id, variation.level, stage)))
            if position % COMMIT_EVERY == COMMIT_EVERY - 1:
                session.commit()
        session.commit()
    return _counted(runtime, campaign, rows) / (time.perf_counter() - began)


def _bulk_with_messages(runtime: Runtime, rows: Any, number: int, broker_url: str) -> float:
    campaign = _open(runtime, f"bulk-{number}")
    with runtime.database.engine.begin() as connection:
        write_batch_keys(connection, campaign)
    app = Celery("bulk", broker=broker_url, set_as_current=False)
    began = time.perf_counter()
    with runtime.database.engine.begin() as connection:
        _inserted(connection, variations, [row for artwork in rows for row in _variations(campaign, artwork)])
        mine = select(variations.c.id, variations.c.artwork_id, variations.c.level).where(variations.c.campaign_id == campaign.id)
        planned = [_job(campaign, artwork.id, None, None, Stage.CAPTION) for artwork in rows]
        for row in connection.execute(mine.order_by(variations.c.id)):
            planned += [
                _job(campaign, row.artwork_id, row.id, row.level, stage) for stage in (Stage.PROMPT, Stage.GENERATE, Stage.RECAPTION)
            ]
        _inserted(connection, jobs, planned)
    with app, app.producer_pool.acquire() as producer:
        for job in planned:
            app.send_task("work", args=(job["job_key"],), queue=f"bulk.{job['stage']}", producer=producer, ignore_result=True)
    pace = _counted(runtime, campaign, rows) / (time.perf_counter() - began)
    with app.connection_for_write() as connection:
        for stage in Stage:
            connection.default_channel.queue_purge(f"bulk.{stage}")
    return pace


def _inserted(connection: Any, table: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        connection.execute(insert(table), rows[start : start + CHUNK])


def _variations(campaign: Campaign, artwork: Any) -> list[dict[str, Any]]:
    facts = {"campaign_id": campaign.id, "artwork_id": artwork.id, "ordinal": 0, "redraws": 0}
    seeds = {
        level: variation_seed(campaign_seed=campaign.config.seed, artwork_key=artwork.key, level=level, ordinal=0)
        for level in campaign.config.level
    }
    return [{**facts, "level": level, "seed": seed} for level, seed in seeds.items()]


def _job(campaign: Campaign, artwork_id: int, variation_id: int | None, level: str | None, stage: Stage) -> dict[str, Any]:
    moment = time.time()
    return {
        "job_key": f"c{campaign.id}-a{artwork_id}-v{variation_id or 0}-{stage}",
        "campaign_id": campaign.id,
        "artwork_id": artwork_id,
        "variation_id": variation_id,
        "stage": str(stage),
        "batch_key": batch_key(campaign.id, stage, level),
        "priority": 0,
        "state": "ready" if stage is Stage.CAPTION else "waiting",
        "created_at": moment,
        "changed_at": moment,
    }


def _object(kind: type, values: dict[str, Any]) -> Any:
    made = kind()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def _counted(runtime: Runtime, campaign: Campaign, rows: Any) -> int:
    with runtime.database.engine.connect() as connection:
        found = connection.scalar(select(func.count()).where(jobs.c.campaign_id == campaign.id)) or 0
    assert found == len(rows) * JOBS_EACH, f"{found} jobs of {len(rows)} artworks"
    return int(found)


if __name__ == "__main__":
    main()
