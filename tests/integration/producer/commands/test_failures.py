from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind, Stage
from tests.builders import harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_failures_tell_the_job_its_artwork_and_the_error(operator: Operator) -> None:
    trial = harness_of(operator.database, 3)
    batch = trial.claim(Stage.CAPTION, limit=1)
    trial.fail(batch, FailureKind.INPUT, "truncated [file]")
    (failure,) = operator.reads("failures")
    assert failure == {
        "job": batch.jobs[0].job_key,
        "campaign": "trial",
        "stage": "caption",
        "kind": "input",
        "error": "truncated [file]",
        "attempts": 1,
        "artwork": "painter-0_work-00000",
        "artwork_id": batch.jobs[0].artwork_id,
    }
    shown = operator.types("failures")
    assert "[file]" in shown, "brackets in an error are text, no markup"
    assert "1 input at caption" in shown


def test_failures_are_narrowed_by_campaign_stage_and_kind(operator: Operator) -> None:
    first, second = harness_of(operator.database, 2), harness_of(operator.database, name="second")
    first.fail(first.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    first.run(Stage.CAPTION)
    first.fail(first.claim(Stage.PROMPT, "radical", limit=1), FailureKind.POISON)
    second.fail(second.claim(Stage.CAPTION), FailureKind.INPUT)
    assert len(operator.reads("failures")) == 4
    assert len(operator.reads("failures --campaign second")) == 2
    assert [failure["kind"] for failure in operator.reads("failures --stage prompt")] == ["poison"]
    assert len(operator.reads("failures --kind input --campaign trial")) == 1
    assert operator.reads("failures --kind oom") == []
    operator.types("failures --kind nonsense", exit_code=2)


def test_a_long_list_is_cut_for_people_and_whole_in_json(sqlite_operator: Operator) -> None:
    trial = harness_of(sqlite_operator.database, 60)
    trial.fail(trial.claim(Stage.CAPTION), FailureKind.INPUT)
    assert "and 10 more" in sqlite_operator.types("failures")
    assert len(sqlite_operator.reads("failures")) == 60
