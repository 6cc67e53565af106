from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from db.durations import format_pace
from db.enums import HostState
from db.monitoring.costs import Cost, CostOutlook
from db.monitoring.hosts import HostStatus
from db.monitoring.progress import Progress
from db.monitoring.worker_registry import BatchUnderWay, RegisteredWorker
from producer.status_view import status_view

WORKER = RegisteredWorker(
    id="gpu0@host",
    host="host",
    pid=1,
    device="cuda:0",
    stages=("generate",),
    threads=2,
    versions={},
    silent_for=42.0,
    batches=3,
    trouble=None,
    name="gpu0",
)


def _shown(progress: Progress, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(status_view(progress))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _progress(**facts: object) -> Progress:
    jobs = {
        "caption": {"done": 100_000},
        "prompt": {"done": 90_000, "ready": 110_000},
        "generate": {"waiting": 200_000, "failed": 3},
        "recaption": {},
    }
    defaults: dict[str, object] = {"campaigns": {"run": {"state": "open", "jobs": jobs}}, "jobs": jobs, "images": 12, "workers": ()}
    return Progress(**(defaults | facts))  # type: ignore[arg-type]


def test_the_status_view_fits_a_terminal_of_80_columns_at_a_large_run() -> None:
    lines = _shown(_progress(rates={"caption": 1234.5, "prompt": 0.5, "generate": 0.001})).splitlines()
    (prompt,) = [line for line in lines if line.startswith("prompt")]
    assert "110,000" in prompt
    assert "45 %" in prompt
    assert "30.0/min" in prompt
    assert not any(line.startswith("recaption") for line in lines), "a stage without jobs has no line"
    assert not any("cancelled" in line for line in lines)
    assert len(lines) == 8, "no line is wrapped"


def test_costs_are_shown_with_what_they_rest_on() -> None:
    costs = CostOutlook(
        spent=Cost(gpu_hours=1234.4, disk_bytes=3_200_000_000, money=1481.28),
        left=Cost(gpu_hours=45.67, disk_bytes=1_000_000, money=54.8),
        currency="EUR",
        basis={"caption": "measured in this campaign (300 jobs)", "recaption": "measured in this campaign (300 jobs)"},
        disk_basis="mean of 4000 repaints of this size and format",
    )
    lines = _shown(_progress(costs=costs)).splitlines()
    assert "spent about 1,234 GPU hours, 3.2 GB, money 1,481.28 EUR" in lines
    assert "left  about 45.7 GPU hours, 1.0 MB, money 54.80 EUR" in lines
    assert "      caption, recaption: measured in this campaign (300 jobs)" in lines


def test_cancelled_jobs_have_a_column_only_where_there_are_some() -> None:
    assert "cancelled" in _shown(_progress(jobs={"caption": {"cancelled": 4}}), width=100)


def test_the_status_view_says_how_long_is_left_or_why_it_is_unknown() -> None:
    assert "about 1 h 1 min left at this pace" in _shown(_progress(eta_seconds=3660.0))
    assert "310,000 jobs to do, pace not known yet" in _shown(_progress())
    cut = {"caption": {"failed": 1}, "prompt": {"waiting": 2}}
    assert "2 jobs cannot continue: see below" in _shown(_progress(jobs=cut))
    assert "nothing left to do" in _shown(_progress(jobs={"caption": {"done": 4, "failed": 1}}))


def test_workers_and_what_is_stuck_are_listed() -> None:
    shown = _shown(_progress(workers=(WORKER,), stuck={"backing off [soon]": 1200}))
    assert "host  gpu0    generate  3 batches" in shown
    assert "42 s" in shown
    assert "1,200  backing off [soon]" in shown


@pytest.mark.parametrize(("rate", "shown"), [(0.0, ""), (2.5, "2.5/s"), (0.5, "30.0/min"), (0.001, "3.6/h")])
def test_a_pace_is_shown_in_a_readable_unit(rate: float, shown: str) -> None:
    assert format_pace(rate) == shown


def test_each_device_is_shown_with_its_pace_and_what_it_does_within_80_columns() -> None:
    on_device = BatchUnderWay(stage="generate", campaign="repaints", jobs=8, held_for=44.0, on_device_for=41.0)
    next_one = BatchUnderWay(stage="caption", campaign="repaints", jobs=16, held_for=50.0, on_device_for=None)
    busy = replace(WORKER, host="lab1", rates={"generate": 0.15, "caption": 0.05})
    busy = replace(busy, under_way=(next_one, on_device), silent_for=1.0)
    of_an_earlier_version = replace(
        WORKER, host="lab1", name="gpu1", under_way=(replace(on_device, stage=None, campaign=None, jobs=None),), silent_for=1.0
    )

    lines = _shown(_progress(workers=(of_an_earlier_version, busy))).splitlines()

    (first,) = [line for line in lines if line.startswith("lab1")]
    assert first.split("  ")[0] == "lab1"
    assert "generate x8 of repaints, 44 s (+1)" in first
    assert "12.0/min" in first
    assert "gpu1" in lines[lines.index(first) + 1]
    assert "a batch, 44 s" in lines[lines.index(first) + 1]


def test_hosts_that_need_a_look_are_told_in_words() -> None:
    hosts = (
        HostStatus(host="lab1", state=HostState.WORKING, workers=1, clock_offset=-42.0),
        HostStatus(host="lab2", state=HostState.DRAINING, workers=2, drained_for=3.0, clock_offset=2.0),
        HostStatus(host="lab3", state=HostState.DRAINED, workers=0, drained_for=60.0),
        HostStatus(host="lab4", state=HostState.SILENT, workers=0, silent_for=180.0),
    )

    shown = _shown(_progress(hosts=hosts), width=120)

    assert "the clock of lab1 is 42 s behind the database's" in shown
    assert "the clock of lab2" not in shown
    assert "lab2 is draining: 2 of its workers finish what they hold" in shown
    assert "lab3 is drained: `paragone drain lab3 --undo` lets it work again" in shown
    assert "lab4 is silent for 3 min" in shown
    assert "lab1 is" not in shown.replace("the clock of lab1 is", "")
