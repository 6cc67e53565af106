"""Packages that shadow Paragone's, each in a real process of its own: what an interpreter has imported cannot be taken back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import paragone

SITE = Path(paragone.__file__).resolve().parent.parent
COMMAND = str(Path(sys.executable).with_name("paragone"))
RUN = "raise SystemExit('what shadows was run')\n"


def _runs(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", ["db", "workers", "producer", "trainer"])
def test_the_command_names_an_installed_package_that_shadows_ours_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "site" / name).mkdir(parents=True)
    (tmp_path / "site" / name / "__init__.py").write_text(RUN)
    done = _runs(COMMAND, "status", cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    found = f"found in {tmp_path / 'site'}, expected in {SITE}"
    expected = f"paragone: another installed package named `{name}` shadows Paragone's: {found}: use an environment without it\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


def test_pythonpath_with_a_dot_and_a_folder_db_is_one_line_too(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/__init__.py").write_text(RUN)
    done = _runs(COMMAND, "status", cwd=tmp_path, PYTHONPATH=".")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert f"another package named `db` shadows Paragone's: found in {tmp_path}" in done.stderr
    assert "work in another directory" in done.stderr


@pytest.mark.parametrize("file", ["trainer/__init__.py", "workers.py"])
def test_python_dash_m_names_what_lies_in_the_working_directory(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(RUN)
    for module in ("paragone", "paragone.__main__"):
        done = _runs(sys.executable, "-m", module, "--version", cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        assert f"shadows Paragone's: found in {tmp_path}" in done.stderr


def test_the_command_does_not_mind_what_lies_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer/__init__.py").write_text(RUN)
    assert _runs(COMMAND, "--version", cwd=tmp_path).returncode == 0
    assert _runs(sys.executable, "-P", "-m", "paragone", "--version", cwd=tmp_path).returncode == 0


def test_an_import_raises_an_import_error_with_that_line(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    (tmp_path / "db/__init__.py").write_text(RUN)
    code = "try:\n    import paragone\nexcept ImportError as error:\n    print(type(error).__name__, error.name, error, sep='; ')"
    done = _runs(sys.executable, "-c", code, cwd=tmp_path)
    assert done.stdout.startswith("ShadowedPackage; db; another package named `db` shadows Paragone's: "), done.stderr
    assert "Traceback" in _runs(sys.executable, "-c", "import paragone", cwd=tmp_path).stderr, "a notebook shows where"


def test_a_package_that_was_imported_before_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "other/trainer").mkdir(parents=True)
    (tmp_path / "other/trainer/__init__.py").write_text("")
    code = "import sys; sys.path.insert(0, 'other'); import trainer; del sys.path[0]; import paragone"
    done = _runs(sys.executable, "-c", code, cwd=tmp_path)
    assert f"ShadowedPackage: another installed package named `trainer` shadows Paragone's: found in {tmp_path / 'other'}" in done.stderr


def test_a_folder_without_init_shadows_where_ours_is_not_found_and_only_there(tmp_path: Path) -> None:
    # Where ours is found, Python itself prefers it to a bare folder.
    (tmp_path / "here/db").mkdir(parents=True)
    assert _runs(sys.executable, "-m", "paragone", "--version", cwd=tmp_path / "here").returncode == 0
    # -S: no installed package at all, so this also shows that the check needs the standard library only.
    shutil.copytree(SITE / "paragone", tmp_path / "site/paragone")
    bare = f"import sys; sys.path[:0] = [{str(tmp_path / 'site')!r}, {str(tmp_path / 'here')!r}]; import paragone"
    done = _runs(sys.executable, "-S", "-c", bare, cwd=tmp_path)
    where = f"found in {tmp_path / 'here'}, expected in {tmp_path / 'site'}"
    assert f"ShadowedPackage: another installed package named `db` shadows Paragone's: {where}" in done.stderr
    # And where nothing is found at all, that is said.
    shutil.rmtree(tmp_path / "here/db")
    assert f"package `db` is missing from {tmp_path / 'site'}" in _runs(sys.executable, "-S", "-c", bare, cwd=tmp_path).stderr
