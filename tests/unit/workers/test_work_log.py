from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from db.enums import Stage
from workers.observers import BatchFacts
from workers.work_log import MOST_COUNTED, WorkLog

if TYPE_CHECKING:
    import pytest


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def facts(stage: Stage, *, done: int, failed: int = 0, device: float = 0.0) -> BatchFacts:
    return BatchFacts(stage=stage, campaign="spring", jobs=done + failed, done=done, failed=failed, seconds={"device": device})


def test_a_summary_tells_what_was_done_since_the_last_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    log = WorkLog(left=lambda: 1204, clock=clock)
    log.batch_done(facts(Stage.GENERATE, done=6, failed=2, device=30.0))
    log.batch_done(facts(Stage.CAPTION, done=52, device=24.0))
    clock.now += 60
    log.summarize()

    assert caplog.messages == [
        "in 60 s: caption 52 done, generate 6 done and 2 failed; 1.0 jobs/s in batches of 30.0, device busy 90 %; 1,204 left"
    ]
    record = vars(caplog.records[0])
    assert record["jobs"] == {"caption": {"done": 52, "failed": 0}, "generate": {"done": 6, "failed": 2}}
    assert (record["done"], record["failed"], record["rate"], record["busy"], record["left"]) == (58, 2, 1.0, 0.9, 1204)

    # The next minute begins at nothing
    log.batch_done(facts(Stage.CAPTION, done=3))
    clock.now += 30
    log.summarize()
    assert caplog.messages[1].startswith("in 30 s: caption 3 done; 0.1 jobs/s in batches of 3.0, device busy 0 %")


def test_a_minute_in_which_nothing_happened_is_not_told_and_nothing_is_counted_for_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked: list[int] = []

    def left() -> int:
        asked.append(1)
        return 0

    log = WorkLog(left=left)
    log.summarize()
    assert (caplog.messages, asked) == ([], [])


def test_what_nobody_can_count_is_left_out_and_what_is_too_much_is_not_counted_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for left in (None, MOST_COUNTED + 1):
        log = WorkLog(left=lambda found=left: found)  # type: ignore[misc]
        log.batch_done(facts(Stage.PROMPT, done=1))
        log.summarize()
    assert caplog.messages[0].endswith("%")
    assert caplog.messages[1].endswith("%; more than 10,000 left")


def test_the_last_line_tells_of_the_whole_life(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    log = WorkLog(clock=clock)
    log.model_loaded("blip2", 12.5)
    log.model_loaded("sdxl", 40.0)
    log.model_evicted("blip2")
    log.out_of_memory(Stage.GENERATE, 4)
    log.batch_done(facts(Stage.GENERATE, done=7, failed=1, device=2700.0))
    clock.now += 3600
    log.summarize()
    caplog.clear()
    log.end("asked to stop")
    said = "worked for 1 h, asked to stop: generate 7 done and 1 failed; 0.0 jobs/s in batches of 8.0, device busy 75 %"
    assert caplog.messages == [f"{said}; 2 models loaded, 1 unloaded to make room, out of memory 1 time"]


def test_a_full_device_and_a_model_that_leaves_are_told_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = WorkLog()
    log.out_of_memory(Stage.GENERATE, 4)
    log.model_evicted("blip2")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "out of memory at generate: 4 together were too many"),
        ("INFO", "unloaded blip2 to make room"),
    ]


def test_a_worker_that_did_nothing_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    log = WorkLog(clock=clock)
    clock.now += 75
    log.end("asked to stop")
    assert caplog.messages == ["worked for 1 min 15 s, asked to stop: no batch was finished"]
