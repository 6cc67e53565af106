from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind, Stage
from tests.builders import harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def test_failures_show_the_job_its_artwork_and_the_error(operator: Operator) -> None:
    harness = harness_of(operator.database, 3)
    batch = harness.claim(Stage.CAPTION, limit=1)
    harness.fail(batch, FailureKind.INPUT, "truncated [file]")
    (failure,) = operator.json_of("failures")
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
    shown = operator.output_of("failures")
    assert "[file]" in shown, "brackets in an error are text, not markup"
    assert "1 input at caption" in shown


def test_failures_are_narrowed_by_campaign_stage_and_kind(operator: Operator) -> None:
    first, second = harness_of(operator.database, 2), harness_of(operator.database, name="second")
    first.fail(first.claim(Stage.CAPTION, limit=1), FailureKind.INPUT)
    first.run(Stage.CAPTION)
    first.fail(first.claim(Stage.PROMPT, "radical", limit=1), FailureKind.POISON)
    second.fail(second.claim(Stage.CAPTION), FailureKind.INPUT)
    assert len(operator.json_of("failures")) == 4
    assert len(operator.json_of("failures --campaign second")) == 2
    assert [failure["kind"] for failure in operator.json_of("failures --stage prompt")] == ["poison"]
    assert len(operator.json_of("failures --kind input --campaign trial")) == 1
    assert operator.json_of("failures --kind oom") == []
    operator.output_of("failures --kind nonsense", exit_code=2)


def test_a_long_list_of_failures_is_cut_for_people_and_complete_in_json(sqlite_operator: Operator) -> None:
    harness = harness_of(sqlite_operator.database, 60)
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.INPUT)
    assert "and 10 more" in sqlite_operator.output_of("failures")
    assert len(sqlite_operator.json_of("failures")) == 60
