from __future__ import annotations

import re
import threading
from collections import Counter, defaultdict
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

import db.jobs.plan
from db.campaigns import find_campaign, open_campaign, variation_seed
from db.catalogue.types import ArtworkImage, CatalogueArtwork
from db.catalogue.upsert import upsert_artworks
from db.enums import CampaignState, ImageState, JobState, Stage
from db.errors import CampaignCancelled, CampaignDiffers, UnknownCampaign
from db.jobs.control import cancel, set_paused
from db.jobs.job_rows import catch_up
from db.jobs.lease import renew
from db.jobs.plan import PlannedWork, Selection, plan_campaign
from db.jobs.plan_slice import plan_slice
from db.monitoring.worker_registry import register_worker
from db.tables import artworks, batch_keys, campaigns, captions, jobs, variations
from tests.builders import CampaignHarness, artworks_of, fake_config, harness_of
from tests.builders.meeting import meanwhile

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import RowMapping

    from db.engine import Database


SHARES: Any = {"levels": {"radical": 0.8, "moderate": 0.2}}


def levels_by_style(harness: CampaignHarness) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    query = select(artworks.c.style, variations.c.level).join(variations, variations.c.artwork_id == artworks.c.id)
    with harness.database.engine.connect() as connection:
        for style, level in connection.execute(query):
            found[style][level] += 1
    return found


def levels_by_artwork(harness: CampaignHarness) -> dict[int, str]:
    return {row["artwork_id"]: row["level"] for row in harness.rows(variations)}


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


def forget_radical(harness: CampaignHarness) -> None:
    """As if the repaints of one level had never been planned."""
    with harness.database.engine.begin() as connection:
        for table in (jobs, variations):
            of_radical = select(variations.c.id).where(variations.c.level == "radical")
            column = table.c.variation_id if table is jobs else table.c.id
            connection.execute(delete(table).where(column.in_(of_radical)))


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


@pytest.mark.parametrize("first", ["plan", "caption"])
def test_a_caption_that_is_completed_during_a_plan_readies_what_is_planned(database: Database, first: str) -> None:
    harness = harness_of(database, 2)
    forget_radical(harness)
    batch = harness.claim(Stage.CAPTION)
    acts: list[Callable[[], Any]] = [harness.plan, lambda: harness.finish(batch)]
    before, after = acts if first == "plan" else acts[::-1]

    with meanwhile(database, after):
        before()

    assert harness.states(Stage.CAPTION) == {"done": 2}
    assert harness.states(Stage.PROMPT) == {"ready": 4}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_worker_hands_in_and_renews_while_a_plan_writes(database: Database) -> None:
    harness = harness_of(database, 2)
    batch = harness.claim(Stage.CAPTION)
    artworks_of(database, 4)

    def complete_late() -> int:
        assert renew(database, [batch.token], lease_seconds=60.0) == 1
        return len(harness.finish(batch).done)

    with meanwhile(database, complete_late, seconds=20.0) as meeting:
        harness.plan()

    assert (meeting.passed, meeting.outcome) == (True, [2])
    assert harness.run_all() == 2 * 6 + 4 * 7


def test_an_original_that_is_ingested_during_a_plan_readies_what_is_planned(database: Database) -> None:
    facts: Any = {"artist": "A", "title": "T", "style": "S", "styles": ("S",), "subset": None, "incomplete": None}
    upsert_artworks(database, [CatalogueArtwork(key="a_t", **facts)])
    harness = harness_of(database, planned=False)
    image = ArtworkImage(path="S/a_t.jpg", content_hash="0" * 64, byte_size=9, width=3, height=3, mode="RGB")

    with meanwhile(database, lambda: upsert_artworks(database, [CatalogueArtwork(key="a_t", **facts, picture=image)])):
        harness.plan()

    assert [row["picture"] for row in harness.rows(artworks)] == ["present"]
    assert harness.states(Stage.CAPTION) == {"ready": 1}


