"""Jobs, the leases under which workers hold them, the history of attempts, and the workers themselves."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, String, Table, Text, text

from db.engine.metadata import Id, Json, Moment, metadata

# How PostgreSQL keeps these tables small while they are written all the time.
#
# A few rows that are rewritten every few seconds, none of their indexed columns among what changes: with half of each page free the new
# version goes beside the old one, no index is touched (HOT), and the next visit to the page clears what is dead. Vacuumed by number: a
# share of so few rows is a handful.
_REWRITTEN = {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 500}
#
# Of `jobs` no update can be HOT, so it keeps no free space: each move changes `state`, which ix_jobs_progress and the conditions of three
# partial indexes read, and a claim, a commit or a pause `lease_token` or `not_before` beside it; marking a suspect changes the claim index.
# Each of them is needed: the token finds a lease's jobs for its sweep and release (and work that runs), the others are named below. What is
# left is vacuum, which by default would begin when a fifth of ten million rows is dead: here at a fiftieth.
_MOVING = {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 2000, "autovacuum_analyze_scale_factor": 0.05}

# Every parameter that must be equal within one batch, once: a handful of rows, so a claim looks here first.
batch_keys = Table(
    "batch_keys",
    metadata,
    Column("batch_key", Text, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False, index=True),
    Column("stage", String(16), nullable=False),
    # {"backend", "model", "location", "revision", "dtype", "settings"}: what a worker needs to load and run it.
    Column("parameters", Json, nullable=False),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    # How many jobs were ever planned under this key. No job is deleted, so those that are in no other state are done, and nobody has to
    # count the most numerous ones.
    Column("planned_jobs", BigInteger, nullable=False, server_default="0"),
    postgresql_with=_REWRITTEN,
)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("device", Text, nullable=False),
    Column("stages", Json, nullable=False),
    Column("threads", Integer, nullable=False),
    Column("versions", Json, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    # What keeps it from some jobs, such as a model that cannot be loaded.
    Column("trouble", Text),
    # Set by a worker that ended in good order, by the supervisor that saw it die, or by one that saw it silent: then a heartbeat unsets it.
    Column("stopped_at", Moment),
    # How its end became known, beside stopped_at; workers before 2026_12_01 leave it empty.
    Column("ended", String(16)),
    # Seconds by which its host's clock is ahead of the database's; None if nobody can tell.
    Column("clock_offset", Double),
    postgresql_with=_REWRITTEN,
)

# Hosts whose workers claim nothing more and end.
drained_hosts = Table("drained_hosts", metadata, Column("host", Text, primary_key=True), Column("asked_at", Moment, nullable=False))

leases = Table(
    "leases",
    metadata,
    Column("token", String(36), primary_key=True),
    Column("worker_id", Text, nullable=False),
    # Not indexed, or no renewal would be HOT: the sweep reads a few hundred rows.
    Column("expires_at", Moment, nullable=False),
    # For how many seconds each renewal extends it; one that ends later than that after now was given before the clock went back.
    Column("seconds", Double, nullable=False, server_default="15"),
    Column("claimed_at", Moment, nullable=False),
    # When its batch began on the device: only then can one of its jobs be what took the worker down.
    Column("started_at", Moment),
    # How many jobs began there together; 0 before that. Its jobs that are cancelled, superseded or done later were on the device too.
    Column("began", Integer, nullable=False, server_default="0"),
    # Its worker was asked to stop, or was killed from outside: that it vanishes says nothing about its jobs.
    Column("excused", Boolean, nullable=False, server_default=text("false")),
    # What was claimed, and how many jobs at first; workers before 2026_12_01 leave both empty.
    Column("batch_key", Text),
    Column("size", Integer),
    postgresql_with=_REWRITTEN,
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    # campaign/artwork/variation/stage as one text: a unique constraint over NULLs would let twins pass.
    Column("job_key", Text, nullable=False, unique=True),
    # No foreign keys here: planning selects these from the very tables they would point to, nothing is ever deleted there, and checking
    # four keys of each of a million rows takes PostgreSQL longer than inserting them.
    Column("campaign_id", Id, nullable=False),
    Column("artwork_id", Id, nullable=False),
    Column("variation_id", Id, index=True),
    Column("stage", String(16), nullable=False),
    Column("batch_key", Text, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False),
    # Attempts that ended, over the whole life.
    Column("attempt_count", Integer, nullable=False, server_default="0"),
    # How often it was requeued: retries are bounded anew within each round.
    Column("round", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment, nullable=False, server_default="0"),
    # The token that may commit it. A sweep leaves it in place, so that a late worker that nobody replaced can still commit.
    Column("lease_token", String(36)),
    # It was on a device when its worker vanished: claimed alone from now on, until it is done.
    Column("suspect", Boolean, nullable=False, server_default=text("false")),
    # How often it was on the device alone when its worker vanished.
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("error_kind", String(16)),
    Column("error_text", Text),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("finished_at", Moment),
    # Claiming: the best ready job of one key is the first entry.
    Index(
        "ix_jobs_claim",
        "batch_key",
        "suspect",
        text("priority DESC"),
        "id",
        sqlite_where=text("state = 'ready' AND not_before = 0"),
        postgresql_where=text("state = 'ready' AND not_before = 0"),
    ),
    # Those that back off stand apart until a sweep sets their `not_before` to zero: a claim never has to pass over them. By key, so that
    # "has any of mine" is a few looks.
    Index(
        "ix_jobs_backing_off",
        "batch_key",
        "not_before",
        sqlite_where=text("state = 'ready' AND not_before > 0"),
        postgresql_where=text("state = 'ready' AND not_before > 0"),
    ),
    # Counting: covers `status` over a million jobs.
    Index("ix_jobs_progress", "campaign_id", "stage", "state"),
    # Finding what follows a finished job.
    Index("ix_jobs_artwork_id", "artwork_id", "campaign_id", "stage"),
    Index(
        "ix_jobs_lease_token",
        "lease_token",
        sqlite_where=text("lease_token IS NOT NULL"),
        postgresql_where=text("lease_token IS NOT NULL"),
    ),
    Index("ix_jobs_failed", "campaign_id", "error_kind", sqlite_where=text("state = 'failed'"), postgresql_where=text("state = 'failed'")),
    postgresql_with=_MOVING,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("worker_id", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("error_kind", String(16)),
    Column("error_text", Text),
    Column("started_at", Moment),
    Column("ended_at", Moment, nullable=False, index=True),
    # Seconds the job's batch had the device, divided by its size.
    Column("seconds", Double),
    Column("batch_size", Integer, nullable=False),
)
