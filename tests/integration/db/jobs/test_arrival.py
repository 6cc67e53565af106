from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import ImageState, Stage
from db.jobs.control import cancel
from tests.builders import artworks_of, harness_of, original_arrives

if TYPE_CHECKING:
    from db.engine import Database


def test_jobs_of_a_planned_artwork_become_ready_when_its_original_arrives(database: Database) -> None:
    first, second = artworks_of(database, 2, picture=ImageState.PLANNED)
    harness = harness_of(database)
    assert harness.offer(Stage.CAPTION) is None

    assert original_arrives(database, first) == 1

    assert [job.artwork_id for job in harness.claim(Stage.CAPTION).jobs] == [first]
    assert harness.states(Stage.PROMPT) == {"waiting": 4}
    assert original_arrives(database, first, second) == 1
    assert harness.states(Stage.CAPTION) == {"running": 1, "ready": 1}


def test_an_original_readies_the_jobs_of_every_campaign_that_waits_for_it(database: Database) -> None:
    (artwork_id,) = artworks_of(database, 1, picture=ImageState.PLANNED)
    harnesses = [harness_of(database, name=name) for name in ("one", "two")]

    assert original_arrives(database, artwork_id) == 2

    assert [harness.states(Stage.CAPTION) for harness in harnesses] == [{"ready": 1}] * 2


def test_an_original_readies_no_job_that_was_cancelled_or_is_done(database: Database) -> None:
    artwork_ids = artworks_of(database, 2, picture=ImageState.PLANNED)
    harness = harness_of(database)
    original_arrives(database, artwork_ids[0])
    harness.run(Stage.CAPTION)
    cancel(database, harness.campaign.id, None)

    assert original_arrives(database, *artwork_ids) == 0

    assert harness.states(Stage.CAPTION) == {"done": 1, "cancelled": 1}


def test_many_originals_arrive_at_once(database: Database) -> None:
    artwork_ids = artworks_of(database, 2000, picture=ImageState.PLANNED)
    harness = harness_of(database, recaption=False, level={"radical": {"backend": "fake-repaint", "strength": 0.5}})

    assert original_arrives(database, *artwork_ids[:1900]) == 1900

    assert harness.states(Stage.CAPTION) == {"ready": 1900, "waiting": 100}
