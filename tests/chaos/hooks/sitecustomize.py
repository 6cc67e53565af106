"""Imported by every Python process of a chaos run at its start (PYTHONPATH leads here): the faults that only the inside can cause.

A host's clock that steps, a store that is slow, a crash right after a blob was written, a backend that fails once. Each does nothing
until a control file asks for it (`tests/chaos/controls.py`). Mutants of the product are switched on here too.
"""

from __future__ import annotations

import builtins
import importlib
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

HERE = os.environ.get("CHAOS_CONTROLS", "")
HOST = os.environ.get("CHAOS_HOST", "")
STORE = os.environ.get("CHAOS_STORE", "")
#: Seconds between two looks at a lasting order.
LOOK_SECONDS = 0.2


class Lasting:
    """A number that holds for as long as its control file lies there."""

    def __init__(self, name: str, host: str) -> None:
        self._path = f"{HERE}/{name}.{host}"
        self._value = 0.0
        self._looked = -LOOK_SECONDS

    def value(self) -> float:
        """The number now; 0 without a file."""
        moment = time.monotonic()
        if moment - self._looked >= LOOK_SECONDS:
            self._looked = moment
            try:
                self._value = float(Path(self._path).read_text())
            except (OSError, ValueError):
                self._value = 0.0
        return self._value


def taken(name: str) -> str | None:
    """The text of a one-time order, for the first process that asks."""
    path = Path(f"{HERE}/{name}.{HOST}")
    try:
        text = path.read_text()
        path.unlink()
    except OSError:
        return None
    return text


def _step_clocks() -> None:
    """The host's clock by its own control file; SQLite's clock, which is that of the one machine, by another."""
    own, database, true = Lasting("clock", HOST), Lasting("database-clock", "all"), time.time
    time.time = lambda: true() + own.value()
    module: Any = sqlite3
    connect = module.connect

    def stepped(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.create_function("julianday", 1, lambda _now: (true() + database.value()) / 86400.0 + 2440587.5)
        return connection

    module.connect = module.dbapi2.connect = stepped


def _disturb_store() -> None:
    """What touches files of the store: slow while asked, and once the end of the process right after a blob came to be."""
    slow, replace, plain_open, low_open = Lasting("slow-store", HOST), os.replace, builtins.open, os.open

    def replaced(source: Any, target: Any, **named: Any) -> None:
        replace(source, target, **named)
        if os.fspath(target).startswith(("blobs/", f"{STORE}/blobs/")) and taken("crash-after-put") is not None:
            os.kill(os.getpid(), signal.SIGKILL)

    def opened(file: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(file, str | os.PathLike) and os.fspath(file).startswith(STORE) and (pause := slow.value()):
            time.sleep(pause)
        return plain_open(file, *arguments, **named)

    def opened_below(path: Any, *arguments: Any, **named: Any) -> int:
        if named.get("dir_fd") is not None and (pause := slow.value()):
            time.sleep(pause)
        return low_open(path, *arguments, **named)

    module: Any = os
    module.replace, module.open, builtins.open = replaced, opened_below, opened


def _disturb_backends(fakes: Any) -> None:
    """Once, the backend of a batch fails in the way that the order names."""
    simulate = fakes._simulate

    def simulated(keys: Any, seconds: float, faults: Any) -> None:
        simulate(keys, seconds, faults)
        if (kind := taken("backend")) is not None:
            fakes._strike(fakes.InjectedFaultKind(kind), len(keys))

    fakes._simulate = simulated


def _do_nothing(runners: Any) -> None:
    """The stages of `workers.stages.fakes` in place of the real ones: everything around a stage's own work, and nothing else."""
    fakes = importlib.import_module("workers.stages.fakes")
    runners.STAGE_RUNNERS.update(fakes.FAKE_STAGE_RUNNERS)


if HERE:
    sys.path.insert(0, str(Path(__file__).parent))
    after_import, mutants = (importlib.import_module(name) for name in ("after_import", "mutants"))
    _step_clocks()
    _disturb_store()
    after_import.call("workers.backends.fakes", _disturb_backends)
    if os.environ.get("CHAOS_FAKE_STAGES"):
        after_import.call("workers.stages.runners", _do_nothing)
    for name in filter(None, os.environ.get("CHAOS_MUTANTS", "").split(",")):
        mutants.switch_on(name)
