from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

PYPROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
DECLARED: dict[str, str] = PYPROJECT["project"]["entry-points"]["paragone.commands"]
REGISTERED = {point.name: point for point in entry_points(group="paragone.commands")}

#: Loads all commands as `paragone --help` does; a module or function that is missing raises.
LOAD_ALL = """
from importlib.metadata import entry_points
loaded = [point.load() for point in entry_points(group="paragone.commands")]
"""
HEAVY = ("torch", "transformers", "diffusers", "accelerate", "sklearn", "tensorboard")


def _runs(code: str) -> None:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_exactly_the_commands_of_pyproject_are_registered() -> None:
    assert {name: point.value for name, point in REGISTERED.items()} == DECLARED, "reinstall with `pip install -e .`"


@pytest.mark.parametrize("name", DECLARED)
def test_every_registered_command_loads_under_its_own_name(name: str) -> None:
    assert REGISTERED[name].load().name == name


def test_importing_every_command_loads_no_model_library() -> None:
    _runs(f"import sys\n{LOAD_ALL}\nfound = [name for name in {HEAVY!r} if name in sys.modules]\nassert not found, found")


def test_the_command_line_works_where_no_model_library_can_be_imported() -> None:
    block = f"import sys\nfor name in {HEAVY!r}:\n    sys.modules[name] = None\n"
    _runs(f"{block}{LOAD_ALL}\nimport producer.cli, producer.flower_server, workers.wake_ups.app, workers.wake_ups.notifier")


def test_help_does_not_wait_for_celery_or_flower() -> None:
    ours = LOAD_ALL.replace('"paragone.commands")]', '"paragone.commands") if point.module.startswith("producer.")]')
    slow = ("celery", "flower", "tornado")
    _runs(f"import sys\n{ours}\nassert loaded\nfound = [name for name in {slow!r} if name in sys.modules]\nassert not found, found")
