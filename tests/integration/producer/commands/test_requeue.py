from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from db.enums import FailureKind, JobState, Stage
from db.errors import CampaignCancelled
from db.tables import jobs, variations
from producer.errors import UnknownArtwork, UnknownStyle, WrongUse
from tests.builders import CampaignHarness, artworks_of, harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator


def _broken(operator: Operator) -> CampaignHarness:
    """Four artworks of two styles, whose captions failed in three ways."""
    artworks_of(operator.database, 2, style="Cubism")
    harness = harness_of(operator.database, 2)
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT, "truncated FILE")
    harness.fail(harness.claim(Stage.CAPTION, limit=1), FailureKind.INPUT, "100% empty")
    harness.fail(harness.claim(Stage.CAPTION), FailureKind.POISON, "died")
    return harness


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("--kind input", 2),
        ("--error file", 1),
        ("--error 0%", 1),
        ("--style Cubism", 2),
        ("--style Baroque --kind input", 0),
        ("--stage caption", 4),
        ("--stage generate", 0),
        ("--artwork painter-3_work-00003", 1),
        ("--older-than 1h", 0),
        ("--older-than 0s --kind poison", 2),
        ("--all-failed", 4),
        ("--campaign trial --all-failed", 4),
    ],
)
def test_a_requeue_filter_selects_what_it_names_and_a_dry_run_only_counts(operator: Operator, chosen: str, expected: int) -> None:
    harness = _broken(operator)
    assert operator.json_of(f"requeue {chosen} --dry-run")["jobs"] == expected
    assert harness.states(Stage.CAPTION) == {"failed": 4}
    assert operator.json_of(f"requeue {chosen}")["jobs"] == expected
    assert harness.states(Stage.CAPTION).get("ready", 0) == expected
    assert operator.json_of(f"requeue {chosen}")["jobs"] == 0


def test_requeue_accepts_an_artworks_id_too(sqlite_operator: Operator) -> None:
    harness = _broken(sqlite_operator)
    artwork = harness.jobs(Stage.CAPTION)[2]["artwork_id"]
    assert sqlite_operator.json_of(f"requeue --artwork {artwork}")["jobs"] == 1
    assert [job["artwork_id"] for job in harness.jobs(Stage.CAPTION, JobState.READY)] == [artwork]


def test_requeue_names_an_unknown_artwork_or_style(sqlite_operator: Operator) -> None:
    _broken(sqlite_operator)
    with pytest.raises(UnknownArtwork, match="nobody"):
        sqlite_operator.output_of("requeue --artwork nobody")
    with pytest.raises(UnknownArtwork):
        sqlite_operator.output_of("requeue --artwork 99999999999999999999999")
    with pytest.raises(UnknownStyle, match="did you mean Cubism"):
        sqlite_operator.output_of("requeue --style cubsm")


@pytest.mark.parametrize(
    "line",
    [
        "requeue",
        "requeue --campaign trial",
        "requeue --dry-run",
        "requeue --new-seed",
        "requeue --done --all-failed",
        "requeue --done --kind input",
        "requeue --done --error x",
        "requeue --stage recaption --new-seed",
    ],
)
def test_requeue_options_that_select_nothing_or_contradict_each_other_are_wrong_use(sqlite_operator: Operator, line: str) -> None:
    harness = _broken(sqlite_operator)
    with pytest.raises(WrongUse):
        sqlite_operator.output_of(line)
    assert harness.states(Stage.CAPTION) == {"failed": 4}


@pytest.mark.parametrize("age", ["yesterday", "-3s", "3 weeks", ""])
def test_a_duration_that_cannot_be_read_is_wrong_use(sqlite_operator: Operator, age: str) -> None:
    sqlite_operator.output_of("requeue --older-than", age, exit_code=2)


def test_done_repaints_are_requeued_with_another_seed(operator: Operator) -> None:
    harness = harness_of(operator.database, 2)
    harness.run_all()
    before = {row["id"]: row["seed"] for row in harness.rows(variations)}
    assert operator.json_of("requeue --stage generate --done --new-seed")["jobs"] == 4
    after = {row["id"]: row["seed"] for row in harness.rows(variations)}
    assert all(before[variation] != after[variation] for variation in before)
    assert operator.json_of("status")["images"] == 4, "the old repaints stay until the new ones are there"


def test_a_failed_recaption_keeps_the_seed_of_the_repaint_that_stands(operator: Operator) -> None:
    harness = harness_of(operator.database, 1)
    harness.run(Stage.CAPTION, Stage.PROMPT, Stage.GENERATE)
    harness.fail(harness.claim(Stage.RECAPTION), FailureKind.INPUT)
    before = [row["seed"] for row in harness.rows(variations)]
    assert operator.json_of("requeue --all-failed --new-seed")["jobs"] == 2
    assert [row["seed"] for row in harness.rows(variations)] == before


def test_requeue_measures_age_from_the_end_of_the_job(operator: Operator) -> None:
    harness = _broken(operator)
    old = harness.jobs(Stage.CAPTION)[0]["id"]
    with operator.database.engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == old).values(finished_at=jobs.c.finished_at - 7200))
    assert operator.json_of("requeue --older-than 3h")["jobs"] == 0
    assert operator.json_of("requeue --older-than 1.5h")["jobs"] == 1


def test_requeue_leaves_out_cancelled_campaigns_and_refuses_one_that_is_named(operator: Operator) -> None:
    harness = _broken(operator)
    operator.output_of("cancel --yes")

    assert operator.json_of("requeue --all-failed --dry-run") == {"jobs": 0, "cancelled": 4, "dry_run": True, "imported": 0}
    assert operator.output_of("requeue --all-failed") == "0 jobs requeued\nleft out: 4 of cancelled campaigns, which is final\n"
    with pytest.raises(CampaignCancelled, match="'trial' was cancelled, which is final"):
        operator.output_of("requeue --all-failed --campaign trial")
    assert harness.states(Stage.CAPTION) == {"failed": 4}
