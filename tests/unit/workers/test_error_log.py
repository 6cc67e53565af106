from __future__ import annotations

import gc
import logging
import sys
from typing import TYPE_CHECKING

from workers.error_log import MOST, QUIET_SECONDS, ErrorLog, note_ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


def test_what_fails_every_second_is_logged_once_a_minute_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    moment = [0.0]
    log = ErrorLog(logging.getLogger("trial"), clock=lambda: moment[0])
    for _ in range(180):
        log.write("the sweeper failed and will be tried again", ZeroDivisionError("division by zero"))
        moment[0] += 1

    assert [record.getMessage() for record in caplog.records] == ["the sweeper failed and will be tried again"] * 3
    assert all(record.exc_info and record.levelname == "ERROR" for record in caplog.records)


def test_an_error_that_python_ignores_is_one_line(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    def tidying_up() -> Iterator[None]:
        try:
            yield
        finally:
            raise ConnectionError("server closed the connection\n\tThis probably means that it ended")

    monkeypatch.setattr(sys, "unraisablehook", note_ignored)
    under_way = tidying_up()
    next(under_way)
    del under_way
    gc.collect()

    (record,) = caplog.records
    assert record.getMessage().endswith("generator: ConnectionError: server closed the connection This probably means that it ended")
    assert not record.exc_info


def test_errors_that_differ_in_numbers_or_later_lines_are_the_same(caplog: pytest.LogCaptureFixture) -> None:
    log = ErrorLog(logging.getLogger("trial"), clock=lambda: 0.0)
    for number in range(50):
        log.write(f"job {number}: it failed", ValueError(f"row {number} of 50\n{number}"))

    assert len(caplog.records) == 1


def test_different_errors_are_all_told_until_there_are_too_many(caplog: pytest.LogCaptureFixture) -> None:
    moment = [0.0]
    log = ErrorLog(logging.getLogger("trial"), clock=lambda: moment[0])
    log.write("it failed", ValueError("one"))
    log.write("it failed", ValueError("another"))
    log.write("it failed", KeyError("one"))
    assert len(caplog.records) == 3

    for number in range(1000):
        log.write("it failed", ValueError("x" * number))
    assert len(caplog.records) == MOST

    moment[0] += QUIET_SECONDS
    log.write("it failed", ValueError("one"))
    assert len(caplog.records) == MOST + 1
