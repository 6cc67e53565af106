from __future__ import annotations

import math
import os
import threading
import time

from workers.supervision.child_report import ChildReport, ReportReader
from workers.time_limit import TimeLimit


def test_what_a_worker_tells_reaches_its_supervisor() -> None:
    reader, file = ReportReader.pipe()
    report = ChildReport(file)
    reader.read()
    assert (reader.began, reader.finished, reader.deadline, reader.error) == (False, False, math.inf, "")

    report.began()
    report.deadline(12.5)
    report.error("the database\nis   away")
    reader.read()
    report.finished()
    os.close(file)
    reader.close()

    assert (reader.began, reader.finished, reader.deadline, reader.error) == (True, True, 12.5, "the database is away")


def test_a_supervisor_that_does_not_read_holds_up_nobody() -> None:
    reader, file = ReportReader.pipe()
    report = ChildReport(file)

    def tell() -> None:
        for number in range(20_000):
            report.deadline(float(number))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    teller.join(30)

    assert not teller.is_alive()
    os.close(file)
    reader.close()


def test_a_line_that_comes_in_two_parts_is_one() -> None:
    reader, file = ReportReader.pipe()
    os.write(file, b"beg")
    reader.read()
    assert not reader.began
    os.write(file, b"an\nnonsense\ndeadline soon\n")
    reader.read()
    assert reader.began
    os.close(file)
    reader.close()


def test_without_a_supervisor_nothing_is_told() -> None:
    ChildReport().began()


def test_a_supervisor_that_is_gone_is_no_trouble() -> None:
    reader, file = ReportReader.pipe()
    reader.close()
    ChildReport(file).finished()
    os.close(file)


def test_a_time_limit_tells_when_it_runs_out() -> None:
    told: list[float] = []
    limit = TimeLimit(look_seconds=0.05, on_set=told.append)

    with limit.of(100.0):
        assert abs(told[0] - time.monotonic() - 100.0) < 5
    deadline = time.monotonic() + 20
    while told[-1] != math.inf and time.monotonic() < deadline:
        time.sleep(0.01)

    assert told[-1] == math.inf
