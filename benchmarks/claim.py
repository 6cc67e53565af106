"""Choosing and claiming, and `paragone status`, in a large old database: many campaigns, and many jobs that back off.

    python benchmarks/claim.py [--jobs 1000000] [--campaigns 200] [--backing-off 150000] [--runs 50] [--database-url URL]

The database: one campaign with nine tenths of the jobs and many small ones, of which nine of ten are done; six tenths of the large one
are done, and so many of the rest back off, as an outage would leave them. Timed: what every look, claim and sweep of a worker asks
(`ready_batches`, `claim_batch` of 8 with its release, `work_left`, `end_pauses`), and `status`. Beside the time that passes stands this
process' own: on SQLite that is all of it, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures import register
from sqlalchemy import select, text

from db.campaigns import open_campaign, parse_config
from db.engine import connect
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS, allow
from db.engine.schema import migrate
from db.enums import Stage
from db.jobs.backoff import end_pauses
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.lease import release_batch
from db.jobs.plan import Selection, plan_campaign
from db.monitoring.progress import progress
from db.monitoring.work_left import work_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database

NEEDED_MS = {"claim": 5, "status": 150}
JOBS_EACH = 7

#: From fresh plans to mid-run. :edge is the last artwork of the large campaign that is done.
STATES = """
UPDATE jobs SET state = 'done', attempt_count = 1, finished_at = :at WHERE campaign_id = :large AND artwork_id <= :edge
;
UPDATE jobs SET state = 'done', attempt_count = 1, finished_at = :at WHERE campaign_id <> :large AND campaign_id % 10 <> 0
;
UPDATE jobs SET state = 'ready', not_before = :at + 900 + id % 600 WHERE id IN
 (SELECT id FROM jobs WHERE campaign_id = :large AND artwork_id > :edge AND stage IN ('prompt', 'generate') ORDER BY id LIMIT :pausing)
;
UPDATE jobs SET state = 'failed', error_kind = 'transient', error_text = 'the endpoint was away'
 WHERE campaign_id = :large AND artwork_id <= :edge AND stage = 'recaption' AND artwork_id % 100 = 0
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Choosing, claiming and status in a large old database.")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--backing-off", type=int, default=150_000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = connect(given.database_url or f"sqlite:///{Path(folder) / 'paragone.sqlite'}")
        migrate(database)
        _fill(database, given.jobs // JOBS_EACH, given.campaigns, given.backing_off)
        stages = list(Stage)
        candidate = ready_batches(database, stages)[0]

        def claim() -> None:
            batch = claim_batch(database, worker_id="w", candidate=candidate, limit=8, lease_seconds=60.0)
            assert batch is not None
            release_batch(database, batch.token)

        print(f"{database.engine.dialect.name}: {given.jobs} jobs, {given.campaigns} campaigns, {given.backing_off} backing off")
        for what, act in {
            "ready_batches": lambda: ready_batches(database, stages),
            "claim_batch and release": claim,
            "work_left": lambda: work_left(database, stages),
            "work_left of nothing claimable": lambda: work_left(database, [Stage.CAPTION], without=_keys(database)),
            "end_pauses": lambda: end_pauses(database),
            "status": lambda: progress(database),
            "status of one campaign": lambda: progress(database, candidate.campaign_id),
        }.items():
            _timed(what, given.runs, act)
        database.dispose()


def _keys(database: Database) -> list[str]:
    return [candidate.batch_key for candidate in ready_batches(database, [Stage.CAPTION])]


def _timed(what: str, runs: int, act: Callable[[], object]) -> None:
    act()
    taken, own = [], []
    for _ in range(runs):
        began, own_began = time.perf_counter(), time.process_time()
        act()
        taken.append((time.perf_counter() - began) * 1000)
        own.append((time.process_time() - own_began) * 1000)
    median = statistics.median(taken)
    print(f"  {what}: median {median:.1f} ms (own {statistics.median(own):.1f}), largest {max(taken):.1f} ms of {runs}", flush=True)


def _fill(database: Database, count: int, campaigns: int, backing_off: int) -> None:
    register(database, "claim", count)
    small = max(1, count // 10 // max(1, campaigns - 1))
    for number in range(campaigns - 1):
        plan_campaign(database, open_campaign(database, f"small-{number}", parse_config({})), Selection(limit=small))
    campaign = open_campaign(database, "large", parse_config({}))
    plan_campaign(database, campaign, Selection(limit=count * 9 // 10))
    with database.engine.begin() as connection:
        allow(connection, BULK_SECONDS)
        facts = {"at": connection.scalar(select(now())), "large": campaign.id, "edge": count * 54 // 100, "pausing": backing_off}
        for statement in STATES.split(";"):
            connection.execute(text(statement), {key: value for key, value in facts.items() if f":{key}" in statement})
    if database.is_postgresql:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
            plain.execute(text("VACUUM ANALYZE"))
        return
    raw = database.engine.raw_connection()  # no transaction around a checkpoint
    for statement in ("PRAGMA analysis_limit = 1000", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"):
        raw.cursor().execute(statement).close()
    raw.close()


if __name__ == "__main__":
    main()
