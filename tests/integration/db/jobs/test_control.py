from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import db.jobs.control
from db.campaigns import find_campaign
from db.enums import CampaignState, FailureKind, Stage
from db.errors import CampaignCancelled
from db.jobs.complete import complete_batch
from db.jobs.control import cancel, set_paused
from db.jobs.requeue import JobFilter, requeue
from db.tables import captions
from tests.builders import artworks_of, harness_of, results_of
from tests.builders.campaign_harness import EFFORT
from tests.builders.meeting import meanwhile

if TYPE_CHECKING:
    from db.engine import Database


def test_a_paused_campaign_finishes_what_is_claimed_and_claims_no_more(database: Database) -> None:
    harness = harness_of(database, 4)
    batch = harness.claim(Stage.CAPTION, limit=2)

    assert set_paused(database, harness.campaign.id, None, paused=True) == 6
    assert find_campaign(database, "trial").state is CampaignState.PAUSED
    assert len(harness.finish(batch).done) == 2
    assert harness.run_all() == 0
    assert harness.states(Stage.PROMPT) == {"ready": 4, "waiting": 4}

    set_paused(database, harness.campaign.id, None, paused=False)
    assert find_campaign(database, "trial").state is CampaignState.OPEN
    assert harness.run_all() == 2 + 4 * 6


def test_pausing_one_stage_lets_the_others_go_on(database: Database) -> None:
    harness = harness_of(database, 2)

    assert set_paused(database, harness.campaign.id, Stage.GENERATE, paused=True) == 2

    assert find_campaign(database, "trial").state is CampaignState.OPEN
    assert harness.run_all() == 2 + 4
    assert harness.states(Stage.GENERATE) == {"ready": 4}
    assert set_paused(database, harness.campaign.id, Stage.GENERATE, paused=False) == 2
    assert harness.run_all() == 8


def test_pausing_one_campaign_leaves_the_other(database: Database) -> None:
    artworks_of(database, 2)
    one, two = harness_of(database, name="one"), harness_of(database, name="two")

    set_paused(database, one.campaign.id, None, paused=True)

    assert one.offer(Stage.CAPTION) is None
    assert two.run(Stage.CAPTION) == 2


def test_cancelling_takes_out_what_is_not_finished_and_refuses_what_runs(database: Database) -> None:
    harness = harness_of(database, 5)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    running = harness.claim(Stage.CAPTION, limit=2)

    assert cancel(database, harness.campaign.id, None) == 3 + 3 * 10

    assert harness.states(Stage.CAPTION) == {"done": 1, "failed": 1, "cancelled": 3}
    assert harness.states(Stage.PROMPT) == {"cancelled": 10}
    assert harness.finish(running).done == frozenset()
    assert harness.fail(running, FailureKind.TRANSIENT).failed == {}
    assert len(harness.rows(captions)) == 1
    assert harness.run_all() == 0
    assert find_campaign(database, "trial").state is CampaignState.CANCELLED


def test_cancelling_one_stage_leaves_the_rest(database: Database) -> None:
    harness = harness_of(database, 2)

    assert cancel(database, harness.campaign.id, Stage.RECAPTION) == 4

    assert find_campaign(database, "trial").state is CampaignState.OPEN
    assert harness.run_all() == 2 + 4 + 4
    assert harness.states(Stage.RECAPTION) == {"cancelled": 4}


def test_a_campaign_with_nothing_to_cancel_stays_open(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    harness.run_all()
    cancel(database, harness.campaign.id, Stage.PROMPT)
    cancel(database, harness.campaign.id, Stage.GENERATE)
    cancel(database, harness.campaign.id, Stage.RECAPTION)

    assert cancel(database, harness.campaign.id, None) == 0

    assert find_campaign(database, "trial").state is CampaignState.OPEN
    assert requeue(database, JobFilter()) == 1
    assert harness.run(Stage.CAPTION) == 1


def test_a_campaign_is_cancelled_in_slices(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.jobs.control, "AT_ONCE", 4)
    other, harness = harness_of(database, 3), harness_of(database, name="second")
    harness.run(Stage.CAPTION)

    assert cancel(database, harness.campaign.id, None) == 18

    assert harness.counts() == {"caption": {"done": 3}, **{stage: {"cancelled": 6} for stage in ("prompt", "generate", "recaption")}}
    assert other.run_all() == 21


def test_what_is_handed_in_while_a_campaign_is_cancelled_leaves_nothing_to_claim(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.jobs.control, "AT_ONCE", 3)
    harness = harness_of(database, 3)
    batch = harness.claim(Stage.CAPTION)
    results = results_of(database, batch)

    def complete_late() -> None:
        complete_batch(database, batch, results=results, effort=EFFORT)

    with meanwhile(database, complete_late):
        cancel(database, harness.campaign.id, None)

    assert {state for stage in Stage for state in harness.states(stage)} <= {"cancelled", "done"}


def test_a_cancel_that_was_interrupted_is_completed_by_another_and_nothing_is_claimed_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = harness_of(database, 3)

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(db.jobs.control, "_pass", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cancel(database, harness.campaign.id, None)
    monkeypatch.undo()

    assert harness.offer(Stage.CAPTION) is None
    assert cancel(database, harness.campaign.id, None) == 21


def test_a_cancelled_campaign_is_not_reopened_by_resuming_it(database: Database) -> None:
    harness = harness_of(database, 1)
    cancel(database, harness.campaign.id, None)

    with pytest.raises(CampaignCancelled, match="'trial' was cancelled, which is final"):
        set_paused(database, harness.campaign.id, None, paused=False)

    assert find_campaign(database, "trial").state is CampaignState.CANCELLED
    assert harness.offer(Stage.CAPTION) is None
