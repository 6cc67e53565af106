"""One caption by the same model of the same picture serves all campaigns: it is copied, and no device is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from db.enums import Stage
from db.jobs.requeue import JobFilter, requeue
from db.results.stage_results import CaptionRecord
from db.tables import artworks, attempts, captions
from tests.builders import artworks_of
from tests.integration.workers.scripted import Scripted, scripted
from workers.batches.batch_run import StageRunner
from workers.stages.fakes import FakeCaptionStage

if TYPE_CHECKING:
    from db.jobs.inputs import CaptionInput
    from tests.builders import CampaignHarness
    from tests.integration.workers.conftest import WorkerHarness
    from workers.backends.settings.base import BackendSettings
    from workers.stages import PreparedJob, StageContext

Backends = dict[str, type[Scripted]]
CAPTIONS = [Stage.CAPTION]
BLIP: dict[str, Any] = {"backend": "plain", "model": "hub/blip", "batch": 2}


class ToldCaptions(FakeCaptionStage):
    """Captions as the real stage records them: with the picture, the model and its revision."""

    def finish(
        self, prepared: PreparedJob[CaptionInput, CaptionInput], answer: object, context: StageContext[BackendSettings], *, revision: str
    ) -> CaptionRecord:
        job = prepared.job
        facts: dict[str, Any] = {"model": context.parameters.model, "revision": revision, "content_hash": job.content_hash}
        return CaptionRecord(job_id=job.job_id, text=f"{revision} saw {job.content_hash[:8]}", **facts)


@pytest.fixture(autouse=True)
def told_captions(fleet: WorkerHarness) -> None:
    fleet.runners[Stage.CAPTION] = StageRunner(ToldCaptions())


def caption_all(fleet: WorkerHarness) -> None:
    """A worker that has nothing loaded yet captions all there is."""
    fleet.worker(stages=CAPTIONS).on_wake_up()


def texts(harness: CampaignHarness) -> dict[int, str]:
    mine = harness.rows(captions, captions.c.campaign_id == harness.campaign.id, captions.c.current)
    return {row["artwork_id"]: row["text"] for row in mine}


def calls(backends: Backends) -> int:
    return sum(len(batch) for batch in backends["plain"].batches)


def test_a_second_campaign_asks_the_captioner_nothing(fleet: WorkerHarness, backends: Backends) -> None:
    # Given a campaign whose five originals are captioned
    first = fleet.harness(5, name="first", caption=BLIP)
    caption_all(fleet)
    assert calls(backends) == 5

    # When another one of the same model wants the same
    second = fleet.harness(name="second", caption=BLIP)
    caption_all(fleet)

    # Then it has the sentences, each a copy that names what it was copied from, and its prompts may be written
    assert calls(backends) == 5
    assert texts(second) == texts(first)
    assert second.states(Stage.CAPTION) == {"done": 5}
    assert second.states(Stage.PROMPT) == {"ready": 5}
    of_first = {row["id"] for row in first.rows(captions, captions.c.campaign_id == first.campaign.id)}
    assert {row["reused_from"] for row in second.rows(captions, captions.c.campaign_id == second.campaign.id)} == of_first
    # And the history tells that it was done, and that it took no time of a device
    mine = [row["id"] for row in second.jobs(Stage.CAPTION)]
    assert [(row["outcome"], row["seconds"]) for row in second.rows(attempts, attempts.c.job_id.in_(mine))] == [("done", None)] * 5


def test_what_is_new_in_a_batch_is_described_beside_what_is_copied(fleet: WorkerHarness, backends: Backends) -> None:
    fleet.harness(3, name="first", caption=BLIP)
    caption_all(fleet)
    artworks_of(fleet.database, 2)

    second = fleet.harness(name="second", caption={**BLIP, "batch": 5})
    caption_all(fleet)

    assert calls(backends) == 3 + 2
    assert second.states(Stage.CAPTION) == {"done": 5}
    assert second.states(Stage.PROMPT) == {"ready": 5}
    assert [row["reused_from"] is None for row in second.rows(captions, captions.c.campaign_id == second.campaign.id)].count(True) == 2


def test_once_the_revision_is_frozen_the_model_is_not_even_loaded(fleet: WorkerHarness, backends: Backends) -> None:
    first = fleet.harness(2, name="first", caption=BLIP)
    second = fleet.harness(name="second", caption=BLIP)
    caption_all(fleet)
    artworks_of(fleet.database, 1)
    first.plan()
    caption_all(fleet)
    loads = len(backends["plain"].log)

    second.plan()
    caption_all(fleet)

    assert second.states(Stage.CAPTION) == {"done": 3}
    assert calls(backends) == 3
    assert len(backends["plain"].log) == loads


@pytest.mark.parametrize(
    "other",
    [
        {**BLIP, "model": "hub/git"},
        {**BLIP, "dtype": "float16"},
        {**BLIP, "settings": {"seconds_per_batch": 0.001}},
        {**BLIP, "backend": "other"},
    ],
    ids=["model", "dtype", "settings", "backend"],
)
def test_another_model_or_setting_describes_anew(other: dict[str, Any], fleet: WorkerHarness, backends: Backends) -> None:
    backends["other"] = backends["plain"]
    fleet.harness(3, name="first", caption=BLIP)
    caption_all(fleet)

    second = fleet.harness(name="second", caption=other)
    caption_all(fleet)

    assert calls(backends) == 6
    assert second.states(Stage.CAPTION) == {"done": 3}


def test_another_revision_describes_anew(fleet: WorkerHarness, backends: Backends) -> None:
    fleet.harness(3, name="first", caption=BLIP)
    caption_all(fleet)
    backends["plain"] = scripted(load=lambda _: "r2")

    second = fleet.harness(name="second", caption=BLIP)
    caption_all(fleet)

    assert calls(backends) == 3
    assert {text[:6] for text in texts(second).values()} == {"r2 saw"}


def test_a_model_without_a_revision_is_asked_each_time(fleet: WorkerHarness, backends: Backends) -> None:
    backends["plain"] = scripted(load=lambda _: "")
    fleet.harness(2, name="first", caption=BLIP)
    caption_all(fleet)

    fleet.harness(name="second", caption=BLIP)
    caption_all(fleet)

    assert calls(backends) == 4


def test_a_requeued_caption_is_made_anew_and_not_copied(fleet: WorkerHarness, backends: Backends) -> None:
    fleet.harness(2, name="first", caption=BLIP)
    caption_all(fleet)
    second = fleet.harness(name="second", caption=BLIP)
    caption_all(fleet)
    before = calls(backends)

    requeue(fleet.database, JobFilter(campaign_id=second.campaign.id, stage=Stage.CAPTION, done=True))
    caption_all(fleet)

    assert before == 2
    assert calls(backends) == 4
    mine = second.rows(captions, captions.c.campaign_id == second.campaign.id)
    assert [(row["current"], row["reused_from"] is None) for row in mine] == [(False, False)] * 2 + [(True, True)] * 2


def test_a_picture_that_was_replaced_is_not_described_by_the_old_sentence(fleet: WorkerHarness, backends: Backends) -> None:
    first = fleet.harness(1, name="first", caption=BLIP)
    caption_all(fleet)
    with fleet.database.engine.begin() as connection:
        connection.execute(update(artworks).values(content_hash="e" * 64))

    second = fleet.harness(name="second", caption=BLIP)
    caption_all(fleet)

    assert calls(backends) == 2
    assert set(texts(second).values()) == {"r1 saw eeeeeeee"}
    assert texts(first) != texts(second)


def test_copies_of_one_picture_within_a_campaign_are_described_once(fleet: WorkerHarness, backends: Backends) -> None:
    artworks_of(fleet.database, 3)
    with fleet.database.engine.begin() as connection:
        connection.execute(update(artworks).values(content_hash="a" * 64))

    harness = fleet.harness(name="copies", caption={**BLIP, "batch": 1})
    caption_all(fleet)

    assert calls(backends) == 1
    assert set(texts(harness).values()) == {"r1 saw aaaaaaaa"}
    assert harness.states(Stage.CAPTION) == {"done": 3}
