"""What a run does when its store was emptied or replaced: the advice that Paragone gives then works."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from db.enums import FailureKind, Stage
from db.jobs.requeue import JobFilter, requeue
from db.runtime import Runtime
from db.settings import Settings
from db.store.founding import adopt_store
from producer.ingest import CatalogueSource, ingest_catalogue
from producer.samples import paint_tree
from tests.builders import harness_of
from workers.backends.fakes import FakeCaptioner
from workers.stages.runners import STAGE_RUNNERS

if TYPE_CHECKING:
    from tests.integration.workers.conftest import WorkerHarness
    from tests.integration.workers.scripted import Scripted


@pytest.mark.parametrize("loss", ["emptied", "replaced"])
def test_after_the_store_was_lost_another_ingest_and_a_requeue_finish_the_captions(
    fleet: WorkerHarness, backends: dict[str, type[Scripted | FakeCaptioner]], loss: str
) -> None:
    backends["fake-caption"] = FakeCaptioner
    fleet.runners = dict(STAGE_RUNNERS)
    source = CatalogueSource(catalogue=paint_tree(fleet.folder / "samples", count=12, size=32, seed=0).folder)
    runtime = Runtime(Settings(data_dir=fleet.folder))
    runtime.database = fleet.database
    ingested = ingest_catalogue(source, database=fleet.database, store=runtime.store)
    assert (ingested.refilled, ingested.changes["arrived"]) == (0, 13)
    harness = harness_of(fleet.database)
    captions = sum(harness.states(Stage.CAPTION).values())
    store = fleet.folder / "store"
    if loss == "emptied":
        shutil.rmtree(store / "blobs")
    else:
        store.rename(fleet.folder / "old")
        store.mkdir()
        adopt_store(fleet.database, runtime.store)
    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()
    assert harness.states(Stage.CAPTION) == {"failed": captions}

    again = ingest_catalogue(source, database=fleet.database, store=runtime.store)
    assert again.refilled == 13
    assert not any(again.changes.values())
    assert requeue(fleet.database, JobFilter(kind=FailureKind.INPUT)) == captions
    fleet.worker(stages=[Stage.CAPTION]).on_wake_up()

    assert harness.states(Stage.CAPTION) == {"done": captions}
    assert ingest_catalogue(source, database=fleet.database, store=runtime.store).refilled == 0
