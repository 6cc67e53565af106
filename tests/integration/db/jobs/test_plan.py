from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.campaigns import variation_seed
from db.enums import ImageState, JobState, Stage
from db.jobs.job_rows import catch_up
from db.jobs.plan import PlannedWork, Selection, plan_campaign
from db.tables import artworks, batch_keys, jobs, variations
from tests.builders import CampaignHarness, artworks_of, harness_of
from tests.integration.db.jobs.planned import SHARES, forget_radical, levels_by_artwork

if TYPE_CHECKING:
    from db.engine import Database


def levels_by_style(harness: CampaignHarness) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    query = select(artworks.c.style, variations.c.level).join(variations, variations.c.artwork_id == artworks.c.id)
    with harness.database.engine.connect() as connection:
        for style, level in connection.execute(query):
            found[style][level] += 1
    return found


def test_both_levels_give_every_artwork_a_repaint_of_each_and_one_caption(database: Database) -> None:
    artworks_of(database, 3)
    harness = harness_of(database, planned=False)

    planned = harness.plan()

    assert planned == PlannedWork(artworks=3, variations=6, jobs=3 + 3 * 6, without_picture=0, left_out={})
    assert harness.counts() == {
        "caption": {"ready": 3},
        "prompt": {"waiting": 6},
        "generate": {"waiting": 6},
        "recaption": {"waiting": 6},
    }
    assert levels_by_style(harness) == {"Baroque": {"moderate": 3, "radical": 3}}


def test_a_campaign_without_recaption_plans_none(database: Database) -> None:
    harness = harness_of(database, 2, recaption=False, variations=3)

    assert harness.counts() == {"caption": {"ready": 2}, "prompt": {"waiting": 12}, "generate": {"waiting": 12}}


def test_shares_hold_within_each_style(database: Database) -> None:
    sizes = {"Baroque": 50, "Cubism": 5, "Fauvism": 13, "Rococo": 1}
    for style, count in sizes.items():
        artworks_of(database, count, style=style)

    harness = harness_of(database, **SHARES)

    found = levels_by_style(harness)
    assert found["Baroque"] == {"radical": 40, "moderate": 10}
    assert found["Cubism"] == {"radical": 4, "moderate": 1}
    assert found["Rococo"] == {"radical": 1}
    for style, count in sizes.items():
        assert abs(found[style]["radical"] - 0.8 * count) < 1
        assert found[style].total() == count


def test_levels_stay_and_shares_hold_when_artworks_are_added_or_the_limit_grows(database: Database) -> None:
    for style in ("Baroque", "Cubism"):
        artworks_of(database, 20, style=style)
    harness = harness_of(database, planned=False, **SHARES)
    before: dict[int, str] = {}

    for limit in (7, 15, 40):
        harness.plan(limit=limit)
        after = levels_by_artwork(harness)
        assert len(after) == limit
        assert before.items() <= after.items()
        before = after
    artworks_of(database, 10, style="Baroque")
    harness.plan()

    assert before.items() <= levels_by_artwork(harness).items()
    assert levels_by_style(harness) == {"Baroque": {"radical": 24, "moderate": 6}, "Cubism": {"radical": 16, "moderate": 4}}


def test_shares_do_not_follow_the_order_of_registration(database: Database) -> None:
    artworks_of(database, 50)
    levels = [level for _, level in sorted(levels_by_artwork(harness_of(database, **SHARES)).items())]

    by_turns = ["moderate" if position % 5 == 2 else "radical" for position in range(50)]
    assert levels != by_turns


def test_a_plan_with_a_limit_takes_the_first_artworks_and_with_a_style_only_those_of_it(database: Database) -> None:
    first, cubist = artworks_of(database, 4), artworks_of(database, 4, style="Cubism")
    harness = harness_of(database, planned=False)

    assert harness.plan(limit=3).artworks == 3
    assert harness.plan(styles=("Cubism",), limit=2).artworks == 2

    assert set(levels_by_artwork(harness)) == {*first[:3], *cubist[:2]}


def test_priority_is_written_to_every_new_job_and_to_no_old_one(database: Database) -> None:
    harness = harness_of(database, 2)
    artworks_of(database, 1)

    harness.plan(priority=7)

    assert Counter(row["priority"] for row in harness.rows(jobs)) == {0: 2 + 2 * 6, 7: 1 + 6}


def test_the_incomplete_and_the_unreadable_are_left_out_with_reasons(database: Database) -> None:
    artworks_of(database, 4)
    artworks_of(database, 2, incomplete="no artist")
    artworks_of(database, 3, style=None, incomplete="no style, no artist")
    artworks_of(database, 5, picture=ImageState.UNREADABLE)
    artworks_of(database, 1, picture=ImageState.UNREADABLE, incomplete="no artist")
    harness = harness_of(database, planned=False)

    planned = harness.plan()

    assert planned.artworks == 4
    assert planned.left_out == {"unreadable": 6, "no artist": 2, "no style, no artist": 3}
    assert harness.states(Stage.CAPTION) == {"ready": 4}


