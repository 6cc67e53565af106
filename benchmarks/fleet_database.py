"""A campaign in mid-run with up to ten million jobs, written by INSERT ... SELECT without indexes, which are built afterwards.

The first half of the artworks is done, with attempts and results; of the others the captions are ready. Job keys, batch keys and numbers
are those that planning gives.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from db.campaigns import open_campaign, parse_config
from db.engine import connect
from db.engine.schema import migrate
from db.jobs.batch_keys import write_batch_keys

if TYPE_CHECKING:
    import psycopg
    from fleet_server import FleetServer

#: One caption, and prompt, repaint and caption of it for each of two levels.
JOBS_EACH = 7
BATCH, PROMPTS = 8, 64
#: Tables that are filled, in an order that suits the numbers.
TABLES = ("artworks", "variations", "jobs", "attempts", "captions", "prompts", "images")

#: {n} artworks of which {done} are done, campaign {c}, now {at}.
ROWS = {
    "artworks": """
INSERT INTO artworks (id, key, group_key, artist, style, styles, picture, content_hash, width, height, registered_at)
SELECT a, 'artist_title-' || a, 'artist_title-' || a, 'artist', 'style', '["style"]', 'present', md5(a::text) || md5(a::text),
 1024, 768, {at}
FROM generate_series(1, {n}) a""",
    "variations": """
INSERT INTO variations (id, campaign_id, artwork_id, level, ordinal, seed, redraws)
SELECT v, {c}, (v + 1) / 2, CASE WHEN v % 2 = 1 THEN 'moderate' ELSE 'radical' END, 0, v * 7919, 0
FROM generate_series(1::bigint, 2 * {n}) v""",
    "jobs": """
INSERT INTO jobs (id, job_key, campaign_id, artwork_id, variation_id, stage, batch_key, priority, state, attempt_count, created_at,
 changed_at, finished_at)
SELECT j, 'c{c}-a' || a || '-v' || coalesce(v, 0) || '-' || stage, {c}, a, v, stage,
 'c{c}/' || stage || CASE WHEN stage IN ('prompt', 'generate') THEN CASE WHEN v % 2 = 1 THEN '/moderate' ELSE '/radical' END ELSE '' END, 0,
 CASE WHEN a <= {done} THEN 'done' WHEN stage = 'caption' THEN 'ready' ELSE 'waiting' END, (a <= {done})::int, {at}, {at},
 CASE WHEN a <= {done} THEN {at} END
FROM (SELECT j, (j - 1) / 7 + 1 AS a, CASE WHEN (j - 1) % 7 > 0 THEN 2 * ((j - 1) / 7) + ((j - 1) % 7 - 1) / 3 + 1 END AS v,
 (ARRAY['caption', 'prompt', 'generate', 'recaption', 'prompt', 'generate', 'recaption'])[(j - 1) % 7 + 1] AS stage
 FROM generate_series(1::bigint, 7 * {n}) j) planned""",
    "attempts": """
INSERT INTO attempts (id, job_id, number, round, worker_id, outcome, started_at, ended_at, seconds, batch_size)
SELECT id, id, 1, 0, 'gpu' || id % 1000 || '@host', 'done', {at} - 90000, {at} - 86400 + id * 0.001, 0.5, 8
FROM jobs WHERE state = 'done' ORDER BY id""",
    "captions": """
INSERT INTO captions (job_id, campaign_id, artwork_id, variation_id, image_id, text, model, revision, current, created_at)
SELECT id, {c}, artwork_id, variation_id, variation_id, 'a painting of a bridge with two arches over a river', 'fake', 'fake', true, {at}
FROM jobs WHERE state = 'done' AND stage IN ('caption', 'recaption') ORDER BY id""",
    "prompts": """
INSERT INTO prompts (id, job_id, campaign_id, variation_id, draft, text, draft_tokens, tokens, brief, model, revision, current,
 created_at)
SELECT variation_id, id, {c}, variation_id, repeat('a bridge of weathered copper ', 7), repeat('a bridge of weathered copper ', 7), 60, 55,
 'b', 'fake', 'fake', true, {at} FROM jobs WHERE state = 'done' AND stage = 'prompt' ORDER BY id""",
    "images": """
INSERT INTO images (id, job_id, campaign_id, artwork_id, variation_id, prompt_id, content_hash, pixel_hash, format, byte_size, width,
 height, content_box, provenance, seed, worker_id, current, created_at)
