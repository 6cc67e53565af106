"""Set-ups that newcomers have, each broken in one way: `paragone doctor` names the cause and says what mends it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from producer.cli import paragone
from tests.integration.broken_set_ups import BROKEN, SECRET, WARNINGS, SetUp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SetUp:
    for name in os.environ:
        if name.startswith(("PARAGONE_", "HF_", "TRANSFORMERS_", "AWS_", "CUDA_")):
            monkeypatch.delenv(name)
    # No file of a container, so that localhost is no reason to warn.
    monkeypatch.setattr("producer.doctor.diagnosis.in_container", lambda _: False)
    return SetUp(
        folder=tmp_path,
        monkeypatch=monkeypatch,
        request=request,
        environment={"PARAGONE_DATA_DIR": str(tmp_path / "data"), "HF_HOME": str(tmp_path / "hf")},
    )


def run(set_up: SetUp) -> tuple[int, list[dict[str, str]]]:
    """The exit code and the checks."""
    with set_up.during:
        result = CliRunner().invoke(paragone, ["doctor", "--json"], env=set_up.environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert SECRET not in result.output
    return result.exit_code, json.loads(result.stdout)["checks"]


@pytest.mark.parametrize(("break_it", "cause", "fix"), [pytest.param(*one, id=one[0].__name__.replace("_", " ")) for one in BROKEN])
def test_a_broken_set_up_is_named_with_its_cause(set_up: SetUp, break_it: Callable[[SetUp], None], cause: str, fix: str) -> None:
    break_it(set_up)

    code, checks = run(set_up)

    expected = "warn" if break_it in WARNINGS else "fail"
    said = [check for check in checks if check["state"] == expected]
    assert any(cause in check["text"] and fix in f"{check['text']} {check['fix']}" for check in said), checks
    assert code == (expected == "fail"), checks


def test_a_set_up_that_works_has_nothing_to_look_at(set_up: SetUp) -> None:
    runtime = set_up.initialised()
    runtime.close()

    code, checks = run(set_up)

    assert code == 0
    assert {check["state"] for check in checks} == {"ok"}, checks


def test_a_whole_set_up_of_servers_works_too(set_up: SetUp) -> None:
    set_up.valkey()
    set_up.initialised(database_url=set_up.postgresql(tables=False)).close()

    code, checks = run(set_up)

    assert code == 0
    assert {check["state"] for check in checks} == {"ok"}, checks
    assert {"clock", "schema", "connections", "store"} <= {check["name"] for check in checks}


def test_an_examination_makes_nothing(set_up: SetUp) -> None:
    run(set_up)

    assert list(set_up.folder.iterdir()) == []


def test_a_mistake_of_a_check_is_a_line_without_its_text_and_the_others_go_on(set_up: SetUp) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    set_up.monkeypatch.setattr("producer.doctor.diagnosis.check_packages", broken)

    code, checks = run(set_up)

    assert code == 1
    assert [check["text"] for check in checks if check["state"] == "fail"] == ["cannot be checked: RuntimeError"]
    assert "database" in {check["name"] for check in checks}


def test_people_read_a_page_that_ends_with_the_count(set_up: SetUp) -> None:
    set_up.set(PARAGONE_TREADS="3")
    result = CliRunner().invoke(paragone, ["doctor"], env=set_up.environment)

    assert "warn  settings" in result.output
    assert "fix: did you mean PARAGONE_THREADS?" in result.output
    assert result.output.splitlines()[-1].startswith("0 failed, 1 to look at, ")


def test_an_old_database_file_is_migrated_by_the_next_command(set_up: SetUp) -> None:
    runtime = set_up.initialised()
    with runtime.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2026_11_23'"))
    runtime.close()

    _, checks = run(set_up)

    assert [check["state"] for check in checks if check["name"] == "schema"] == ["ok"]
