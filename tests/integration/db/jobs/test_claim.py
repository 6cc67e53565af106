from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select, text, update

from db.engine.clock import now
from db.enums import FailureKind, JobState, Stage
from db.jobs.claim import claim_batch, ready_batches
from db.jobs.control import set_paused
from db.jobs.plan import Selection, plan_campaign
from db.jobs.sweep import sweep
from db.tables import artworks, jobs, leases
from tests.builders import artworks_of, harness_of

if TYPE_CHECKING:
    from db.engine import Database
    from db.jobs.claim import Batch


def test_a_claim_takes_no_more_than_its_limit(database: Database) -> None:
    harness = harness_of(database, 50)

    batch = harness.claim(Stage.CAPTION, limit=8)

    assert len(batch.jobs) == 8
    assert harness.states(Stage.CAPTION) == {"ready": 42, "running": 8}
    assert {row["lease_token"] for row in harness.jobs(Stage.CAPTION, JobState.RUNNING)} == {batch.token}


def test_a_claim_writes_one_lease_that_ends_when_it_should_by_the_databases_clock(database: Database) -> None:
    harness = harness_of(database, 5)

    batch = harness.claim(Stage.CAPTION, worker="gpu0", lease_seconds=300.0)

    (lease,) = harness.rows(leases)
    assert (lease["token"], lease["worker_id"], lease["started_at"]) == (batch.token, "gpu0", None)
    assert lease["expires_at"] - lease["claimed_at"] == pytest.approx(300.0, abs=1.0)
    with database.engine.connect() as connection:
        assert 0 <= float(connection.scalar(select(now() - lease["claimed_at"])) or 0) < 60
        assert abs(float(connection.scalar(select(now())) or 0) - time.time()) < 60


def test_nothing_ready_gives_no_batch_and_no_lease(database: Database) -> None:
    harness = harness_of(database, 2)
    (candidate,) = ready_batches(database, list(Stage))
    harness.run(Stage.CAPTION)

    assert claim_batch(database, worker_id="late", candidate=candidate, limit=8, lease_seconds=60.0) is None
    assert harness.rows(leases) == []
    assert harness.offer(Stage.GENERATE) is None


def test_many_threads_claiming_at_once_never_share_a_job(database: Database) -> None:
    harness = harness_of(database, 300, recaption=False, level={"only": {"backend": "fake-repaint", "strength": 0.5}})
    taken: list[Batch] = []
    start = threading.Barrier(4)

    def work(name: str) -> None:
        start.wait()
        while ready_batches(database, [Stage.CAPTION]):
            batch = harness.offer(Stage.CAPTION, limit=7, worker=name)
            if batch is not None:
                taken.append(batch)

    threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    claims = Counter(job.job_id for batch in taken for job in batch.jobs)
    assert set(claims) == {row["id"] for row in harness.jobs(Stage.CAPTION)}
    assert set(claims.values()) == {1}
    assert max(len(batch.jobs) for batch in taken) == 7
    tokens = {job.job_id: batch.token for batch in taken for job in batch.jobs}
    assert {row["id"]: row["lease_token"] for row in harness.jobs(Stage.CAPTION)} == tokens


def test_the_higher_priority_comes_first_then_the_older_job(database: Database) -> None:
    harness = harness_of(database, 3)
    urgent = artworks_of(database, 2, style="Cubism")
    harness.plan(styles=("Cubism",), priority=5)
    by_age = [row["id"] for row in harness.jobs(Stage.CAPTION)]

    batch = harness.claim(Stage.CAPTION, limit=4)

    assert [job.artwork_id for job in batch.jobs[:2]] == urgent
    assert [job.job_id for job in batch.jobs] == [by_age[3], by_age[4], by_age[0], by_age[1]]


def test_ready_batches_come_with_the_best_priority_first(database: Database) -> None:
    artworks_of(database, 1)
    slow = harness_of(database, name="slow")
    fast = harness_of(database, name="fast", planned=False)
    plan_campaign(database, fast.campaign, Selection(priority=3))

    found = ready_batches(database, [Stage.CAPTION])

    assert [(candidate.campaign_id, candidate.priority) for candidate in found] == [(fast.campaign.id, 3), (slow.campaign.id, 0)]


def test_campaigns_of_equal_priority_come_by_their_numbers_not_by_their_text(database: Database) -> None:
    artworks_of(database, 1)
    for number in range(11):
        harness_of(database, name=f"campaign {number}")

    found = [candidate.campaign_id for candidate in ready_batches(database, list(Stage))]

    assert len(found) == 11
    assert found == sorted(found)


def test_a_worker_is_offered_its_own_stages_only(database: Database) -> None:
    harness = harness_of(database, 2)
    first = harness.claim(Stage.CAPTION, limit=1)
    harness.finish(first)

    assert {candidate.stage for candidate in ready_batches(database, list(Stage))} == {Stage.CAPTION, Stage.PROMPT}
    assert {candidate.stage for candidate in ready_batches(database, [Stage.PROMPT, Stage.GENERATE])} == {Stage.PROMPT}
    assert ready_batches(database, [Stage.GENERATE]) == []


