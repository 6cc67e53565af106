"""A database of the version before, with everything in it that a run leaves, is migrated and goes on.

`rows_2026_11_23.json` was written by that version: four artworks, of whose repaints two are done, one backs off, and one is on a device.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from sqlalchemy import MetaData, func, inspect, select, text, update

from db.campaigns import find_campaign, frozen_revision
from db.engine import connect
from db.engine.schema import alembic_config, check_schema, current_revision, migrate
from db.enums import JobState, Stage
from db.errors import NotInitialised
from db.jobs.backoff import end_pauses
from db.jobs.claim import Batch, ClaimedJob, ready_batches
from db.jobs.complete import complete_batch
from db.results.pairs import repaints
from db.tables import artworks, attempts, batch_keys, images, jobs, leases, metadata
from db.training import finished_runs, triplets_of
from tests.builders import CampaignHarness, artworks_of, results_of
from tests.builders.campaign_harness import EFFORT
from tests.integration.db.engine.test_schema import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database

BEFORE = "2026_11_23"
ROWS: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("rows_2026_11_23.json").read_text())


def go_to(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        config = alembic_config(connection)
        (command.downgrade if current_revision(database) else command.upgrade)(config, revision)


def fill(database: Database) -> None:
    """Write the rows of the version before."""
    tables = MetaData()
    tables.reflect(database.engine)
    with database.engine.begin() as connection:
        for name, rows in ROWS.items():
            connection.execute(tables.tables[name].insert(), rows)
            if database.is_postgresql and "id" in rows[0] and isinstance(rows[0]["id"], int):
                connection.execute(text(f"SELECT setval('{name}_id_seq', {max(row['id'] for row in rows)})"))


@pytest.fixture
def old(database_url: str) -> Iterator[Database]:
    """A database of the version before, in mid-run."""
    database = connect(database_url)
    go_to(database, BEFORE)
    fill(database)
    yield database
    database.dispose()


@pytest.fixture
def migrated(old: Database) -> CampaignHarness:
    migrate(old)
    return CampaignHarness(database=old, campaign=find_campaign(old, "before"))


def on_the_device(harness: CampaignHarness) -> Batch:
    """The batch that a worker of the version before had begun."""
    (lease,) = harness.rows(leases)
    (job,) = harness.rows(jobs, jobs.c.lease_token == lease["token"])
    (candidate,) = harness.rows(batch_keys, batch_keys.c.batch_key == job["batch_key"])
    claimed = ClaimedJob(
        job_id=job["id"],
        job_key=job["job_key"],
        artwork_id=job["artwork_id"],
        variation_id=job["variation_id"],
        attempts=job["attempt_count"],
        suspect=False,
    )
    end_pauses(harness.database)
    parameters = next(one.parameters for one in ready_batches(harness.database, [Stage.GENERATE]))
    return Batch(
        token=lease["token"],
        worker_id=lease["worker_id"],
        batch_key=candidate["batch_key"],
        campaign_id=job["campaign_id"],
        stage=Stage(job["stage"]),
        parameters=parameters,
        jobs=(claimed,),
    )


def test_a_database_of_the_version_before_asks_for_its_migration(old: Database) -> None:
    with pytest.raises(NotInitialised, match=f"schema {BEFORE}"):
        check_schema(old)

    migrate(old)

    check_schema(old)


def test_no_row_is_lost_and_every_value_stands_under_its_new_name(migrated: CampaignHarness) -> None:
    names = {"models": "model_revisions"}
    columns = {
        "jobs": {"lease": "lease_token", "attempts": "attempt_count"},
        "batch_keys": {"jobs": "planned_jobs"},
        "attempts": {"kind": "error_kind", "error": "error_text"},
    }
    for name, rows in ROWS.items():
        table = metadata.tables[names.get(name, name)]
        expected = [{columns.get(name, {}).get(column, column): value for column, value in row.items()} for row in rows]
        found = [{column: row[column] for column in expected[0]} for row in migrated.rows(table)]
        assert found == sorted(expected, key=lambda row: [row[column.name] for column in table.primary_key])


def test_a_repaint_knows_its_original_where_its_provenance_told_it(migrated: CampaignHarness) -> None:
    first, second = migrated.rows(images)

    assert first["original_hash"] == first["provenance"]["original"] == migrated.rows(artworks)[0]["content_hash"]
    assert (second["original_hash"], "original" in second["provenance"]) == (None, False)
    assert len(repaints(migrated.database, migrated.campaign.id)) == 2

    with migrated.database.engine.begin() as connection:
        connection.execute(update(artworks).values(content_hash="f" * 64))

    assert [pair.image_id for pair in repaints(migrated.database, migrated.campaign.id)] == [second["id"]]


def test_what_was_on_a_device_during_the_migration_is_committed(migrated: CampaignHarness) -> None:
    batch = on_the_device(migrated)
    migrated.skip_retry_delays()

    completed = complete_batch(migrated.database, batch, results=results_of(migrated.database, batch), effort=EFFORT)

    assert completed.done == {batch.jobs[0].job_id}
    assert migrated.rows(leases) == []
    assert migrated.states(Stage.GENERATE) == {"done": 3, "ready": 1}


def test_after_a_migration_open_jobs_are_claimed_and_finished_and_more_can_be_planned(migrated: CampaignHarness) -> None:
    retried = migrated.rows(jobs, jobs.c.error_kind.is_not(None))[0]["id"]
    migrated.crash_workers(on_the_device(migrated))
    migrated.skip_retry_delays()
    artworks_of(migrated.database, 1)
    migrated.plan()

    assert migrated.run_all() == 4 + 4

    assert {row["state"] for row in migrated.rows(jobs)} == {JobState.DONE}
    assert migrated.job(retried)["attempt_count"] == 2
    assert [row["number"] for row in migrated.rows(attempts, attempts.c.job_id == retried)] == [1, 2]
    assert {row["planned_jobs"] for row in migrated.rows(batch_keys)} == {5}
    with migrated.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(images).where(images.c.current)) == 5


def test_frozen_revisions_triplets_and_training_runs_are_kept(migrated: CampaignHarness) -> None:
    assert frozen_revision(migrated.database, migrated.campaign.id, backend="sdxl", model="org/model") == "abc123"
    (run,) = finished_runs(migrated.database, migrated.campaign.id)
    assert (run.name, run.metrics, len(triplets_of(migrated.database, run.triplet_set_id))) == ("run", {"auc": 0.5}, 1)


def test_a_migrated_database_has_the_schema_of_a_new_one(migrated: CampaignHarness, database_url: str) -> None:
    found = described(migrated.database)
    with migrated.database.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            table.drop(connection)
        connection.execute(text("DROP TABLE alembic_version"))

    migrate(migrated.database)

    assert found == described(migrated.database)
    assert "model_revisions" in inspect(migrated.database.engine).get_table_names()


def test_the_migration_can_be_taken_back(migrated: CampaignHarness) -> None:
    go_to(migrated.database, BEFORE)

    tables = MetaData()
    tables.reflect(migrated.database.engine)
    with migrated.database.read() as connection:
        for name, rows in ROWS.items():
            table = tables.tables[name]
            assert [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()] == sorted(
                rows, key=lambda row: [row[column.name] for column in table.primary_key]
            )
