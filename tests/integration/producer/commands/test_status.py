from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from db.enums import FailureKind, Stage
from db.errors import UnknownCampaign
from db.monitoring.worker_registry import register_worker
from producer.errors import WrongUse
from tests.builders import harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_status_counts_jobs_by_stage_and_state_over_all_campaigns(operator: Operator) -> None:
    first = harness_of(operator.database, 2)
    harness_of(operator.database, name="second")
    first.run(Stage.CAPTION, Stage.PROMPT)
    first.fail(first.claim(Stage.GENERATE, "radical", limit=1), FailureKind.INPUT)
    first.run(Stage.GENERATE)
    found = operator.json_of("status")
    assert found["jobs"]["caption"] == {"done": 2, "ready": 2}
    assert found["jobs"]["generate"] == {"done": 3, "failed": 1, "waiting": 4}
    assert found["campaigns"]["trial"]["jobs"]["generate"] == {"done": 3, "failed": 1}
    assert found["images"] == 3
    assert found["rates"]["generate"] > 0
    assert found["stuck"]["waiting behind a failed or cancelled job"] == 1


def test_status_of_one_campaign_leaves_the_others_out(operator: Operator) -> None:
    harness_of(operator.database, 2)
    harness_of(operator.database, name="second").run(Stage.CAPTION)
    found = operator.json_of("status --campaign second")
    assert list(found["campaigns"]) == ["second"]
    assert found["jobs"]["caption"] == {"done": 2}
    with pytest.raises(UnknownCampaign, match="trial, second"):
        operator.output_of("status --campaign third")


def test_status_names_the_workers_and_what_is_stuck(operator: Operator) -> None:
    harness_of(operator.database, 1)
    register_worker(
        operator.database, worker_id="gpu0@here", host="here", pid=7, device="cuda:0", stages=[Stage.GENERATE], threads=2, versions={}
    )
    (worker,) = operator.json_of("status")["workers"]
    assert (worker["id"], worker["device"], worker["stages"], worker["batches"]) == ("gpu0@here", "cuda:0", ["generate"], 0)
    shown = operator.output_of("status")
    assert "here  gpu0    generate  idle" in shown
    assert "ready for caption, but no living worker serves it: `paragone work`" in " ".join(shown.split())


def test_status_before_the_first_campaign_says_what_to_do(sqlite_operator: Operator) -> None:
    assert "paragone ingest" in sqlite_operator.output_of("status")
    assert sqlite_operator.json_of("status")["campaigns"] == {}


def test_watching_and_json_exclude_each_other(sqlite_operator: Operator) -> None:
    with pytest.raises(WrongUse):
        sqlite_operator.output_of("status --watch --json")
