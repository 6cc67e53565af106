from __future__ import annotations

import threading

import pytest

from db.enums import Stage
from db.errors import DatabaseUnavailable
from db.jobs.batch_keys import Parameters
from db.jobs.claim import Batch, ClaimedJob
from db.jobs.complete import CompletedBatch
from workers.batches.batch_recorder import BatchRecorder
from workers.observers import BatchFacts, BatchPart, Observers


class Clock:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Told:
    """Remembers what it was told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.facts: list[BatchFacts] = []
        self._fails = fails

    def batch_done(self, facts: BatchFacts) -> None:
        if self._fails:
            raise OSError("no room")
        self.facts.append(facts)

    def model_loaded(self, name: str, seconds: float) -> None: ...

    def model_evicted(self, name: str) -> None: ...

    def out_of_memory(self, stage: Stage, batch_size: int) -> None: ...


def batch_of(count: int) -> Batch:
    jobs = tuple(ClaimedJob(job_id=n, job_key=f"k{n}", artwork_id=n, variation_id=None, attempts=0, suspect=False) for n in range(count))
    parameters = Parameters(backend="plain", model="", revision="", dtype="", batch=count, models_directory="", settings={}, picture={})
    names = {"token": "t", "worker_id": "w", "batch_key": "b"}
    return Batch(**names, campaign_id=7, stage=Stage.CAPTION, parameters=parameters, jobs=jobs)


def test_a_part_within_another_is_not_counted_in_the_outer_one() -> None:
    clock = Clock()
    recorder = BatchRecorder(clock=clock)
    recorder.begin()
    with recorder.part(BatchPart.DECODE):
        clock.now += 1
        for _ in range(2):
            with recorder.part(BatchPart.LOAD):
                clock.now += 10
        clock.now += 2
    clock.now += 1000
    with recorder.part(BatchPart.COMMIT):
        clock.now += 5
    assert recorder.seconds == {"decode": 3.0, "load": 20.0, "commit": 5.0}


def test_a_part_that_raises_is_counted_and_left() -> None:
    clock = Clock()
    recorder = BatchRecorder(clock=clock)
    with pytest.raises(OSError, match="full"), recorder.part(BatchPart.ENCODE), recorder.part(BatchPart.STORE):  # noqa: PT012
        clock.now += 4
        raise OSError("full")
    clock.now += 100
    with recorder.part(BatchPart.COMMIT):
        clock.now += 1
    assert recorder.seconds == {"encode": 0.0, "store": 4.0, "commit": 1.0}


def test_each_thread_times_its_own_batch() -> None:
    clock = Clock()
    recorder = BatchRecorder(clock=clock)
    with recorder.part(BatchPart.DEVICE):
        clock.now += 3
        other: list[dict[str, float]] = []
        thread = threading.Thread(target=lambda: other.append(recorder.seconds))
        thread.start()
        thread.join()
    assert other == [{}]
    assert recorder.seconds == {"device": 3.0}
    recorder.begin()
    assert recorder.seconds == {}


def test_the_observers_get_what_became_of_the_batch_and_one_that_fails_disturbs_nobody() -> None:
    clock, told = Clock(), Told()
    recorder = BatchRecorder(Observers([Told(fails=True), told]), campaign_name=lambda number: f"campaign {number}", clock=clock)
    recorder.begin()
    with recorder.part(BatchPart.DEVICE):
        clock.now += 2
    recorder.batch_done(batch_of(5), CompletedBatch(done=frozenset({0, 1, 2}), failed={3: None}, readied=0))
    assert told.facts == [BatchFacts(stage=Stage.CAPTION, campaign="campaign 7", jobs=5, done=3, failed=1, seconds={"device": 2.0})]


def test_a_campaign_is_asked_for_once_and_named_by_its_id_while_the_database_is_away() -> None:
    answers: list[str | Exception] = [DatabaseUnavailable(), "autumn"]

    def ask(_: int) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    recorder = BatchRecorder(campaign_name=ask)
    assert [recorder.name_of(7) for _ in range(3)] == ["7", "autumn", "autumn"]


def test_nobody_asks_for_a_name_where_nobody_observes() -> None:
    def ask(_: int) -> str:
        raise AssertionError

    BatchRecorder(campaign_name=ask).batch_done(batch_of(1), CompletedBatch(done=frozenset(), failed={}, readied=0))
