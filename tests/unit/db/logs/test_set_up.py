"""A process that logs JSON lines, whatever it is that writes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

SCRIPT = """
import logging, sys, threading, warnings
from db.logs import log_json_lines
old = logging.StreamHandler()
logging.getLogger().addHandler(old)
log_json_lines("WARNING")
log_json_lines("WARNING")
{body}
"""


def lines_of(body: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(body=body)], capture_output=True, text=True, check=False, timeout=60)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_records_of_libraries_come_out_once_as_json() -> None:
    lines = lines_of(
        "from celery.utils.log import get_task_logger\n"
        "get_task_logger('paragone.some').warning('from %s', 'celery')\n"
        "logging.getLogger('sqlalchemy.pool').error('from sqlalchemy')\n"
        "logging.getLogger('flower.events').error('from flower')\n"
        "logging.getLogger('kombu').info('too low')\n"
    )
    assert [line["message"] for line in lines] == ["from celery", "from sqlalchemy", "from flower"]
    assert {line["host"] for line in lines} == {socket.gethostname()}


def test_warnings_prints_and_a_librarys_own_handler_come_out_as_json() -> None:
    lines = lines_of(
        "warnings.warn('soon gone')\n"
        "print('a plain print', file=sys.stderr)\n"
        "own = logging.getLogger('transformers')\n"
        "own.addHandler(logging.StreamHandler())\n"
        "own.propagate = False\n"
        "own.warning('of its own handler')\n"
    )
    assert [line["logger"] for line in lines] == ["py.warnings", "stderr", "stderr"]
    assert "UserWarning: soon gone" in lines[0]["message"]
    assert [line["message"] for line in lines[1:]] == ["a plain print", "of its own handler"]


def test_an_error_that_nobody_catches_is_one_line_in_any_thread() -> None:
    lines = lines_of("threading.Thread(target=lambda: 1 / 0, name='odd').start()\nraise LookupError('lost')")
    found = {line["message"]: line["exception"] for line in lines}
    assert found.keys() == {"the thread odd ended: division by zero", "LookupError: lost"}
    assert "ZeroDivisionError" in found["the thread odd ended: division by zero"]


def test_a_stack_dump_goes_to_the_real_standard_error() -> None:
    assert (
        subprocess.run(
            [sys.executable, "-c", SCRIPT.format(body="import faulthandler; faulthandler.dump_traceback()")],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stderr.count("Current thread")
        == 1
    )
