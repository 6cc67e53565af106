"""A campaign to export, on a database of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.runtime import Runtime
from db.settings import Settings
from tests.builders.exportable import Exportable, exportable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from db.engine import Database


def runtime_on(database: Database, folder: Path) -> Iterator[Runtime]:
    url = database.engine.url.render_as_string(hide_password=False)
    runtime = Runtime(Settings.model_validate({"data_dir": folder / "data", "database_url": url}))
    runtime.initialise()
    yield runtime
    runtime.close()


@pytest.fixture
def runtime(sqlite_database: Database, tmp_path: Path) -> Iterator[Runtime]:
    yield from runtime_on(sqlite_database, tmp_path)


@pytest.fixture
def made(runtime: Runtime) -> Exportable:
    """Twelve artworks, 24 pairs, on SQLite."""
    return exportable(runtime)
