"""Proofs that need the installed command and processes of their own; `tests/integration/test_command_line.py` has the rest."""

from __future__ import annotations

import subprocess
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from tests.acceptance.installation import PARAGONE
from tests.acceptance.sample_images import write_images

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.installation import Installation


def test_the_installed_command_lists_every_command(embedded_installation: Installation) -> None:
    printed = embedded_installation.output_of("--help")
    listed = {line.split()[0] for line in printed.split("Commands:")[1].splitlines() if line.strip()}
    assert {point.name for point in entry_points(group="paragone.commands")} <= listed


def test_the_installed_command_prints_an_error_as_one_line_and_exits_with_one(embedded_installation: Installation) -> None:
    done = embedded_installation.run("enqueue")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("paragone: ")
    assert done.stderr.count("\n") == 1


def test_a_package_that_shadows_one_of_ours_is_named(embedded_installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "site/trainer").mkdir(parents=True)
    (tmp_path / "site/trainer/__init__.py").write_text("")
    shadowed = embedded_installation.on(embedded_installation.directory, PYTHONPATH=str(tmp_path / "site"))
    done = shadowed.run("status")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"`trainer` shadows Paragone's: found in {tmp_path / 'site'}" in done.stderr


def test_folders_named_as_our_packages_in_the_working_directory_are_not_imported(
    embedded_installation: Installation, tmp_path: Path
) -> None:
    for package in ("workers", "trainer", "db"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('a shadowing package was imported')\n")
    write_images(tmp_path / "originals", 1)
    environment = embedded_installation.environment
    for arguments in (["ingest", "originals"], ["work", "--gpus", "none", "--until-idle"]):
        command = [PARAGONE, *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
