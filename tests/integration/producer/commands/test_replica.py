"""Commands that only read can be pointed at a read replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.runtime import Runtime
from db.settings import Settings
from tests.builders import harness_of
from tests.integration.producer.commands.conftest import Operator

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.postgresql import PostgresServer

pytestmark = pytest.mark.slow(reason="needs PostgreSQL")


def test_status_failures_and_a_dry_run_work_where_nothing_may_be_written(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> None:
    name = postgres_server.create(template=postgres_template)
    runtime = Runtime(Settings.model_validate({"data_dir": tmp_path, "database_url": postgres_server.url(name)}))
    harness_of(runtime.database, 3).run_all()
    with runtime.database.engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    runtime.database.dispose()
    with pytest.raises(DBAPIError, match="read-only"), runtime.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM attempts"))

    operator = Operator(runtime=runtime)
    assert operator.json_of("status")["images"] == 6
    assert operator.json_of("failures") == []
    assert operator.json_of("enqueue --dry-run --campaign other")["forecast"]["gpu_hours"] > 0
    runtime.close()
    postgres_server.drop(name)