@pytest.mark.parametrize("slices", [1, 3])
def test_a_campaign_that_is_cancelled_while_it_is_planned_has_nothing_to_claim(
    database: Database, slices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.jobs.plan, "VARIATIONS_AT_ONCE", 12 // slices)
    artworks_of(database, 6)
    harness = harness_of(database, planned=False)
    a_worker_lives(database)

    with meanwhile(database, lambda: cancel(database, harness.campaign.id, None)), nullcontext() if slices == 1 else refused():
        harness.plan()

    assert find_campaign(database, "trial").state is CampaignState.CANCELLED
    assert {state for stage in Stage for state in harness.states(stage)} == {"cancelled"}
    artworks_of(database, 1)
    with refused():
        harness.plan()


def a_worker_lives(database: Database) -> None:
    """On SQLite a plan leaves room for others between its slices."""
    register_worker(database, worker_id="gpu0", host="here", pid=1, device="cpu", stages=[Stage.CAPTION], threads=2, versions={})


def refused() -> AbstractContextManager[object]:
    return pytest.raises(CampaignCancelled, match="campaign 'trial' was cancelled, which is final")


@pytest.mark.parametrize("stage", [None, Stage.CAPTION])
def test_a_campaign_that_is_paused_while_it_is_first_planned_is_paused(
    database: Database, stage: Stage | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.jobs.plan, "VARIATIONS_AT_ONCE", 4)
    artworks_of(database, 6)
    harness = harness_of(database, planned=False)

    with meanwhile(database, lambda: set_paused(database, harness.campaign.id, stage, paused=True)):
        assert harness.plan().artworks == 6

    assert harness.offer(Stage.CAPTION) is None
    assert harness.states(Stage.CAPTION) == {"ready": 6}
    set_paused(database, harness.campaign.id, stage, paused=False)
    assert harness.run(Stage.CAPTION) == 6


def test_a_stage_that_is_paused_before_anything_is_planned_stays_paused(database: Database) -> None:
    artworks_of(database, 1)
    harness = harness_of(database, planned=False)

    set_paused(database, harness.campaign.id, Stage.GENERATE, paused=True)
    harness.plan()

    assert harness.run_all() == 1 + 2
    assert harness.states(Stage.GENERATE) == {"ready": 2}


@pytest.mark.parametrize("settings", [{}, SHARES, {**SHARES, "variations": 3}], ids=["both levels", "shares", "three of each"])
@pytest.mark.parametrize("limits", [(None,), (7, None)], ids=["at once", "in two steps"])
def test_a_plan_in_slices_that_is_interrupted_and_run_again_is_the_plan_of_one_go(
    database: Database, settings: Any, limits: tuple[int | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for style, count in {"Baroque": 11, "Cubism": 5, "Fauvism": 8}.items():
        artworks_of(database, count, style=style)
    whole = harness_of(database, name="in one go", planned=False, **settings)
    for limit in limits:
        whole.plan(limit=limit)
    sliced = harness_of(database, name="in slices", planned=False, **settings)
    monkeypatch.setattr(db.jobs.plan, "VARIATIONS_AT_ONCE", 10)

    for limit in limits:
        for slices in (1, 2, 0, 99):
            stop_after(monkeypatch, slices)
            with suppress(KeyboardInterrupt):
                sliced.plan(limit=limit)

    planned = [Counter((row["artwork_id"], row["level"], row["ordinal"]) for row in of(one, variations)) for one in (whole, sliced)]
    assert planned[0] == planned[1]
    assert whole.counts() == sliced.counts()
    keys = [{row["batch_key"].split("/", 1)[1]: row["planned_jobs"] for row in of(one, batch_keys)} for one in (whole, sliced)]
    assert keys[0] == keys[1]
    assert sliced.plan().jobs == 0


def of(harness: CampaignHarness, table: Any) -> list[RowMapping]:
    return harness.rows(table, table.c.campaign_id == harness.campaign.id)


def stop_after(monkeypatch: pytest.MonkeyPatch, slices: int) -> None:
    """Interrupt the next plan before it writes more than so many slices."""
    written = 0

    def interrupted(connection: Any, **slice_: Any) -> PlannedWork:
        nonlocal written
        if written == slices:
            raise KeyboardInterrupt
        written += 1
        return plan_slice(connection, **slice_)

    monkeypatch.setattr(db.jobs.plan, "plan_slice", interrupted)


def test_a_second_producer_adds_what_the_first_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.jobs.plan, "VARIATIONS_AT_ONCE", 4)
    artworks_of(database, 12)
    harness = harness_of(database, planned=False, **SHARES)

    with meanwhile(database, lambda: harness.plan().variations) as other:
        mine = harness.plan().variations

    assert mine + other.outcome[0] == 12
    assert set(levels_by_artwork(harness).values()) == {"radical", "moderate"}
    assert len(harness.rows(jobs)) == 12 * 4


def test_two_producers_that_plan_at_once_make_every_job_once(database: Database) -> None:
    harness = harness_of(database, 20, planned=False)
    start = threading.Barrier(2)
    planned = []

    def produce() -> None:
        start.wait()
        planned.append(harness.plan())

    threads = [threading.Thread(target=produce) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(one.jobs for one in planned) == [0, 140]
    assert len(harness.rows(jobs)) == 140


def test_job_keys_are_unique_whatever_writes_them(database: Database) -> None:
    harness = harness_of(database, 2)
    keys = [row["job_key"] for row in harness.rows(jobs)]
    assert len(set(keys)) == len(keys)
    caption = dict(harness.jobs(Stage.CAPTION)[0])

    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(jobs.insert().values({name: value for name, value in caption.items() if name != "id"}))


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


def test_the_same_name_with_another_configuration_is_refused_with_the_differences(database: Database) -> None:
    open_campaign(database, "trial", fake_config())

    with pytest.raises(CampaignDiffers, match=re.escape("campaign 'trial' exists with another configuration")) as refusal:
        open_campaign(database, "trial", fake_config(seed=12, picture={"size": 128}))

    assert "seed: 11 -> 12" in str(refusal.value)
    assert "picture.size: 64 -> 128" in str(refusal.value)
    assert "caption" not in str(refusal.value)
    assert len(CampaignHarness(database=database, campaign=find_campaign(database, None)).rows(campaigns)) == 1


def test_the_same_name_with_the_same_configuration_is_the_same_campaign_wherever_the_models_lie(database: Database) -> None:
    first = open_campaign(database, "trial", fake_config(models_directory="/here"))

    assert open_campaign(database, "trial", fake_config(models_directory="/there")).id == first.id


def test_a_campaign_is_found_by_name_or_as_the_latest(database: Database) -> None:
    with pytest.raises(UnknownCampaign, match="no campaign yet"):
        find_campaign(database, None)
    for name in ("one", "two"):
        open_campaign(database, name, fake_config())

    assert find_campaign(database, None).name == "two"
    assert find_campaign(database, "one").name == "one"
    with pytest.raises(UnknownCampaign, match="'three': there are one, two"):
        find_campaign(database, "three")


def test_a_campaign_paused_before_its_first_plan_stays_paused(database: Database) -> None:
    harness = harness_of(database, planned=False)
    set_paused(database, harness.campaign.id, None, paused=True)
    artworks_of(database, 2)
    paused = CampaignHarness(database=database, campaign=open_campaign(database, "trial", fake_config()))

    paused.plan()

    assert paused.offer(Stage.CAPTION) is None
    set_paused(database, harness.campaign.id, None, paused=False)
    assert paused.run(Stage.CAPTION) == 2
    assert len(paused.rows(captions)) == 2


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