def test_the_incomplete_take_part_if_asked_in_and_the_unreadable_never(database: Database) -> None:
    artworks_of(database, 1)
    artworks_of(database, 3, style=None, incomplete="no style")
    artworks_of(database, 5, picture=ImageState.UNREADABLE)
    harness = harness_of(database, planned=False, include_incomplete=True, **SHARES)

    planned = harness.plan()

    assert (planned.artworks, planned.left_out) == (4, {"unreadable": 5})


def test_jobs_of_artworks_without_an_original_wait(database: Database) -> None:
    artworks_of(database, 2)
    artworks_of(database, 3, picture=ImageState.PLANNED)
    harness = harness_of(database, planned=False)

    planned = harness.plan()

    assert (planned.artworks, planned.without_picture) == (5, 3)
    assert harness.states(Stage.CAPTION) == {"ready": 2, "waiting": 3}


def test_planning_twice_changes_nothing(database: Database) -> None:
    harness = harness_of(database, 5, **SHARES)
    before = harness.rows(jobs), harness.rows(variations), harness.rows(batch_keys)

    again = harness.plan()

    assert again == PlannedWork(artworks=0, variations=0, jobs=0, without_picture=0, left_out={})
    assert (harness.rows(jobs), harness.rows(variations), harness.rows(batch_keys)) == before


def test_a_dry_run_of_a_plan_writes_nothing_and_counts_what_a_run_would_add(database: Database) -> None:
    harness = harness_of(database, 3)
    artworks_of(database, 4)
    artworks_of(database, 2, picture=ImageState.PLANNED)
    before = harness.rows(jobs), harness.rows(variations)

    counted = plan_campaign(database, harness.campaign, Selection(), dry_run=True)

    assert (harness.rows(jobs), harness.rows(variations)) == before
    assert counted == PlannedWork(artworks=6, variations=12, jobs=6 + 36, without_picture=2, left_out={})
    assert harness.plan() == counted
    assert len(harness.rows(jobs)) == len(before[0]) + counted.jobs


def test_new_prompts_of_an_artwork_that_has_its_caption_are_ready_at_once(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.finish(harness.claim(Stage.CAPTION, limit=1))
    forget_radical(harness)

    assert harness.plan().jobs == 6

    assert harness.states(Stage.PROMPT) == {"ready": 2, "waiting": 2}


def test_a_caption_readies_the_prompts_of_its_own_campaign_only(database: Database) -> None:
    artworks_of(database, 2)
    one, two = harness_of(database, name="one"), harness_of(database, name="two")
    one.run(Stage.CAPTION)

    with database.engine.begin() as connection:
        connection.execute(catch_up(one.campaign.id, 0))

    assert one.states(Stage.PROMPT) == {"ready": 4}
    assert two.states(Stage.PROMPT) == {"waiting": 4}


def test_a_seed_follows_from_the_plan_and_not_from_any_row_id(database: Database) -> None:
    harness = harness_of(database, 6, variations=2)
    keys = {row["id"]: row["key"] for row in harness.rows(artworks)}
    expected = {
        (keys[row["artwork_id"]], row["level"], row["ordinal"]): variation_seed(
            campaign_seed=11, artwork_key=keys[row["artwork_id"]], level=row["level"], ordinal=row["ordinal"]
        )
        for row in harness.rows(variations)
    }

    other = harness_of(database, name="the same plan in other rows", variations=2)

    for one in (harness, other):
        rows = one.rows(variations, variations.c.campaign_id == one.campaign.id)
        assert {(keys[row["artwork_id"]], row["level"], row["ordinal"]): row["seed"] for row in rows} == expected
    assert len(set(expected.values())) == 24


def test_the_parameters_of_a_batch_are_written_once_for_each_batch_key(database: Database) -> None:
    harness = harness_of(database, 1, prompt={"backend": "fake-prompt", "max_tokens": 60, "settings": {"seconds_per_batch": 1}})
    harness.finish(harness.claim(Stage.CAPTION))

    rows = {row["batch_key"].split("/", 1)[1]: row["parameters"] for row in harness.rows(batch_keys)}

    assert set(rows) == {"caption", "recaption", "prompt/moderate", "prompt/radical", "generate/moderate", "generate/radical"}
    assert rows["prompt/radical"]["settings"] == {"seconds_per_batch": 1, "max_tokens": 60, "target_tokens": 55, "brief_set": "radical"}
    assert rows["generate/moderate"]["settings"] == {"strength": 0.5, "guidance": 7.5, "steps": 4}
    claimed = harness.claim(Stage.PROMPT, "radical").parameters
    assert (claimed.backend, claimed.batch, claimed.settings) == ("fake-prompt", 64, rows["prompt/radical"]["settings"])
    assert claimed.picture == {"size": 64, "format": "jpeg", "quality": 95}


def test_artworks_that_come_later_are_added_to_a_running_campaign(database: Database) -> None:
    harness = harness_of(database, 2)
    harness.run_all()
    artworks_of(database, 1)

    assert harness.plan().jobs == 7

    assert harness.states(Stage.CAPTION) == {"done": 2, "ready": 1}
    assert harness.run_all() == 7
    assert {row["state"] for row in harness.rows(jobs)} == {JobState.DONE}
