"""The units of deploy/systemd, as systemd itself reads them."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import click
import pytest

from db.settings import Settings
from producer.cli import paragone
from tests.unit.docs.pages import ROOT
from workers.supervision.supervisor import KILL_MARGIN

if TYPE_CHECKING:
    from pathlib import Path

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
INSTALLED = "/opt/paragone/bin/paragone"


def _settings(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tmp_path: Path) -> None:
    # It asks for the program to be there.
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(INSTALLED, "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False, timeout=60)
    # A key that it does not know is only a warning to it. It also looks at other units of the machine.
    assert [line for line in done.stderr.splitlines() if "paragone" in line] == []
    assert done.returncode == 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_a_command_that_paragone_takes(unit: Path) -> None:
    (line,) = _settings(unit, "ExecStart")
    program, name, *words = line.split()
    assert program == INSTALLED
    command = paragone.get_command(click.Context(paragone), name)
    assert command is not None, name
    command.make_context(name, words, resilient_parsing=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_no_root_s_and_reads_the_passwords_from_credentials(unit: Path) -> None:
    assert _settings(unit, "User") == ["paragone"]
    assert _settings(unit, "CapabilityBoundingSet") == [""]
    assert _settings(unit, "NoNewPrivileges") == ["yes"]
    assert _settings(unit, "ProtectSystem") == ["strict"]
    given = {value.split(":")[0] for value in _settings(unit, "LoadCredential")}
    assert set(re.findall(r"_FILE=%d/(\w+)", unit.read_text(encoding="utf-8"))) == given


def test_the_worker_has_its_grace_before_systemd_kills_it() -> None:
    unit = ROOT / "deploy/systemd/paragone-worker.service"
    (grace,) = re.findall(r"PARAGONE_GRACE_SECONDS=(\d+)", unit.read_text(encoding="utf-8"))
    assert float(grace) == Settings.model_fields["grace_seconds"].default
    assert float(*_settings(unit, "TimeoutStopSec")) > float(grace) + KILL_MARGIN
    # SIGTERM to a worker process alone would have its supervisor start another.
    assert _settings(unit, "KillMode") == ["mixed"]
