from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from db.engine.clock import now
from db.enums import HostState, Stage, WorkerEnd
from db.errors import UnknownHost
from db.jobs.drain import is_drained, set_drained
from db.jobs.lease import begin_on_device
from db.jobs.sweep import return_jobs_of
from db.monitoring.progress import progress
from db.monitoring.worker_registry import deregister_worker, record_heartbeat, register_worker, retire_silent_workers
from db.tables import attempts, leases, workers
from tests.builders import harness_of

if TYPE_CHECKING:
    from db.engine import Database
    from db.monitoring.hosts import HostStatus


def start(database: Database, worker_id: str, host: str) -> None:
    register_worker(database, worker_id=worker_id, host=host, pid=7, device="cuda", stages=list(Stage), threads=2, versions={})


def silence(database: Database, worker_id: str, seconds: float) -> None:
    with database.engine.begin() as connection:
        connection.execute(update(workers).where(workers.c.id == worker_id).values(seen_at=now() - seconds))


def hosts(database: Database) -> dict[str, HostStatus]:
    return {host.host: host for host in progress(database).hosts}


def test_a_host_is_drained_until_that_is_taken_back(database: Database) -> None:
    start(database, "gpu0-1@lab1", "lab1")
    start(database, "gpu0-2@lab2", "lab2")
    assert not is_drained(database, "lab1")

    for _ in range(2):
        set_drained(database, "lab1", drained=True)
        assert is_drained(database, "lab1")
        assert not is_drained(database, "lab2")

    for _ in range(2):
        set_drained(database, "lab1", drained=False)
        assert not is_drained(database, "lab1")


def test_a_drained_host_is_known_when_its_workers_are_forgotten(database: Database) -> None:
    start(database, "gpu0-1@lab1", "lab1")
    set_drained(database, "lab1", drained=True)
    with database.engine.begin() as connection:
        connection.execute(delete(workers))

    assert hosts(database)["lab1"].state is HostState.DRAINED
    set_drained(database, "lab1", drained=False)

    assert not is_drained(database, "lab1")
    with pytest.raises(UnknownHost, match="none has worked here yet"):
        set_drained(database, "lab1", drained=True)


def test_an_unknown_host_is_refused_and_the_known_ones_are_named(database: Database) -> None:
    for number in range(22):
        start(database, f"cpu-{number}@lab{number:02}", f"lab{number:02}")

    with pytest.raises(UnknownHost) as refusal:
        set_drained(database, "lab1", drained=True)

    text = str(refusal.value)
    assert text.startswith("no worker of a host 'lab1' was ever seen: the hosts are lab00, lab01, ")
    assert text.endswith("lab19 and 2 more")


def test_a_heartbeat_is_told_of_its_own_hosts_drain_only(database: Database) -> None:
    start(database, "gpu0-1@lab1", "lab1")
    start(database, "gpu0-2@lab2", "lab2")
    set_drained(database, "lab1", drained=True)

    drained, other = (record_heartbeat(database, name) for name in ("gpu0-1@lab1", "gpu0-2@lab2"))

    assert drained is not None
    assert other is not None
    assert (drained.drained, other.drained) == (True, False)
    assert drained.oldest_code == "2026_11_25_1"
    with database.read() as connection:
        assert abs((connection.scalar(now().select()) or 0.0) - drained.database_now) < 30
    assert record_heartbeat(database, "nobody") is None


def test_hosts_work_drain_and_fall_silent(database: Database) -> None:
    for number in range(1, 5):
        for gpu in (0, 1):
            start(database, f"gpu{gpu}-{number}@lab{number}", f"lab{number}")
    # lab1 works; lab2 is drained while one of its workers is at work
    set_drained(database, "lab2", drained=True)
    deregister_worker(database, "gpu0-2@lab2")
    # lab3 lost its network; lab4 was stopped in good order
    for gpu, seconds in ((0, 200), (1, 100)):
        silence(database, f"gpu{gpu}-3@lab3", seconds)
        deregister_worker(database, f"gpu{gpu}-4@lab4")

    for retired in (False, True):
        if retired:
            assert retire_silent_workers(database, within_seconds=30) == 2
        found = hosts(database)
        assert {name: host.state for name, host in found.items()} == {
            "lab1": HostState.WORKING,
            "lab2": HostState.DRAINING,
            "lab3": HostState.SILENT,
        }
        assert (found["lab1"].workers, found["lab2"].workers, found["lab3"].workers) == (2, 1, 0)
        assert found["lab3"].silent_for == pytest.approx(100, abs=10)
        assert found["lab2"].drained_for == pytest.approx(0, abs=10)
        assert found["lab1"].drained_for is None

    # And when the last worker of lab2 ends, and lab3 is heard again
    deregister_worker(database, "gpu1-2@lab2")
    record_heartbeat(database, "gpu0-3@lab3")

    found = hosts(database)
    assert found["lab2"].state is HostState.DRAINED
    assert (found["lab3"].state, found["lab3"].workers) == (HostState.WORKING, 1)