SELECT variation_id, id, {c}, artwork_id, variation_id, variation_id, md5(id::text) || md5(id::text), md5(id::text) || md5(id::text),
 'jpeg', 300000, 1024, 768, '[0, 128, 1024, 896]', '{{"steps": 25, "strength": 0.3}}', 1, 'gpu0@host', true, {at}
FROM jobs WHERE state = 'done' AND stage = 'generate' ORDER BY id""",
}


def campaign_settings(*, caption: float, generate: tuple[float, float]) -> dict[str, Any]:
    """A campaign of stages that only wait; seconds of a batch on the device, of repaints by level. All use one model."""
    one: dict[str, Any] = {"backend": "fake-none", "model": ""}
    level = {**one, "batch": BATCH}
    levels = {
        name: {**level, "strength": 0.3, "settings": {"seconds_per_batch": seconds}}
        for name, seconds in zip(("moderate", "radical"), generate, strict=True)
    }
    captions = {**one, "batch": BATCH, "settings": {"seconds_per_batch": caption}}
    return {"caption": captions, "prompt": {"backend": "fake-none", "batch": PROMPTS}, "level": levels}


def fill(server: FleetServer, name: str, jobs: int, config: dict[str, Any]) -> float:
    """Make the database `name` with so many jobs; returns the seconds that it took."""
    began = time.monotonic()
    url = server.create(name)
    database = connect(url)
    migrate(database)
    campaign = open_campaign(database, "fleet", parse_config(config))
    database.write(lambda connection: write_batch_keys(connection, campaign))
    database.dispose()
    count = max(1, jobs // JOBS_EACH)
    facts: dict[str, Any] = {"n": count, "done": count // 2, "c": campaign.id, "at": time.time()}
    with server.connect(name) as plain:
        plain.execute("SET session_replication_role = replica")  # no checks of foreign keys: all rows are made here
        later = _take_indexes(plain)
        for table in TABLES:
            plain.execute(ROWS[table].format(**facts).encode())
        for statement in later:
            plain.execute(statement.encode())
        for table in TABLES:
            plain.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 1)) FROM {table}".encode())  # noqa: S608
        plain.execute(_PLANNED.encode())
        plain.execute("VACUUM ANALYZE")
        plain.execute("CHECKPOINT")
    return time.monotonic() - began


_PLANNED = """
UPDATE batch_keys SET planned_jobs = counted.jobs
FROM (SELECT batch_key, count(*) AS jobs FROM jobs GROUP BY batch_key) counted WHERE counted.batch_key = batch_keys.batch_key"""


_UNIQUE = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'u' AND conrelid::regclass::text = ANY (%s)"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON relname = indexname JOIN pg_index ON indexrelid = pg_class.oid
WHERE schemaname = 'public' AND NOT indisprimary AND tablename = ANY (%s)"""


def _take_indexes(plain: psycopg.Connection) -> list[str]:
    """Drop what slows loading down, and return the statements that make it again; primary keys stay."""
    made: list[str] = []
    unique = plain.execute(_UNIQUE, (list(TABLES),)).fetchall()
    for table, constraint, definition in unique:
        plain.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"'.encode())
        made.append(f'ALTER TABLE {table} ADD CONSTRAINT "{constraint}" {definition}')
    indexes = plain.execute(_INDEXES, (list(TABLES),)).fetchall()
    for name, definition in indexes:
        plain.execute(f'DROP INDEX "{name}"'.encode())
        made.append(definition)
    return made


def put_back(plain: psycopg.Connection) -> None:
    """Return what the workers of the last step held: they are gone, and nothing says that their jobs are to blame."""
    plain.execute("UPDATE jobs SET state = 'ready', lease_token = NULL WHERE state = 'running'")
    plain.execute("UPDATE jobs SET suspect = false, crashes = 0 WHERE suspect")
    plain.execute("DELETE FROM leases")
    plain.execute("DELETE FROM workers")
    plain.execute("VACUUM leases, workers")


def ready_or_waiting(plain: psycopg.Connection) -> int:
    """Jobs that are left to do."""
    row = plain.execute("SELECT count(*) FROM jobs WHERE state IN ('ready', 'waiting')").fetchone()
    return int(row[0]) if row else 0
