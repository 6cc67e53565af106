from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from db.engine import connect, migrations
from db.engine.schema import check_schema, migrate
from db.errors import BadConfiguration, DatabaseUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_a_server_that_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    database = connect(f"postgresql+psycopg://nobody@/nothing?host={tmp_path}")

    with pytest.raises(DatabaseUnavailable, match="does not answer") as trouble:
        check_schema(database)

    assert "PARAGONE_DATABASE_URL" in str(trouble.value)
    assert "\n" not in str(trouble.value)


def test_a_file_that_is_no_database_is_refused_as_such(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes\n" * 100)

    with pytest.raises(BadConfiguration, match=r"notes\.txt is not a database"):
        check_schema(connect(f"sqlite:///{path}"))


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match=f"{tmp_path} cannot be opened .unable to open"):
        check_schema(connect(f"sqlite:///{tmp_path}"))


def test_a_program_whose_path_holds_a_percent_sign_migrates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "50%s"
    shutil.copytree(migrations._MIGRATIONS, installed)
    monkeypatch.setattr(migrations, "_MIGRATIONS", installed)
    database = connect(f"sqlite:///{tmp_path / 'paragone.sqlite'}")

    migrate(database)

    check_schema(database)
    database.dispose()
