"""`paragone requeue --where`: repaints that fit a filter over their scores are made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from db.enums import Stage
from db.errors import BadFilter
from db.quality import RepaintScore, ScoreSource, write_scores
from db.tables import images, jobs, variations
from producer.errors import WrongUse
from tests.builders import CampaignHarness, harness_of

if TYPE_CHECKING:
    from tests.integration.producer.commands.conftest import Operator

SIMILARITY = ScoreSource(scorer="similarity", model="m", revision="r")


def _scored(operator: Operator) -> CampaignHarness:
    """Eight repaints of four artworks, both levels: similarities 0.90, 0.92, ... 1.02 of seven, the last has none."""
    harness = harness_of(operator.database, 4)
    harness.run_all()
    made = harness.rows(images)
    scores = [RepaintScore(image_id=row["id"], name="similarity", value=0.90 + 0.02 * place) for place, row in enumerate(made[:-1])]
    write_scores(operator.database, SIMILARITY, scores)
    return harness


def _levels(harness: CampaignHarness, state: str) -> list[str]:
    query = select(variations.c.level).join(jobs, jobs.c.variation_id == variations.c.id)
    with harness.database.read() as connection:
        return list(connection.scalars(query.where(jobs.c.stage == "generate", jobs.c.state == state).order_by(jobs.c.id)))


def test_repaints_that_fit_are_made_again_and_their_old_scores_do_not_count(operator: Operator) -> None:
    harness = _scored(operator)
    before = {row["variation_id"]: row["id"] for row in harness.rows(images)}
    seeds = {row["id"]: row["seed"] for row in harness.rows(variations)}

    counted = operator.json_of("requeue --dry-run --new-seed --where", "similarity > 0.97")
    assert counted == {"jobs": 3, "cancelled": 0, "dry_run": True, "imported": 0, "unscored": 1}
    assert harness.states(Stage.GENERATE) == {"done": 8}
    assert operator.json_of("requeue --new-seed --where", "similarity > 0.97")["jobs"] == 3
    assert harness.states(Stage.GENERATE) == {"done": 5, "ready": 3}
    assert operator.json_of("requeue --new-seed --where", "similarity > 0.97")["jobs"] == 0, "they are under way"
    harness.run_all(mark=" again")

    after = {row["variation_id"]: row["id"] for row in harness.rows(images) if row["current"]}
    again = {variation for variation in before if before[variation] != after[variation]}
    assert len(again) == 3
    assert all((seeds[row["id"]] != row["seed"]) == (row["id"] in again) for row in harness.rows(variations))
    assert operator.json_of("requeue --where", "similarity > 0.97") == {
        "jobs": 0,
        "cancelled": 0,
        "dry_run": False,
        "imported": 0,
        "unscored": 4,
    }


@pytest.mark.parametrize(
    ("more", "where", "expected"),
    [
        ("", "similarity >= 0", 7),
        ("", "not similarity > 0.97", 4),
        ("--campaign trial", "similarity > 0.97", 3),
        ("--style Baroque --older-than 0s", "similarity > 0.97", 3),
        ("--older-than 1h", "similarity > 0.97", 0),
        ("--artwork painter-0_work-00000", "similarity < 0.97", 1),
        ("--done --stage generate", "similarity > 0.97", 3),
    ],
)
def test_a_filter_combines_with_the_other_options(operator: Operator, more: str, where: str, expected: int) -> None:
    harness = _scored(operator)
    assert operator.json_of(f"requeue {more} --where", where)["jobs"] == expected
    assert harness.states(Stage.GENERATE).get("ready", 0) == expected


def test_a_level_narrows_the_filter(operator: Operator) -> None:
    harness = _scored(operator)
    operator.output_of("requeue --where", "similarity > 0.9 and level = radical")
    assert set(_levels(harness, "ready")) == {"radical"}


def test_people_are_told_of_missing_scores_and_of_the_seed(sqlite_operator: Operator) -> None:
    _scored(sqlite_operator)
    assert sqlite_operator.output_of("requeue --dry-run --where", "similarity > 0.97") == (
        "3 jobs would be requeued\n"
        "left out: 1 repaint without the score, run `paragone score` first\n"
        "the same seed gives the same picture: add --new-seed for another\n"
    )
    assert "same seed" not in sqlite_operator.output_of("requeue --new-seed --where", "similarity > 0.97")


@pytest.mark.parametrize("line", ["--stage caption", "--all-failed", "--kind input", "--error x"])
def test_options_that_choose_no_repaints_do_not_go_with_a_filter(sqlite_operator: Operator, line: str) -> None:
    harness = _scored(sqlite_operator)
    with pytest.raises(WrongUse, match="--where chooses repaints"):
        sqlite_operator.output_of(f"requeue {line} --where", "similarity > 0.97")
    assert harness.states(Stage.GENERATE) == {"done": 8}


def test_a_filter_that_cannot_be_read_is_wrong_use_and_an_unknown_level_is_named(sqlite_operator: Operator) -> None:
    _scored(sqlite_operator)
    sqlite_operator.output_of("requeue --where", "simlarity > 0.97", exit_code=2)
    with pytest.raises(BadFilter, match="moderate, radical"):
        sqlite_operator.output_of("requeue --where", "level = mild")
