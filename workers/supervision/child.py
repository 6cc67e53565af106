"""One worker process from its command line to its exit code."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from db.enums import Stage
from db.errors import ParagoneError, ProgramTooOld
from db.logs import LINE_FORMAT, LogFormat, log_json_lines, set_process_fields, tell_error, wanted_format
from db.runtime import Runtime
from db.settings import Settings
from workers.error_log import note_ignored
from workers.identity import new_worker_id
from workers.metrics.worker_metrics import worker_metrics
from workers.process import run_worker
from workers.supervision.child_report import ChildReport
from workers.supervision.exit_codes import ExitCode
from workers.supervision.parent_death import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.observers import WorkObserver


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one worker until it is stopped or idle; returns the exit code."""
    given = _parser().parse_args(arguments)
    _log(given.log_level)
    sys.unraisablehook = note_ignored
    if given.supervised:
        end_with_parent()
    report = ChildReport(given.report_fd)
    try:
        settings = Settings()
        worker_id = given.worker_id or new_worker_id(given.name, settings.host_name)
        set_process_fields(host=settings.host_name, worker=worker_id)
        code = run_worker(
            Runtime(settings),
            name=given.name,
            device=given.device,
            stages=[Stage(name) for name in given.stages.split(",")],
            until_idle=given.until_idle,
            worker_id=worker_id,
            report=report,
            observers=_observers(given),
        )
    except ProgramTooOld as error:
        report.error(str(error))
        tell_error(str(error))
        return ExitCode.TOO_OLD
    except ParagoneError as error:
        report.error(str(error))
        tell_error(str(error))
        return ExitCode.FAILED
    except Exception as error:
        report.error(f"{type(error).__name__}: {error}")
        logging.getLogger(__name__).exception("the worker failed")
        return ExitCode.FAILED
    if code == ExitCode.STOPPED and not given.supervised:
        return ExitCode.DONE  # nobody is there to start it again
    if code == ExitCode.DONE:
        report.finished()
    return code


def _observers(given: argparse.Namespace) -> list[WorkObserver]:
    """Who counts or logs the work of this process."""
    if given.metrics_folder is None:
        return []
    return [worker_metrics(given.metrics_folder, worker=given.name, gpu=os.environ.get("CUDA_VISIBLE_DEVICES", ""))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description="One Paragone worker process; use `paragone work`.")
    parser.add_argument("--name", default="cpu")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--stages", default=",".join(Stage))
    parser.add_argument("--until-idle", action="store_true")
    parser.add_argument("--supervised", action="store_true", help="end when standard input closes")
    parser.add_argument("--worker-id", help="the worker's name in the database and in Celery")
    parser.add_argument("--report-fd", type=int, help="an open pipe for what the supervisor wants to know")
    parser.add_argument("--metrics-folder", type=Path, help="where the supervisor reads the metrics of its workers")
    parser.add_argument("--log-level", default="INFO")
    return parser


def _log(level: str) -> None:
    """Our own packages at the wished level, libraries only when they warn."""
    if wanted_format() is LogFormat.JSON:
        log_json_lines("WARNING")
    else:
        logging.basicConfig(level="WARNING", format=LINE_FORMAT)
    for package in ("db", "workers"):
        logging.getLogger(package).setLevel(level)
