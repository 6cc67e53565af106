"""Whether the database answers and has this program's tables, and what it says of the fleet."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from db.engine import connect, display_url
from db.engine.schema import check_schema, current_revision
from db.errors import DatabaseUnavailable, NotInitialised
from db.monitoring.health import HealthFacts, read_health_facts
from producer.health.check import failed, passed, warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine import Database
    from db.runtime import Runtime
    from producer.health.check import HealthCheck

DATABASE = "database"
#: Of an embedded database that the first command will make.
NOTHING_YET = HealthFacts(store_id=None, workers=(), models=(), work_left=False, quiet_seconds=None)


@contextmanager
def opened(runtime: Runtime, timeout_seconds: float) -> Iterator[Database]:
    """A connection of the check's own, which waits for nothing longer than that; raises `BadConfiguration`."""
    settings = runtime.settings
    limit = max(1.0, min(timeout_seconds, settings.database_timeout_seconds))
    database = connect(settings.sqlalchemy_url, timeout_seconds=limit, connections=1)
    try:
        yield database
    finally:
        database.dispose()


def check_database(runtime: Runtime, timeout_seconds: float) -> tuple[HealthCheck, HealthFacts | None]:
    """How the database is, and what it says of the fleet where it can be asked. Makes and migrates nothing.

    Raises:
        BadConfiguration: the URL cannot work.
    """
    shown = display_url(runtime.settings.sqlalchemy_url)
    absent = missing_file(runtime)
    if absent is not None:
        return absent, NOTHING_YET if runtime.embedded_database else None
    with opened(runtime, timeout_seconds) as database:
        try:
            check_schema(database)
            facts = read_health_facts(database, alive_within_seconds=runtime.settings.alive_within_seconds)
            return passed(DATABASE, f"{shown} answers, schema {current_revision(database)}"), facts
        except DatabaseUnavailable as error:
            return failed(DATABASE, str(error)), None
        except NotInitialised as error:
            if runtime.embedded_database:
                return warned(DATABASE, f"{error}; any other command does that by itself"), None
            return failed(DATABASE, str(error)), None


def missing_file(runtime: Runtime) -> HealthCheck | None:
    """What is to be said of an SQLite file that is not there; None if it is, or it is a server."""
    url = runtime.settings.sqlalchemy_url
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:" or Path(url.database).exists():
        return None
    if runtime.embedded_database:
        return passed(DATABASE, f"{url.database} is not there yet: the first command makes it")
    return failed(DATABASE, f"{url.database} is not there", "run `paragone init`, or correct PARAGONE_DATABASE_URL")
