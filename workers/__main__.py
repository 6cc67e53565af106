"""`python -m workers`: one worker process on one device. The supervisor starts it; people use `paragone work`."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from db.enums import Stage
from db.errors import PersistenceError
from db.runtime import Runtime
from db.settings import Settings
from workers.errors import WorkerError
from workers.process import run_worker

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one worker until it is stopped or idle; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers", description="One Paragone worker process; use `paragone work`.")
    parser.add_argument("--name", default="cpu")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--stages", default=",".join(Stage))
    parser.add_argument("--until-idle", action="store_true")
    parser.add_argument("--supervised", action="store_true", help="end when standard input closes")
    parser.add_argument("--log-level", default="INFO")
    given = parser.parse_args(arguments)
    _log(given.log_level)
    if given.supervised:
        threading.Thread(target=_end_with_supervisor, name="supervision", daemon=True).start()
    stages = [Stage(name) for name in given.stages.split(",")]
    try:
        return run_worker(Runtime(Settings()), name=given.name, device=given.device, stages=stages, until_idle=given.until_idle)
    except (PersistenceError, WorkerError) as error:
        sys.stderr.write(f"paragone: {error}\n")
        return 1


def _log(level: str) -> None:
    """Our own packages at the wished level, libraries only when they warn."""
    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for package in ("db", "workers"):
        logging.getLogger(package).setLevel(level)


def _end_with_supervisor() -> None:
    """The pipe closes when the supervisor dies, however it dies: no worker is left behind on a rented GPU."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
