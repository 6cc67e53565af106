from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from db.enums import FailureKind, Stage
from db.jobs.control import set_paused
from db.jobs.tables import attempts, jobs
from db.monitoring import attempt_tally, queue_facts
from db.monitoring.attempt_tally import AttemptTally, EndedAttempts
from db.monitoring.queue_facts import count_images, oldest_claimable, read_queue_facts
from tests.builders import harness_of

if TYPE_CHECKING:
    import pytest

    from db.engine import Database
    from db.monitoring.queue_facts import QueueFacts
    from tests.builders import CampaignHarness


def facts(database: Database, tally: AttemptTally | None = None) -> QueueFacts:
    return read_queue_facts(database, workers_within=30.0, tally=tally or AttemptTally())


def age(harness: CampaignHarness, job_id: int, seconds: float) -> None:
    with harness.database.engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(changed_at=jobs.c.changed_at - seconds))


def let_settle(harness: CampaignHarness) -> None:
    """As if all attempts had ended a while ago."""
    with harness.database.engine.begin() as connection:
        connection.execute(update(attempts).values(ended_at=attempts.c.ended_at - 60))


def test_jobs_failures_leases_and_images_are_counted_by_campaign(database: Database) -> None:
    # Given two captions of three that failed for good, one in work, and another campaign that is done
    harness, other = harness_of(database, 3, name="first"), harness_of(database, name="second")
    other.run_all()
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    harness.claim(Stage.CAPTION, limit=1)

    found = facts(database)

    first, second = harness.campaign.id, other.campaign.id
    assert found.campaigns == {first: "first", second: "second"}
    assert found.jobs[first]["caption"] == {"running": 1, "failed": 2}
    assert found.jobs[second]["caption"] == {"done": 3}
    assert found.failed == {(first, "input"): 2}
    assert (found.leases.held, found.leases.on_device, found.leases.expired) == (1, 0, 0)
    assert count_images(database) == {second: sum(len(other.jobs(stage)) for stage in [Stage.GENERATE])}


def test_the_oldest_ready_job_is_found_among_those_that_are_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = harness_of(database, 3)
    ids = [row["id"] for row in harness.jobs(Stage.CAPTION)]
    key = (harness.campaign.id, "caption")
    age(harness, ids[2], 1000)
    assert 1000 <= facts(database).oldest_ready[key] < 1100

    # What is far behind costs nothing, and is seen when its turn comes near.
    monkeypatch.setattr(queue_facts, "_OLDEST", oldest_claimable(among=2))
    assert facts(database).oldest_ready[key] < 100
    harness.claim(Stage.CAPTION, limit=1)
    assert facts(database).oldest_ready[key] >= 1000


def test_a_paused_stage_has_no_oldest_job_and_is_told(database: Database) -> None:
    harness = harness_of(database, 2)
    key = (harness.campaign.id, "caption")
    assert facts(database).paused[key] is False
    set_paused(database, harness.campaign.id, Stage.CAPTION, paused=True)
    found = facts(database)
    assert found.paused[key] is True
    assert found.oldest_ready == {}


def test_attempts_are_counted_once_and_only_those_that_ended_since_the_first_reading(database: Database) -> None:
    harness = harness_of(database, 4)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    let_settle(harness)
    tally = AttemptTally()
    facts(database, tally)
    assert tally.totals == {}

    harness.finish(harness.claim(Stage.CAPTION, limit=2))
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.DEGENERATE)
    facts(database, tally)
    assert tally.totals == {}, "what has just ended may have older mates that are not committed yet"
    let_settle(harness)
    for _ in range(2):
        facts(database, tally)
    mine: dict[str, Any] = {"campaign_id": harness.campaign.id, "stage": "caption"}
    assert tally.totals == {
        EndedAttempts(**mine, outcome="done", kind=None): 2,
        EndedAttempts(**mine, outcome="failed", kind="degenerate"): 1,
    }


def test_after_a_long_pause_attempts_are_counted_piece_by_piece(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert attempt_tally.MOST_AT_ONCE >= 100_000
    harness = harness_of(database, 5)
    tally = AttemptTally()
    facts(database, tally)
    harness.run(Stage.CAPTION)
    let_settle(harness)
    monkeypatch.setattr(attempt_tally, "_UPPER", attempt_tally.upper_bound(most=2))
    seen = []
    for _ in range(4):
        facts(database, tally)
        seen.append(sum(tally.totals.values()))
    assert seen == [2, 4, 5, 5]
