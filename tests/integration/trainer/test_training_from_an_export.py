"""A training on an export gives what the same training on the database gives."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from sqlalchemy import func, select, update

from db.results.export_manifest import MANIFEST, BadExport
from db.tables import artworks, training_runs
from db.training import Split
from producer.export.options import ExportOptions, ExportSplit, OriginalsAs
from producer.export.run import export_campaign
from trainer.data.dataset import embed_pairs, load_dataset
from trainer.data.exports import ExportPairs
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import BadExportFolder, NothingToTrainOn
from trainer.fit.config import TrainingConfig
from trainer.model_folder import load_model
from trainer.splits import GivenSplit, SplitRatio, parse_split
from trainer.training_run import RunConfig, train_run
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from pathlib import Path

    from db.runtime import Runtime
    from tests.integration.trainer.conftest import Filled
    from trainer.data.dataset import EmbeddingDataset
    from trainer.splits import SplitRule

CLIP = ModelSource(location="fake", dtype="float32")
CONFIG = TrainingConfig(seed=3, epochs=4, batch_size=32, hidden=32, out=32)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def export(filled: Filled, folder: Path, name: str = "parquet", **options: Any) -> Path:
    runtime = cast("Runtime", SimpleNamespace(database=filled.database, store=filled.store))
    export_campaign(runtime, folder, ExportOptions(format=name, rows_per_shard=25, **options))
    return folder


def dataset_of(filled: Filled, folder: Path, embedder: FakeEmbedder | None = None) -> EmbeddingDataset:
    return embed_pairs(ExportPairs(folder), filled.store, embedder=embedder or FakeEmbedder(), clip=CLIP)


def run_in(directory: Path, rule: SplitRule | None = None) -> RunConfig:
    return RunConfig(ratio=rule or SplitRatio.parse("80/20"), config=CONFIG, directory=directory)


@pytest.mark.parametrize("name", ["parquet", "hf", "csv", "webdataset", "imagefolder"])
def test_triplets_metrics_and_weights_equal_those_from_the_database(studies: Filled, tmp_path: Path, name: str) -> None:
    stored = load_dataset(studies.database, studies.store, studies.campaign, embedder=FakeEmbedder(), clip=CLIP)
    first = train_run(studies.database, stored, run_in(tmp_path / "stored"))

    exported = dataset_of(studies, export(studies, tmp_path / "out", name))
    second = train_run(None, exported, run_in(tmp_path / "exported"))

    assert second.triplet_set.content_hash == first.triplet_set.content_hash
    assert (second.triplet_set.name, second.triplet_set.recipe) == (first.triplet_set.name, first.triplet_set.recipe)
    assert second.evaluation == first.evaluation
    weights = [(run.directory / "model.safetensors").read_bytes() for run in (first, second)]
    assert weights[0] == weights[1]
    assert load_model(second.directory).config.campaign == "studies"
    with studies.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(training_runs)) == 1


@pytest.mark.parametrize("name", ["parquet", "csv", "webdataset", "imagefolder"])
def test_images_of_an_export_are_read_where_the_store_knows_no_vector(studies: Filled, tmp_path: Path, name: str) -> None:
    folder = export(studies, tmp_path / "out", name)
    for original in load_originals(studies):
        studies.store.delete(original)
    embedder = FakeEmbedder()

    dataset = dataset_of(studies, folder, embedder)

    assert embedder.embedded == 90
    assert (len(dataset.originals), len(dataset.repaints), dataset.embeddings.unreadable) == (30, 60, {})


def load_originals(filled: Filled) -> list[str]:
    with filled.database.read() as connection:
        return list(connection.scalars(select(artworks.c.content_hash)))


def test_prepared_originals_are_other_images_than_those_of_the_store(studies: Filled, tmp_path: Path) -> None:
    load_dataset(studies.database, studies.store, studies.campaign, embedder=FakeEmbedder(), clip=CLIP)
    embedder = FakeEmbedder()

    dataset = dataset_of(studies, export(studies, tmp_path / "out", originals=OriginalsAs.PREPARED), embedder)

    assert embedder.embedded == 30
    assert {original.content_hash for original in dataset.originals}.isdisjoint(load_originals(studies))


def test_the_catalogues_split_is_used_and_validation_drawn_from_its_training_side(studies: Filled, tmp_path: Path) -> None:
    with studies.database.engine.begin() as connection:
        connection.execute(update(artworks).values(subset="train"))
        connection.execute(update(artworks).where(artworks.c.id % 3 == 0).values(subset="test"))
        # A copy of a tested work that is trained on.
        connection.execute(update(artworks).where(artworks.c.id.in_([3, 4])).values(group_key="g002"))
    stored = load_dataset(studies.database, studies.store, studies.campaign, embedder=FakeEmbedder(), clip=CLIP)

    splits = GivenSplit.CATALOGUE.assign(stored, seed=5).sides

    tested = {group for group, split in splits.items() if split is Split.TEST}
    assert tested == {f"g{number:03}" for number in range(30) if number % 3 == 2} - {"g002"}
    assert sum(split is Split.VALIDATION for split in splits.values()) == 3
    assert splits == GivenSplit.CATALOGUE.assign(dataset_of(studies, export(studies, tmp_path / "out")), seed=5).sides
    run = train_run(studies.database, stored, run_in(tmp_path / "model", parse_split("catalogue")))
    assert run.triplet_set.recipe["split"] == "catalogue"
    assert run.triplet_set.recipe["groups"] == {"train": 17, "validation": 3, "test": 9}


def test_an_exports_own_split_is_used(studies: Filled, tmp_path: Path) -> None:
    folder = export(studies, tmp_path / "out", split=ExportSplit.parse("60/20/20"), split_seed=4)

    splits = parse_split("export").assign(dataset_of(studies, folder), seed=0).sides

    assert [list(splits.values()).count(split) for split in Split] == [18, 6, 6]


def test_a_split_that_did_not_come_with_the_data_is_told(studies: Filled, tmp_path: Path) -> None:
    dataset = dataset_of(studies, export(studies, tmp_path / "out"))
    for rule in GivenSplit:
        with pytest.raises(NothingToTrainOn, match=f"--split {rule}: the data came with no such split"):
            rule.assign(dataset, seed=0)
    with studies.database.engine.begin() as connection:
        connection.execute(update(artworks).values(subset="train"))
    stored = load_dataset(studies.database, studies.store, studies.campaign, embedder=FakeEmbedder(), clip=CLIP)
    with pytest.raises(NothingToTrainOn, match="0 different artworks with repaints to test"):
        GivenSplit.CATALOGUE.assign(stored, seed=0)
    with pytest.raises(ValueError, match="is no split"):
        parse_split("kaggle")


def test_a_folder_that_is_no_finished_export_is_told_in_one_line(studies: Filled, tmp_path: Path) -> None:
    with pytest.raises(BadExportFolder, match=f"no {MANIFEST}"):
        ExportPairs(tmp_path)
    folder = export(studies, tmp_path / "out")
    (folder / "train-00001-of-00003.parquet").write_bytes(b"cut off")
    with pytest.raises(BadExportFolder, match=r"train-00001-of-00003\.parquet cannot be read"):
        ExportPairs(folder)
    (folder / "train-00001-of-00003.parquet").unlink()
    with pytest.raises(BadExportFolder, match="cannot be read"):
        ExportPairs(folder)
    facts = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(facts | {"complete": False}))
    with pytest.raises(BadExportFolder, match="is not finished"):
        ExportPairs(folder)
    (folder / MANIFEST).write_text(json.dumps(facts | {"source": {}}))
    with pytest.raises(BadExport, match=r"source\.format"):
        ExportPairs(folder)


def test_an_image_that_is_not_the_one_of_its_table_is_left_out(studies: Filled, tmp_path: Path) -> None:
    folder = export(studies, tmp_path / "out", "imagefolder")
    first, second = sorted(folder.rglob("*.repaint.*"))[:2]
    second.write_bytes(first.read_bytes())

    dataset = dataset_of(studies, folder)

    assert len(dataset.repaints) == 59
    assert "another image than its table says" in next(iter(dataset.embeddings.unreadable.values()))
