from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.installation import PARAGONE
from tests.acceptance.pictures import paint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        (["enqueue"], "paragone ingest"),
        (["ingest", "nowhere.csv"], "nowhere.csv"),
        (["work", "--gpus", "7"], "--gpus"),
        (["status", "--campaign", "unheard-of"], "paragone enqueue"),
    ],
)
def test_an_error_is_one_line_on_stderr_that_names_the_cause(embedded: Installation, typed: list[str], names: str) -> None:
    done = embedded.run(*typed)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("paragone: ")
    assert done.stderr.count("\n") == 1
    assert names in done.stderr


@pytest.mark.parametrize(
    "typed", [["unheard-of"], ["work", "--stages", "dream"], ["requeue"], ["demo", "--artworks", "0"], ["compare", "one"]]
)
def test_wrong_use_ends_with_two(embedded: Installation, typed: list[str]) -> None:
    done = embedded.run(*typed)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert "Traceback" not in done.stderr


def test_debug_adds_the_traceback(embedded: Installation) -> None:
    done = embedded.run("--debug", "enqueue")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "NothingRegistered" in done.stderr


def test_a_database_that_can_not_be_reached_and_a_wrong_setting_are_one_line_too(embedded: Installation) -> None:
    away = embedded.on(embedded.directory, PARAGONE_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/art").run("status")
    assert (away.returncode, away.stderr.count("\n")) == (1, 1), away.stderr
    assert "PARAGONE_DATABASE_URL" in away.stderr
    assert "secret" not in away.stderr
    wrong = embedded.on(embedded.directory, PARAGONE_LEASE_SECONDS="soon").run("status")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1), wrong.stderr
    assert "PARAGONE_LEASE_SECONDS" in wrong.stderr


def test_help_lists_every_command_and_brings_no_torch(embedded: Installation) -> None:
    code = (
        "import sys\n"
        "from producer.cli import paragone\n"
        "try:\n    paragone.main(['--help'])\n"
        "finally:\n    assert not {'torch', 'transformers', 'diffusers', 'celery'} & sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=embedded.environment, capture_output=True, text=True, check=True, timeout=60)
    assert embedded.output_of("--help").replace("paragone", "-c") == done.stdout.replace("paragone", "-c")
    listed = {line.split()[0] for line in done.stdout.split("Commands:")[1].splitlines() if line.strip()}
    assert {point.name for point in entry_points(group="paragone.commands")} <= listed


def test_a_stranger_that_shadows_one_of_our_rooms_is_named(embedded: Installation, tmp_path: Path) -> None:
    (tmp_path / "site/trainer").mkdir(parents=True)
    (tmp_path / "site/trainer/__init__.py").write_text("")
    done = embedded.on(embedded.directory, PYTHONPATH=str(tmp_path / "site")).run("status")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"`trainer` shadows Paragone's: found in {tmp_path / 'site'}" in done.stderr


def test_a_folder_named_as_a_room_in_the_working_directory_is_no_stranger(embedded: Installation, tmp_path: Path) -> None:
    for room in ("workers", "trainer", "db"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise SystemExit('a stranger was run')\n")
    paint(tmp_path / "pictures", 1)
    for arguments in (["ingest", "pictures"], ["work", "--gpus", "none", "--until-idle"]):
        done = subprocess.run(
            [PARAGONE, *arguments], env=embedded.environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
