"""From a training with its calibration to searches of its campaign, with an embedder that needs no model."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from trainer.calibration.calibration import CALIBRATION
from trainer.data.dataset import load_dataset
from trainer.data.fake_embedder import FakeEmbedder
from trainer.data.pair_source import DatabasePairs
from trainer.fit.config import TrainingConfig
from trainer.model_folder import load_model
from trainer.search.campaign_gallery import campaign_galleries
from trainer.search.gallery import PictureKind, SearchedPictures
from trainer.search.origin_finder import OriginFinder
from trainer.search.query_files import read_query
from trainer.siamese_model import SiameseModel
from trainer.spaces.side_by_side import side_by_side
from trainer.splits import SplitRatio, SplitUnit, disjoint_by
from trainer.training_run import RunConfig, train_run
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db.engine import Database
    from tests.integration.trainer.conftest import Filled
    from trainer.data.dataset import EmbeddingDataset

CONFIG = TrainingConfig(seed=3, epochs=4, batch_size=32, hidden=32, out=32)


@pytest.fixture
def filled(sqlite_database: Database, fill: Callable[..., Filled]) -> Filled:
    torch.set_num_threads(1)
    return fill(sqlite_database, count=60)


def dataset_of(filled: Filled, artists: int) -> EmbeddingDataset:
    """The campaign, its works by so many artists."""
    clip = ModelSource(location="fake", dtype="float32")
    dataset = load_dataset(filled.database, filled.store, filled.campaign, embedder=FakeEmbedder(), clip=clip)
    works = [replace(original, artist=f"Painter {number % artists}") for number, original in enumerate(dataset.originals)]
    return replace(dataset, originals=tuple(works))


def trained(filled: Filled, directory: Path, artists: int = 20) -> Path:
    ratio = disjoint_by(SplitRatio.parse("80/20"), SplitUnit.ARTWORK)  # so that enough artists are on the validation side
    run = RunConfig(ratio=ratio, config=CONFIG, directory=directory)
    return train_run(filled.database, dataset_of(filled, artists), run).directory


def test_a_training_calibrates_its_model_and_does_so_alike_each_time(filled: Filled, tmp_path: Path) -> None:
    first, second = trained(filled, tmp_path / "first"), trained(filled, tmp_path / "second")
    kept = (first / CALIBRATION).read_bytes()

    calibration = load_model(first).calibration

    assert calibration is not None
    assert calibration.search is not None
    assert calibration.pairs.curve.positives == 14  # both repaints of 7 validation works
    assert calibration.search.gallery == 48  # the works that are not tested on
    assert calibration.pairs.probability(0.99)[0] > 0.5 > calibration.pairs.probability(0.0)[0]
    assert (second / CALIBRATION).read_bytes() == kept
    assert (trained(filled, tmp_path / "first") / CALIBRATION).read_bytes() == kept


def test_a_training_that_can_not_be_calibrated_leaves_no_calibration_of_an_earlier_one(filled: Filled, tmp_path: Path) -> None:
    trained(filled, tmp_path / "run")

    trained(filled, tmp_path / "run", artists=3)

    assert load_model(tmp_path / "run").calibration is None


def test_repaints_find_their_originals_by_vectors_from_the_cache(filled: Filled, tmp_path: Path) -> None:
    model = SiameseModel(load_model(trained(filled, tmp_path / "run")), device="cpu")
    embedder = FakeEmbedder()
    model.__dict__["_spaces"] = side_by_side(embedder, ModelSource(location="fake", dtype="float32"))
    source = DatabasePairs(filled.database, filled.store, filled.campaign)
    told: list[tuple[str, int, int]] = []

    galleries = campaign_galleries(
        model,
        source,
        store=filled.store,
        folder=tmp_path / "galleries",
        pictures=SearchedPictures.BOTH,
        on_progress=lambda *progress: told.append(progress),
    )
    made = embedder.embedded
    again = campaign_galleries(model, source, store=filled.store, folder=tmp_path / "galleries", pictures=SearchedPictures.BOTH)

    assert made == 0  # the training has kept them all
    assert told == [("originals", 60, 60), ("repaints", 120, 120)]
    assert [(gallery.kind, len(gallery)) for gallery in again] == [(PictureKind.ORIGINAL, 60), (PictureKind.REPAINT, 120)]
    repaints = [repaint for repaint in source.repaints() if repaint.level == "moderate"][:20]
    queries = []
    for number, repaint in enumerate(repaints):
        (tmp_path / f"{number}.jpg").write_bytes(filled.store.get(repaint.content_hash))
        queries.append(read_query(tmp_path / f"{number}.jpg"))
    assert model.calibration is not None
    found = OriginFinder(model, galleries, model.calibration.search).find(queries, k=3)
    keys = {original.artwork_id: original.key for original in source.originals()}
    assert [one.nearest for one in found] == [keys[repaint.artwork_id] for repaint in repaints]
    assert all(one.pictures[0].same_file and one.pictures[0].kind == "repaint" for one in found)
    assert all(one.pictures[0].similarity == pytest.approx(1, abs=1e-4) for one in found)
    assert min(one.probability or 0 for one in found) > 0.5


def test_vectors_that_the_cache_lacks_are_computed_and_kept_there(filled: Filled, tmp_path: Path) -> None:
    directory = trained(filled, tmp_path / "run")
    shutil.rmtree(tmp_path / "store" / "embeddings")
    model = SiameseModel(load_model(directory), device="cpu")
    embedder = FakeEmbedder()
    model.__dict__["_spaces"] = side_by_side(embedder, ModelSource(location="fake", dtype="float32"))
    source = DatabasePairs(filled.database, filled.store, filled.campaign)

    for folder in ("one", "other"):
        campaign_galleries(model, source, store=filled.store, folder=tmp_path / folder, pictures=SearchedPictures.ORIGINALS)

    assert embedder.embedded == 60
