from __future__ import annotations

import subprocess
import sys

#: Loads every command as `paragone --help` does; those whose module is not written yet are passed over.
LOAD_ALL = """
import importlib.util
from importlib.metadata import entry_points
loaded = []
for point in entry_points(group="paragone.commands"):
    if importlib.util.find_spec(point.module):
        loaded.append(point.load().name)
assert len(loaded) > 10, loaded
"""
HEAVY = ("torch", "transformers", "diffusers", "accelerate", "sklearn", "tensorboard")


def _runs(code: str) -> None:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_importing_every_command_loads_no_model_library() -> None:
    _runs(f"import sys\n{LOAD_ALL}\nfound = [name for name in {HEAVY!r} if name in sys.modules]\nassert not found, found")


def test_the_command_line_works_where_no_model_library_can_be_imported() -> None:
    block = f"import sys\nfor name in {HEAVY!r}:\n    sys.modules[name] = None\n"
    _runs(f"{block}{LOAD_ALL}\nimport producer.cli, producer.flower_server, workers.app, workers.notifier")


def test_help_does_not_wait_for_celery_or_flower() -> None:
    ours = LOAD_ALL.replace("if importlib", 'if point.module.startswith("producer.") and importlib')
    slow = ("celery", "flower", "tornado")
    _runs(f"import sys\n{ours}\nfound = [name for name in {slow!r} if name in sys.modules]\nassert not found, found")
