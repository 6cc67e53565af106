"""Workers of the version before and of this one on one database, through its migration; and programs that are too old for it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.engine import connect
from db.engine.compatibility import newest_revision
from db.engine.schema import current_revision
from db.tables import attempts, workers
from tests.acceptance.campaign_file import fake_campaign
from tests.acceptance.installation import FAST_RECOVERY, Installation, until
from tests.acceptance.queries import assert_complete, rows, states
from tests.acceptance.sample_images import write_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database
    from tests.services.postgresql import PostgresServer

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow(reason="runs the installed command, of two versions")]

#: The last commit before this schema.
BEFORE = "bf614bd425eb114d89a93c014d6948c300eef3e0"
SCHEMA_BEFORE = "2026_11_25_1"
ROOT = Path(__file__).parents[2]
PACKAGES = ("db", "workers", "producer", "trainer", "paragone")
ARTWORKS = 10


@pytest.fixture
def program_before(tmp_path: Path) -> Path:
    """A folder with the packages of the version before."""
    git = ["git", "-C", str(ROOT), "archive", "--format=tar", BEFORE, *PACKAGES]
    try:
        packed = subprocess.run(git, capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if packed.returncode:
        pytest.skip(f"this checkout lacks the commit {BEFORE[:7]}: a shallow clone, or no repository")
    folder = tmp_path / "before"
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def shared(tmp_path: Path, postgres_server: PostgresServer, broker_url: str) -> Iterator[dict[str, str]]:
    """Settings that all hosts have in common."""
    name = postgres_server.create()
    yield FAST_RECOVERY | {
        "PARAGONE_DATABASE_URL": postgres_server.url(name),
        "PARAGONE_BROKER_URL": broker_url,
        "PARAGONE_STORE_URL": f"file://{tmp_path / 'store'}",
    }
    postgres_server.drop(name)


@pytest.fixture
def any_schema(shared: dict[str, str]) -> Iterator[Database]:
    """Their database, whatever its schema."""
    database = connect(shared["PARAGONE_DATABASE_URL"])
    yield database
    database.dispose()


def test_an_old_worker_and_a_new_one_complete_a_campaign_through_the_migration(
    tmp_path: Path, shared: dict[str, str], any_schema: Database, program_before: Path
) -> None:
    # Given a database of the version before, with a worker of that version in the middle of a campaign
    old = Installation(directory=tmp_path / "old", settings=shared | {"PYTHONPATH": str(program_before)})
    new = Installation(directory=tmp_path / "new", settings=shared | {"PARAGONE_HOST": "new-host"})
    old.output_of("init")
    assert current_revision(any_schema) == SCHEMA_BEFORE
    write_images(tmp_path / "originals", ARTWORKS)
    old.output_of("ingest", tmp_path / "originals")
    slow = fake_campaign(tmp_path / "campaign.toml", batch=1, repaint={"seconds_per_batch": 1.0})
    old.output_of("enqueue", "--campaign", "first", "--config", slow)
    with old.working() as before:
        until(lambda: _finished(any_schema)["generate"] >= 2, what=f"the old worker repaints: {before.output}")

        # When the database is migrated under it, and a worker of this version comes beside it
        new.output_of("init")
        assert current_revision(any_schema) == newest_revision() != SCHEMA_BEFORE
        with new.working() as after:
            until(lambda: rows(new, workers, workers.c.host == "new-host"), what="the new worker has registered")
            new.output_of("enqueue", "--campaign", "second", "--config", slow)

            # Then both work, on what either version has planned, and both are shown
            (of_new,) = (row["id"] for row in rows(new, workers, workers.c.host == "new-host"))
            (of_old,) = (row["id"] for row in rows(new, workers, workers.c.host != "new-host"))
            shown = {worker["id"] for worker in new.json_of("status")["workers"]}
            assert shown == {of_new, of_old}
            until(lambda: set(states(new)) == {"done"}, what=f"all is done: {before.output}{after.output}")
            assert {row["state"] for row in new.json_of("status")["hosts"]} == {"working"}
            assert (before.stop(), after.stop()) == (0, 0), before.output + after.output
    assert_complete(new, repaints=2 * ARTWORKS)
    assert set(Counter(row["worker_id"] for row in rows(new, attempts, attempts.c.outcome == "done"))) == {of_new, of_old}
    assert "Traceback" not in before.output + after.output

    # And a program of the version before that starts anew is refused in one line: it takes no schema but its own
    refused = old.run("status")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"the database is at schema {newest_revision()}, this program needs {SCHEMA_BEFORE}" in refused.stderr
    new.close()
    old.close()


def test_a_program_that_the_database_has_outgrown_ends_and_is_refused(installation: Installation) -> None:
    host = installation.on(installation.directory, **FAST_RECOVERY)
    host.plan(6, repaint={"seconds_per_batch": 0.5})
    with host.working() as fleet:
        until(lambda: states(host, "generate")["done"] >= 1, what="it is in the middle")

        # When a later program contracts the schema
        with host.runtime.database.engine.begin() as connection:
            connection.execute(text("UPDATE schema_compatibility SET oldest_code = '2099_01_01'"))
            connection.execute(text("UPDATE alembic_version SET version_num = '2099_01_01'"))

        # Then its workers finish what they hold and are not started again
        assert fleet.wait() == 1, fleet.output
    assert fleet.output.count("is too old for the database, which needs one for schema 2099_01_01 or later") == 1
    assert "starting again" not in fleet.output
    assert {row["outcome"] for row in rows(host, attempts)} == {"done"}
    assert not states(host)["running"]
    for command in ("work", "status", "init"):
        refused = host.run(command)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
        assert refused.stderr.startswith("paragone: this program, made for schema ")
        assert refused.stderr.endswith("install the newer Paragone\n")


def test_a_program_that_is_newer_than_the_database_asks_for_init(tmp_path: Path, shared: dict[str, str], program_before: Path) -> None:
    old = Installation(directory=tmp_path / "old", settings=shared | {"PYTHONPATH": str(program_before)})
    new = Installation(directory=tmp_path / "new", settings=shared)
    old.output_of("init")

    refused = new.run("work", "--gpus", "none")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"paragone: the database is at schema {SCHEMA_BEFORE}, this program needs {newest_revision()}: run `paragone init`\n"
    )


def _finished(database: Database) -> Counter[str]:
    """Stage to jobs that are done, whatever the schema."""
    with database.read() as connection:
        found = connection.execute(text("SELECT stage, count(*) FROM jobs WHERE state = 'done' GROUP BY stage"))
        return Counter({row.stage: row.count for row in found})
