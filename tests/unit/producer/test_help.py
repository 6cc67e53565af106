from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from producer.cli import paragone

if TYPE_CHECKING:
    import click

WIDTH = 80
#: `paragone --help` shows names and short helps side by side; a longer one would be cut on a terminal of 80 columns.
LONGEST_SHORT_HELP = 50
COMMANDS = entry_points(group="paragone.commands").names


def _command(name: str) -> click.Command:
    (point,) = entry_points(group="paragone.commands", name=name)
    command: click.Command = point.load()
    return command


def _help(command: click.Command, name: str) -> list[str]:
    result = CliRunner().invoke(command, ["--help"], prog_name=name, env={"COLUMNS": str(WIDTH)})
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_the_list_of_commands_shows_every_short_help_uncut() -> None:
    lines = _help(paragone, "paragone")
    for name in COMMANDS:
        assert any(line.split() == [name, *(_command(name).short_help or "").split()] for line in lines), (name, lines)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_short_help_of_one_short_line(name: str) -> None:
    short_help = _command(name).short_help
    assert short_help, f"`paragone {name}` needs @click.command(short_help=...)"
    assert len(short_help) <= LONGEST_SHORT_HELP


@pytest.mark.parametrize("name", ["", *sorted(COMMANDS)])
def test_every_line_of_help_fits_80_columns(name: str) -> None:
    lines = _help(_command(name), f"paragone {name}") if name else _help(paragone, "paragone")
    assert [line for line in lines if len(line) > WIDTH] == []
