"""`paragone status` over a million jobs: the library's call, the whole command, and the same counts without the covering index.

    python benchmarks/status.py [--jobs 1000000] [--runs 20] [--database-url URL]

The database: three campaigns (60, 30 and 10 %) in mid-run, 60 % of the jobs done with one attempt each, ended at 20 jobs/s until now, their
results current, some failed, running and backing off. Timed: `db.monitoring.progress.progress` with all details as the command
calls it, over all campaigns and over the largest; the counts of jobs alone; and the peer, those same counts with ix_jobs_progress dropped.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures import environment, register
from pydantic import SecretStr
from sqlalchemy import func, select, text

from db.campaigns import open_campaign, parse_config
from db.engine import connect
from db.engine.clock import now
from db.engine.limits import BULK_SECONDS, allow
from db.engine.schema import migrate
from db.enums import Stage
from db.jobs.plan import Selection, plan_campaign
from db.monitoring.progress import progress
from db.monitoring.worker_registry import register_worker
from db.runtime import Runtime
from db.settings import Settings
from db.tables import jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.engine import Database


NEEDED_MS = 150
SHARES = {"large": 0.6, "middle": 0.3, "small": 0.1}
JOBS_EACH = 7
DONE = 0.6
PACE = 400.0
PROMPT = "a painting of a woman at a window, remade as weathered copper under a storm, deep shadows, cracked glaze, "

#: From a fresh plan to mid-run; :edge is the last artwork that is done, :at the present moment.
STATES = """
UPDATE jobs SET state = 'done', attempt_count = 1, finished_at = :at, changed_at = :at
 WHERE artwork_id <= :edge AND campaign_id = :campaign
;
UPDATE jobs SET state = 'ready' WHERE stage = 'prompt' AND artwork_id > :edge AND artwork_id <= :edge + 300 AND campaign_id = :campaign
;
UPDATE jobs SET state = 'done', attempt_count = 1, finished_at = :at
 WHERE stage = 'caption' AND artwork_id > :edge AND artwork_id <= :edge + 300 AND campaign_id = :campaign
;
UPDATE jobs SET state = 'ready', not_before = :at + 900
 WHERE stage = 'generate' AND artwork_id <= :edge AND artwork_id % 400 = 0 AND campaign_id = :campaign
;
UPDATE jobs SET state = 'failed', error_kind = 'transient', error_text = 'the store refused a blob'
 WHERE stage = 'generate' AND artwork_id <= :edge AND artwork_id % 250 = 1 AND campaign_id = :campaign
;
UPDATE jobs SET state = 'waiting'
 WHERE stage = 'recaption' AND artwork_id <= :edge AND (artwork_id % 250 = 1 OR artwork_id % 400 = 0) AND campaign_id = :campaign
"""
RESULTS = """
INSERT INTO attempts (job_id, number, round, worker_id, outcome, ended_at, seconds, batch_size)
 SELECT id, 1, 0, 'gpu0@host', 'done', :at - row_number() OVER (ORDER BY id DESC) / :pace, 0.4, 8
 FROM jobs WHERE state = 'done' ORDER BY id
;
INSERT INTO prompts (job_id, campaign_id, variation_id, draft, text, draft_tokens, tokens, brief, model, revision, current, created_at)
 SELECT id, campaign_id, variation_id, :prompt, :prompt, 60, 55, 'surreal', 'compose', '', true, :at
 FROM jobs WHERE stage = 'prompt' AND state = 'done'
