"""Planning while others write: a plan that is crossed, interrupted, run twice at once, or paused and cancelled half way."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import IntegrityError

import db.jobs.plan
from db.campaigns import find_campaign
from db.catalogue.types import ArtworkImage, CatalogueArtwork
from db.catalogue.upsert import upsert_artworks
from db.enums import CampaignState, Stage
from db.errors import CampaignCancelled
from db.jobs.control import cancel, set_paused
from db.jobs.lease import renew
from db.jobs.plan_slice import plan_slice
from db.monitoring.worker_registry import register_worker
from db.tables import artworks, batch_keys, jobs, variations
from tests.builders import CampaignHarness, artworks_of, harness_of
from tests.builders.meeting import meanwhile
from tests.integration.db.jobs.planned import SHARES, forget_radical, levels_by_artwork

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import RowMapping

    from db.engine import Database
    from db.jobs.plan import PlannedWork


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
