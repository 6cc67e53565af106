"""Exit codes and errors of the command line, its entry point called in this process."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest

import producer.cli
from producer.errors import NothingRegistered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    stdout: str
    stderr: str


class CommandLine:
    """Calls what the installed command calls, with an environment and standard streams of its own."""

    def __init__(self, main: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._main = main
        self._monkeypatch = monkeypatch
        self._capture = capture

    def run(self, *arguments: str, **environment: str) -> Finished:
        """Run one command to its end; with --debug, an error is raised as it is."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(sys, "argv", ["paragone", *arguments])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            self._main()
        printed = self._capture.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Finished(exit_code=code, stdout=printed.out, stderr=printed.err)


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a machine where nothing but the data directory is configured."""
    for name in os.environ:
        if name.startswith("PARAGONE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PARAGONE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "error")  # set by the entry point too: undone with the test here
    (point,) = entry_points(group="console_scripts", name="paragone")
    return CommandLine(point.load(), monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["enqueue"], "paragone ingest"),
        (["ingest", "nowhere.csv"], "nowhere.csv"),
        (["work", "--gpus", "7"], "--gpus"),
        (["status", "--campaign", "unknown"], "paragone enqueue"),
    ],
    ids=["enqueue", "ingest", "work", "status"],
)
def test_an_error_is_one_line_on_stderr_that_names_the_cause(command_line: CommandLine, arguments: list[str], cause: str) -> None:
    done = command_line.run(*arguments)
    assert (done.exit_code, done.stdout) == (1, ""), done.stderr
    assert done.stderr.startswith("paragone: ")
    assert done.stderr.count("\n") == 1
    assert cause in done.stderr


@pytest.mark.parametrize(
    "arguments", [["unknown"], ["work", "--stages", "dream"], ["requeue"], ["demo", "--artworks", "0"], ["compare", "one"]], ids=" ".join
)
def test_wrong_use_ends_with_two(command_line: CommandLine, arguments: list[str]) -> None:
    done = command_line.run(*arguments)
    assert (done.exit_code, done.stdout) == (2, ""), done.stderr
    assert done.stderr


def test_debug_lets_the_error_through_with_its_traceback(command_line: CommandLine) -> None:
    with pytest.raises(NothingRegistered):
        command_line.run("--debug", "enqueue")


def test_an_unreachable_database_is_one_line_without_the_password(command_line: CommandLine) -> None:
    done = command_line.run("status", PARAGONE_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/art")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "PARAGONE_DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr


def test_a_wrong_setting_is_one_line_that_names_its_variable(command_line: CommandLine) -> None:
    done = command_line.run("status", PARAGONE_LEASE_SECONDS="soon")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "PARAGONE_LEASE_SECONDS" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "cause"),
    [
        ("PARAGONE_DATA_DIR", "", "PARAGONE_DATA_DIR: is empty"),
        ("PARAGONE_DATA_DIR", "/etc/hostname", "/etc/hostname is a file"),
        ("PARAGONE_DATA_DIR", "/proc/none/such", "/proc/none/such cannot be made"),
        ("PARAGONE_DATA_DIR", "~nosuchuser/x", "~nosuchuser/x cannot be used"),
        ("PARAGONE_DATABASE_URL", "postgresql://us@er:hunter2@host/art", "must be percent-encoded"),
        ("PARAGONE_DATABASE_URL", "postgresql://us:hunter2/x@host/art", "must be percent-encoded"),
        ("PARAGONE_DATABASE_URL", "postgresql://host:5432,other:5433/art", "names two hosts"),
        ("PARAGONE_LEASE_SECONDS", "2", "settings that cannot be used: PARAGONE_LEASE_SECONDS (2) must be at least 3 times"),
    ],
)
def test_what_cannot_work_is_one_line_of_every_command(command_line: CommandLine, variable: str, value: str, cause: str) -> None:
    for command in ("status", "init", "work"):
        done = command_line.run(command, **{variable: value})

        assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
        assert cause in done.stderr
        assert "hunter2" not in done.stderr


@pytest.mark.parametrize("place", ["read_settings", "Runtime", "_log"])
def test_an_interrupted_command_ends_with_130_and_no_traceback(
    command_line: CommandLine, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(producer.cli, place, interrupted)
    done = command_line.run("status")

    assert (done.exit_code, done.stdout, done.stderr.strip()) == (130, "", "")


def test_a_reader_that_has_gone_is_no_error_to_talk_about() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "paragone", "--help"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)

    assert done.stderr == b""


def test_help_lists_every_command(command_line: CommandLine) -> None:
    done = command_line.run("--help")
    listed = {line.split()[0] for line in done.stdout.split("Commands:")[1].splitlines() if line.strip()}
    assert done.exit_code == 0
    assert {point.name for point in entry_points(group="paragone.commands")} <= listed