def test_a_host_whose_supervisor_saw_its_worker_die_is_not_silent(database: Database) -> None:
    start(database, "gpu0-1@lab1", "lab1")
    start(database, "gpu0-2@lab2", "lab2")
    return_jobs_of(database, "gpu0-1@lab1", end=WorkerEnd.CRASHED)
    silence(database, "gpu0-2@lab2", 90_000)

    assert hosts(database) == {}, "one ended before its supervisor's eyes, the other has been away for more than a day"


def test_a_clock_that_is_off_is_told_with_its_sign(database: Database) -> None:
    start(database, "gpu0-1@lab1", "lab1")
    start(database, "gpu1-1@lab1", "lab1")
    assert hosts(database)["lab1"].clock_offset is None

    record_heartbeat(database, "gpu0-1@lab1", clock_offset=-42.0)
    record_heartbeat(database, "gpu1-1@lab1", clock_offset=1.0)

    assert hosts(database)["lab1"].clock_offset == -42.0
    assert [worker.clock_offset for worker in progress(database).workers] == [-42.0, 1.0]


def test_each_device_has_its_own_rate_and_the_host_their_sum(database: Database) -> None:
    harness = harness_of(database, 10)
    for worker, count in (("gpu0-1@lab1", 4), ("gpu1-1@lab1", 2), ("gpu0-2@lab2", 1)):
        start(database, worker, worker.partition("@")[2])
        harness.finish(harness.claim(Stage.CAPTION, limit=count, worker=worker))
    with database.engine.begin() as connection:
        # Two have been up for ten minutes, so they are measured over five; the third for 20 s.
        connection.execute(update(workers).values(started_at=now() - 600))
        connection.execute(update(workers).where(workers.c.id == "gpu0-2@lab2").values(started_at=now() - 20))

    shown = progress(database)

    rates = {worker.id: worker.rates for worker in shown.workers}
    assert rates["gpu0-1@lab1"] == {"caption": pytest.approx(4 / 300)}
    assert rates["gpu1-1@lab1"] == {"caption": pytest.approx(2 / 300)}
    assert rates["gpu0-2@lab2"] == {"caption": pytest.approx(1 / 20, rel=0.3)}
    assert {host.host: host.rates for host in shown.hosts}["lab1"] == {"caption": pytest.approx(6 / 300)}
    with database.engine.begin() as connection:
        connection.execute(update(attempts).values(ended_at=now() - 400))
    assert [worker.rates for worker in progress(database).workers] == [{}, {}, {}]


def test_what_a_worker_does_now_is_named(database: Database) -> None:
    harness = harness_of(database, 10, name="repaints")
    start(database, "gpu0-1@lab1", "lab1")
    start(database, "gpu1-1@lab1", "lab1")
    first = harness.claim(Stage.CAPTION, limit=4, worker="gpu0-1@lab1")
    harness.claim(Stage.CAPTION, limit=2, worker="gpu0-1@lab1")
    assert begin_on_device(database, first.token)
    with database.engine.begin() as connection:
        mine = update(leases).where(leases.c.token == first.token)
        connection.execute(mine.values(claimed_at=now() - 30, started_at=now() - 20))

    busy, idle = progress(database).workers

    assert [(batch.stage, batch.campaign, batch.jobs) for batch in busy.under_way] == [
        ("caption", "repaints", 4),
        ("caption", "repaints", 2),
    ]
    assert busy.under_way[0].held_for == pytest.approx(30, abs=10)
    assert busy.under_way[0].on_device_for == pytest.approx(20, abs=10)
    assert busy.under_way[1].on_device_for is None
    assert (busy.name, idle.name, idle.under_way) == ("gpu0", "gpu1", ())


def test_a_batch_of_a_worker_of_the_version_before_is_shown_without_what_it_does_not_tell(database: Database) -> None:
    harness = harness_of(database, 2)
    start(database, "gpu0-1@lab1", "lab1")
    harness.claim(Stage.CAPTION, worker="gpu0-1@lab1")
    with database.engine.begin() as connection:
        connection.execute(update(leases).values(batch_key=None, size=None))

    ((batch,),) = (worker.under_way for worker in progress(database).workers)

    assert (batch.stage, batch.campaign, batch.jobs) == (None, None, None)
