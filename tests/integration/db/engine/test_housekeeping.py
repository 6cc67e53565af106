"""What PostgreSQL has to clear away: versions of rows that are written again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.enums import Stage
from db.jobs.lease import begin_on_device, renew
from db.monitoring.worker_registry import record_heartbeat, register_worker
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

UPDATES = 40
_UPDATED = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '{}'"


def updated(database: Database, table: str) -> tuple[int, int]:
    """How many updates there were, and how many of them left all indexes alone."""
    database.dispose()  # a server process reports when it ends
    with database.read() as connection:
        found = connection.execute(text(_UPDATED.format(table))).one()
    return int(found[0]), int(found[1])


def test_heartbeats_rewrite_their_rows_in_place(database: Database) -> None:
    harness = harness_of(database, 4)
    register_worker(database, worker_id="gpu0", host="here", pid=1, device="cpu", stages=[Stage.CAPTION], threads=2, versions={})
    batch = harness.claim(Stage.CAPTION)
    before = {table: updated(database, table) for table in ("leases", "workers")}

    assert begin_on_device(database, batch.token)
    for _ in range(UPDATES):
        assert renew(database, [batch.token], lease_seconds=60.0) == 1
        record_heartbeat(database, "gpu0")

    for table, (updates, hot) in before.items():
        until = time.monotonic() + 20
        while (now := updated(database, table))[0] < updates + UPDATES and time.monotonic() < until:
            time.sleep(0.1)
        assert now[0] >= updates + UPDATES
        assert now[1] - hot >= 0.9 * UPDATES, f"{table}: {now[1] - hot} of {now[0] - updates} in place"


def test_the_tables_that_are_written_all_the_time_are_vacuumed_before_much_of_them_is_dead(database: Database) -> None:
    with database.read() as connection:
        options: dict[str, str] = dict(
            connection.execute(text("SELECT relname, array_to_string(reloptions, ' ') FROM pg_class WHERE relkind = 'r'")).all()
        )

    for table in ("leases", "workers", "batch_keys"):
        assert options[table].split() == ["fillfactor=50", "autovacuum_vacuum_scale_factor=0", "autovacuum_vacuum_threshold=500"]
    assert "autovacuum_vacuum_scale_factor=0.02" in options["jobs"]
