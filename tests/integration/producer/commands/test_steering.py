from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import FailureKind, JobState, Stage
from db.errors import CampaignCancelled, UnknownCampaign
from tests.builders import harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_a_paused_campaign_offers_nothing_until_it_is_resumed(operator: Operator) -> None:
    harness = harness_of(operator.database, 2)
    assert operator.json_of("pause") == {"campaign": "trial", "stage": None, "paused": True}
    assert harness.offer(Stage.CAPTION) is None
    assert operator.json_of("status")["campaigns"]["trial"]["state"] == "paused"
    assert operator.json_of("resume") == {"campaign": "trial", "stage": None, "paused": False}
    assert harness.offer(Stage.CAPTION) is not None


def test_one_stage_is_paused_while_the_others_continue(operator: Operator) -> None:
    harness = harness_of(operator.database, 2)
    operator.output_of("pause --stage prompt")
    assert harness.run(Stage.CAPTION) == 2
    assert harness.offer(Stage.PROMPT) is None
    operator.output_of("resume --stage prompt")
    assert harness.run(Stage.PROMPT) == 4


def test_pause_without_a_name_pauses_the_latest_campaign(operator: Operator) -> None:
    first, second = harness_of(operator.database, 2), harness_of(operator.database, name="second")
    operator.output_of("pause")
    assert first.offer(Stage.CAPTION) is not None
    assert second.offer(Stage.CAPTION) is None


def test_cancel_ends_what_is_not_done_for_good(operator: Operator) -> None:
    harness = harness_of(operator.database, 2)
    harness.run(Stage.CAPTION)
    assert operator.json_of("cancel --stage recaption --yes")["jobs"] == 4
    assert operator.json_of("cancel")["jobs"] == 8
    assert harness.states(Stage.CAPTION) == {"done": 2}
    assert len(harness.jobs(Stage.GENERATE, JobState.CANCELLED)) == 4
    for line in ("pause", "resume", "enqueue"):
        with pytest.raises(CampaignCancelled):
            operator.output_of(line)


def test_on_a_terminal_cancel_asks_first(sqlite_operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = harness_of(sqlite_operator.database, 1)
    monkeypatch.setattr("producer.commands.cancel._on_terminal", lambda: True)
    sqlite_operator.output_of("cancel", answer="n\n", exit_code=1)
    assert harness.states(Stage.CAPTION) == {"ready": 1}
    sqlite_operator.output_of("cancel", answer="y\n")
    assert harness.states(Stage.CAPTION) == {"cancelled": 1}


def test_pausing_an_unknown_campaign_names_those_that_exist(sqlite_operator: Operator) -> None:
    with pytest.raises(UnknownCampaign, match="no campaign yet"):
        sqlite_operator.output_of("pause")
    harness_of(sqlite_operator.database, 1)
    for line in ("pause", "resume", "cancel"):
        with pytest.raises(UnknownCampaign, match="trial"):
            sqlite_operator.output_of(f"{line} --campaign trail")


def test_cancel_of_a_campaign_that_has_ended_says_so_and_leaves_it_open(operator: Operator) -> None:
    harness = harness_of(operator.database, 1)
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)
    for stage in ("prompt", "generate", "recaption"):
        operator.output_of(f"cancel --stage {stage} --yes")

    said = operator.output_of("cancel --yes")

    assert said == "nothing to cancel: every job of campaign trial has ended; the campaign stays open\n"
    assert operator.json_of("cancel")["state"] == "open"
    assert operator.json_of("requeue --all-failed")["jobs"] == 1
