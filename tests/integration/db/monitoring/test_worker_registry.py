from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from db.engine.clock import now
from db.enums import Stage, WorkerEnd
from db.errors import WorkerIdTaken
from db.jobs.sweep import return_jobs_of
from db.monitoring.worker_registry import (
    deregister_worker,
    live_threads,
    live_workers,
    record_heartbeat,
    register_worker,
    retire_silent_workers,
)
from db.tables import workers
from tests.builders import harness_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.engine import Database


def start(database: Database, name: str, stages: Sequence[Stage] = (Stage.CAPTION,), threads: int = 2, pid: int = 42) -> None:
    register_worker(
        database, worker_id=name, host="here", pid=pid, device="cuda:0", stages=stages, threads=threads, versions={"torch": "2"}
    )


def silence(database: Database, name: str, seconds: float) -> None:
    with database.engine.begin() as connection:
        connection.execute(update(workers).where(workers.c.id == name).values(seen_at=now() - seconds))


def names(database: Database) -> list[str]:
    return [worker.id for worker in live_workers(database, within_seconds=30)]


def test_a_registered_worker_is_listed_with_its_facts(database: Database) -> None:
    start(database, "gpu0", [Stage.CAPTION, Stage.GENERATE])

    (worker,) = live_workers(database, within_seconds=30)

    assert (worker.id, worker.host, worker.pid, worker.device, worker.threads) == ("gpu0", "here", 42, "cuda:0", 2)
    assert (worker.stages, worker.versions, worker.trouble, worker.batches) == (("caption", "generate"), {"torch": "2"}, None, 0)
    assert 0 <= worker.silent_for < 30


def test_the_batches_that_a_worker_holds_are_counted(database: Database) -> None:
    harness = harness_of(database, 4)
    start(database, "gpu0")
    start(database, "gpu1")
    for _ in range(2):
        harness.claim(Stage.CAPTION, limit=1, worker="gpu0")

    assert {worker.id: worker.batches for worker in live_workers(database, within_seconds=30)} == {"gpu0": 2, "gpu1": 0}


def test_a_silent_worker_is_not_among_the_living_until_its_next_heartbeat(database: Database) -> None:
    for name in ("gpu1", "gpu0"):
        start(database, name)
    silence(database, "gpu0", 100)
    assert names(database) == ["gpu1"]

    record_heartbeat(database, "gpu0", trouble="slow disk")

    assert names(database) == ["gpu0", "gpu1"]
    assert [worker.trouble for worker in live_workers(database, within_seconds=30)] == ["slow disk", None]
    record_heartbeat(database, "gpu0")
    assert {worker.trouble for worker in live_workers(database, within_seconds=30)} == {None}


@pytest.mark.parametrize("seconds", [100, -3600])
def test_a_worker_that_fell_silent_stays_dead_when_the_clock_passes_its_last_heartbeat_again(database: Database, seconds: float) -> None:
    # Given one that died before the database's clock went back, or a short while ago, and one that lives
    for name in ("gpu0", "gpu1"):
        start(database, name)
    silence(database, "gpu0", seconds)

    # When somebody looks, and the clock is then where it was at that last heartbeat
    assert retire_silent_workers(database, within_seconds=30) == 1
    silence(database, "gpu0", 0)

    # Then it is dead, and was told so once; but it lives if it says so itself
    assert names(database) == ["gpu1"]
    assert retire_silent_workers(database, within_seconds=30) == 0
    record_heartbeat(database, "gpu0")
    assert names(database) == ["gpu0", "gpu1"]


def test_a_dead_worker_does_not_come_to_life_when_the_databases_clock_goes_back(database: Database) -> None:
    start(database, "gpu0")
    silence(database, "gpu0", -3600)

    assert names(database) == []

    record_heartbeat(database, "gpu0")
    assert names(database) == ["gpu0"]


def test_a_worker_that_its_supervisor_saw_die_is_gone_at_once(database: Database) -> None:
    for name in ("gpu0", "gpu1"):
        start(database, name)

    return_jobs_of(database, "gpu0", end=WorkerEnd.CRASHED)

    assert names(database) == ["gpu1"]


def test_a_workers_silence_is_given_in_seconds(database: Database) -> None:
    start(database, "gpu0")
    silence(database, "gpu0", 12)

    (worker,) = live_workers(database, within_seconds=30)

    assert worker.silent_for == pytest.approx(12, abs=3)


def test_a_deregistered_worker_is_gone_until_it_starts_again(database: Database) -> None:
    start(database, "gpu0")
    deregister_worker(database, "gpu0")
    assert names(database) == []

    start(database, "gpu0")

    assert names(database) == ["gpu0"]


def test_threads_are_those_of_living_workers_that_serve_the_stage(database: Database) -> None:
    start(database, "a", [Stage.CAPTION, Stage.PROMPT], threads=3)
    start(database, "b", [Stage.CAPTION], threads=4)
    start(database, "c", [Stage.CAPTION], threads=16)
    silence(database, "c", 100)

    assert live_threads(database, Stage.CAPTION, within_seconds=30) == 7
    assert live_threads(database, Stage.PROMPT, within_seconds=30) == 3
    assert live_threads(database, Stage.GENERATE, within_seconds=30) == 0


def test_a_living_worker_keeps_its_row_when_another_process_has_the_same_id(database: Database) -> None:
    start(database, "gpu0")
    start(database, "gpu0")  # the same process once more

    with pytest.raises(WorkerIdTaken, match="a living worker has the id 'gpu0'"):
        start(database, "gpu0", pid=43)
    assert [worker.pid for worker in live_workers(database, within_seconds=30)] == [42]

    silence(database, "gpu0", 100)
    start(database, "gpu0", pid=43)
    assert [worker.pid for worker in live_workers(database, within_seconds=30)] == [43]


def test_workers_that_have_been_gone_for_a_week_are_forgotten_when_another_registers(database: Database) -> None:
    for name, days in {"old": 8, "late": 6, "alive": 0}.items():
        start(database, name)
        silence(database, name, days * 86400)

    start(database, "new")

    with database.read() as connection:
        assert set(connection.scalars(select(workers.c.id))) == {"late", "alive", "new"}
