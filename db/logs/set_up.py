"""Setting up JSON lines for a whole process: every logger, warnings, errors that nobody caught, and what is merely printed."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

from db.logs.context import set_process_fields
from db.logs.line_writer import JsonLineHandler, LineWriter, PrintedLines

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger("paragone")


def log_json_lines(level: str | int) -> None:
    """From now on everything on this process's standard error is a JSON object a line; `level` is that of loggers without their own.

    Whatever handlers the root logger had are replaced: records of Celery, SQLAlchemy and Flower come here too.
    """
    writer = json_writer() or LineWriter(sys.stderr)
    logging.basicConfig(level=level, handlers=[JsonLineHandler(writer)], force=True)
    logging.captureWarnings(capture=True)
    sys.stderr = PrintedLines(writer)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    set_process_fields(host=os.environ.get("PARAGONE_HOST") or socket.gethostname())


def json_writer() -> LineWriter | None:
    """Where this process writes its JSON lines; None if it logs text."""
    return sys.stderr.writer if isinstance(sys.stderr, PrintedLines) else None


def tell_error(message: str) -> None:
    """The one line with which a command ends that failed."""
    if json_writer() is None:
        sys.stderr.write(f"paragone: {message}\n")
    else:
        logger.error("%s", message)


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logger.critical("%s: %s", kind.__name__, error, exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
    name = caught.thread.name if caught.thread else "?"
    if caught.exc_value is not None and not isinstance(caught.exc_value, SystemExit):
        logger.error("the thread %s ended: %s", name, caught.exc_value, exc_info=caught.exc_value)