def test_a_job_that_backs_off_is_not_claimed_before_its_time(database: Database) -> None:
    harness = harness_of(database, 2)
    failing = harness.claim(Stage.CAPTION, limit=1)
    harness.fail(failing, FailureKind.TRANSIENT)

    other = harness.claim(Stage.CAPTION)

    assert [job.job_id for job in other.jobs] != [failing.jobs[0].job_id]
    assert len(other.jobs) == 1
    assert harness.offer(Stage.CAPTION) is None
    harness.skip_retry_delays()
    again = harness.claim(Stage.CAPTION)
    assert [(job.job_id, job.attempts) for job in again.jobs] == [(failing.jobs[0].job_id, 1)]


def test_nothing_of_a_paused_batch_key_is_claimed_even_by_a_worker_that_chose_it_before(database: Database) -> None:
    harness = harness_of(database, 2)
    (candidate,) = ready_batches(database, [Stage.CAPTION])

    set_paused(database, harness.campaign.id, Stage.CAPTION, paused=True)

    assert ready_batches(database, list(Stage)) == []
    assert claim_batch(database, worker_id="w", candidate=candidate, limit=8, lease_seconds=60.0) is None
    set_paused(database, harness.campaign.id, None, paused=False)
    assert len(harness.claim(Stage.CAPTION).jobs) == 2


def test_a_batch_holds_jobs_of_one_batch_key_only(database: Database) -> None:
    harness = harness_of(database, 4)
    harness.run(Stage.CAPTION, Stage.PROMPT)

    batches = [harness.claim(Stage.GENERATE, worker=name) for name in ("a", "b")]

    by_id = {row["id"]: row["batch_key"] for row in harness.jobs(Stage.GENERATE)}
    for batch in batches:
        assert {by_id[job.job_id] for job in batch.jobs} == {batch.batch_key}
        assert len(batch.jobs) == 4
    assert {batch.batch_key.rsplit("/", 1)[-1]: batch.parameters.settings["strength"] for batch in batches} == {
        "moderate": 0.5,
        "radical": 0.75,
    }


def test_two_campaigns_never_share_a_batch(database: Database) -> None:
    artworks_of(database, 3)
    one, two = harness_of(database, name="one"), harness_of(database, name="two")

    batch = one.claim(Stage.CAPTION)

    assert len(batch.jobs) == 3
    assert two.states(Stage.CAPTION) == {"ready": 3}


def test_suspects_are_claimed_first_and_alone(database: Database) -> None:
    harness = harness_of(database, 5)
    mates = harness.claim(Stage.CAPTION, limit=2)
    with database.engine.begin() as connection:
        connection.execute(update(leases).values(started_at=now()))
    harness.crash_workers(mates)
    assert ready_batches(database, [Stage.CAPTION])[0].has_suspects

    first, second, rest = (harness.claim(Stage.CAPTION) for _ in range(3))

    assert {job.job_id for job in (*first.jobs, *second.jobs)} == {job.job_id for job in mates.jobs}
    assert [job.suspect for job in (*first.jobs, *second.jobs)] == [True, True]
    assert len(first.jobs) == len(second.jobs) == 1
    assert len(rest.jobs) == 3
    assert not any(job.suspect for job in rest.jobs)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_claim_that_meets_another_goes_on_to_jobs_that_are_free(database: Database) -> None:
    harness = harness_of(database, 6)
    (candidate,) = ready_batches(database, [Stage.CAPTION])
    with database.engine.begin() as slow:
        held = set(slow.scalars(select(jobs.c.id).where(jobs.c.stage == "caption").order_by(jobs.c.id).limit(4).with_for_update()))

        batch = claim_batch(database, worker_id="quick", candidate=candidate, limit=4, lease_seconds=60.0)

    assert batch is not None
    assert len(batch.jobs) == 2
    assert held.isdisjoint(job.job_id for job in batch.jobs)
    assert harness.states(Stage.CAPTION) == {"ready": 4, "running": 2}


def test_a_claimed_job_is_not_swept_while_its_lease_lasts(database: Database) -> None:
    harness = harness_of(database, 3)
    harness.claim(Stage.CAPTION)

    swept = sweep(database, lease_seconds=0.0)

    assert (swept.returned, swept.poisoned) == (0, 0)
    assert harness.states(Stage.CAPTION) == {"running": 3}
    assert len(harness.rows(artworks)) == 3


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_claim_is_one_statement_that_does_not_wait_for_the_disk_and_leaves_the_connection_as_it_was(database: Database) -> None:
    harness = harness_of(database, 4)
    with database.engine.begin() as connection:  # as a server has it whose data matter
        connection.execute(text(f'ALTER DATABASE "{database.engine.url.database}" SET synchronous_commit = on'))
    database.dispose()
    (candidate,) = ready_batches(database, [Stage.CAPTION])
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    batch = claim_batch(database, worker_id="gpu0", candidate=candidate, limit=3, lease_seconds=60)
    event.remove(database.engine, "before_cursor_execute", note)

    assert batch is not None
    assert len(batch.jobs) == 3
    assert len(sent) == 1
    assert "set_config" in sent[0]
    (lease,) = harness.rows(leases)
    assert (lease["token"], lease["size"], lease["batch_key"]) == (batch.token, 3, candidate.batch_key)
    with database.read() as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