;
INSERT INTO images (job_id, campaign_id, artwork_id, variation_id, prompt_id, content_hash, pixel_hash, format, byte_size, width, height,
 content_box, provenance, seed, worker_id, current, created_at)
 SELECT j.id, j.campaign_id, j.artwork_id, j.variation_id, p.id, 'h' || j.id, 'p' || j.id, 'jpeg', 300000, 1024, 768,
 '[0, 128, 1024, 896]', '{"steps": 25, "prompt": "PROMPT"}', 1, 'gpu0@host', true, :at
 FROM jobs j JOIN prompts p ON p.variation_id = j.variation_id WHERE j.stage = 'generate' AND j.state = 'done'
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="`paragone status` over a million jobs.")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database; SQLite if not given")
    given = parser.parse_args()
    kind = "PostgreSQL" if given.database_url else "SQLite"
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), database_url=SecretStr(given.database_url))
        runtime = Runtime(settings)
        migrate(connect(settings.sqlalchemy_url))
        began = time.monotonic()
        largest = _fill(runtime.database, given.jobs // JOBS_EACH)
        count = sum(sum(states.values()) for states in progress(runtime.database).jobs.values())
        print(f"{kind}: {count} jobs made in {time.monotonic() - began:.0f} s", flush=True)

        whole = _timed("status, all campaigns", given.runs, lambda: progress(runtime.database))
        _timed("status, the largest campaign", given.runs, lambda: progress(runtime.database, largest))
        command = [str(Path(sys.executable).with_name("paragone")), "status", "--json"]
        variables = environment(runtime.settings)
        _timed(
            "the whole command, its process included",
            max(3, given.runs // 4),
            lambda: subprocess.run(command, env=variables, check=True, capture_output=True),
        )
        covered = _timed("counts of jobs alone", given.runs, lambda: _counts(runtime.database))
        with runtime.database.engine.begin() as connection:
            connection.execute(text("DROP INDEX ix_jobs_progress"))
        bare = _timed("counts of jobs alone, without the covering index", 5, lambda: _counts(runtime.database))
    print(
        f"{kind}: status over {count} jobs in {whole:.0f} ms (needed {NEEDED_MS}); "
        f"counts {covered:.0f} ms, without the covering index {bare:.0f} ms, ratio {bare / covered:.1f}"
    )


def _timed(what: str, runs: int, look: Callable[[], object]) -> float:
    """Median milliseconds of so many looks, after one that warms the caches."""
    look()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        look()
        taken.append((time.perf_counter() - began) * 1000)
    print(f"  {what}: median {statistics.median(taken):.0f} ms, largest {max(taken):.0f} ms of {runs}", flush=True)
    return statistics.median(taken)


def _counts(database: Database) -> object:
    query = select(jobs.c.campaign_id, jobs.c.stage, jobs.c.state, func.count()).group_by(jobs.c.campaign_id, jobs.c.stage, jobs.c.state)
    with database.read() as connection:
        return connection.execute(query).all()


def _fill(database: Database, count: int) -> int:
    """Plan by the runtime's own planning, then set the states that a run leaves; returns the largest campaign's id."""
    register(database, "status", int(count * SHARES["large"]))
    ids = {}
    for name, share in SHARES.items():
        campaign = open_campaign(database, name, parse_config({}))
        plan_campaign(database, campaign, Selection(limit=int(count * share)))
        ids[name] = campaign.id
    with database.engine.begin() as connection:
        allow(connection, BULK_SECONDS)
        at = connection.scalar(select(now()))
        facts = {"at": at, "pace": PACE, "prompt": PROMPT * 3}
        for name, share in SHARES.items():
            edge = int(count * share * DONE)
            for statement in STATES.split(";"):
                connection.execute(text(statement), {"edge": edge, "campaign": ids[name], "at": at})
        for statement in RESULTS.replace("PROMPT", PROMPT * 3).split(";"):
            connection.execute(text(statement), {key: value for key, value in facts.items() if f":{key}" in statement})
    register_worker(database, worker_id="gpu0@host", host="host", pid=1, device="cuda", stages=[Stage.CAPTION], threads=2, versions={})
    _settle(database)
    return ids["large"]


def _settle(database: Database) -> None:
    """What the databases do by themselves within a minute of quiet: vacuum on PostgreSQL, empty the write-ahead log on SQLite."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
            plain.execute(text("VACUUM ANALYZE"))
        return
    connection = database.engine.raw_connection()  # no transaction around a checkpoint
    for statement in ("PRAGMA analysis_limit = 1000", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"):
        connection.cursor().execute(statement).close()
    connection.close()


if __name__ == "__main__":
    main()
