from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import JobState, Stage
from db.errors import UnknownCampaign
from producer.errors import CampaignOver
from tests.builders import harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_a_paused_campaign_offers_nothing_until_it_is_resumed(operator: Operator) -> None:
    trial = harness_of(operator.database, 2)
    assert operator.reads("pause") == {"campaign": "trial", "stage": None, "paused": True}
    assert trial.offer(Stage.CAPTION) is None
    assert operator.reads("status")["campaigns"]["trial"]["state"] == "paused"
    assert operator.reads("resume") == {"campaign": "trial", "stage": None, "paused": False}
    assert trial.offer(Stage.CAPTION) is not None


def test_one_stage_is_paused_while_the_others_go_on(operator: Operator) -> None:
    trial = harness_of(operator.database, 2)
    operator.types("pause --stage prompt")
    assert trial.run(Stage.CAPTION) == 2
    assert trial.offer(Stage.PROMPT) is None
    operator.types("resume --stage prompt")
    assert trial.run(Stage.PROMPT) == 4


def test_without_a_name_the_latest_campaign_is_meant(operator: Operator) -> None:
    first, second = harness_of(operator.database, 2), harness_of(operator.database, name="second")
    operator.types("pause")
    assert first.offer(Stage.CAPTION) is not None
    assert second.offer(Stage.CAPTION) is None


def test_cancelling_takes_out_what_is_not_done_for_good(operator: Operator) -> None:
    trial = harness_of(operator.database, 2)
    trial.run(Stage.CAPTION)
    assert operator.reads("cancel --stage recaption --yes")["jobs"] == 4
    assert operator.reads("cancel")["jobs"] == 8
    assert trial.states(Stage.CAPTION) == {"done": 2}
    assert len(trial.jobs(Stage.GENERATE, JobState.CANCELLED)) == 4
    for line in ("pause", "resume", "enqueue"):
        with pytest.raises(CampaignOver):
            operator.types(line)


def test_on_a_terminal_cancel_asks_first(sqlite_operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = harness_of(sqlite_operator.database, 1)
    monkeypatch.setattr("producer.commands.cancel._on_terminal", lambda: True)
    sqlite_operator.types("cancel", typed="n\n", exit_code=1)
    assert trial.states(Stage.CAPTION) == {"ready": 1}
    sqlite_operator.types("cancel", typed="y\n")
    assert trial.states(Stage.CAPTION) == {"cancelled": 1}


def test_steering_what_is_not_there_names_what_is(sqlite_operator: Operator) -> None:
    with pytest.raises(UnknownCampaign, match="no campaign yet"):
        sqlite_operator.types("pause")
    harness_of(sqlite_operator.database, 1)
    for line in ("pause", "resume", "cancel"):
        with pytest.raises(UnknownCampaign, match="trial"):
            sqlite_operator.types(f"{line} --campaign trail")
