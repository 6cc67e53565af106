"""Training keeps artists apart, is stopped by what its sides share, and records both."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image
from sqlalchemy import update

from db.tables import artworks
from db.training import Split
from trainer.audit import AUDIT, REFUSED_AUDIT, LeakageAudit, SharedKind
from trainer.data.dataset import load_dataset
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import LeakingSplit
from trainer.evaluate.saved import evaluate_saved
from trainer.fit.config import TrainingConfig
from trainer.model_folder import load_model
from trainer.splits import GivenSplit, SplitRatio, SplitUnit, split_groups
from trainer.training_run import RunConfig, StartMode, train_run
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.trainer.conftest import Filled
    from trainer.data.dataset import EmbeddingDataset
    from trainer.splits import SplitRule

CLIP = ModelSource(location="fake", dtype="float32")
CONFIG = TrainingConfig(seed=3, epochs=3, batch_size=32, hidden=16, out=16)
RATIO = SplitRatio.parse("80/20")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def by_ten_artists(studies: Filled) -> Filled:
    with studies.database.engine.begin() as connection:
        for number in range(10):
            connection.execute(update(artworks).where(artworks.c.id % 10 == number).values(artist=f"Painter {number}"))
    return studies


def dataset_of(filled: Filled) -> EmbeddingDataset:
    return load_dataset(filled.database, filled.store, filled.campaign, embedder=FakeEmbedder(), clip=CLIP)


def run_in(directory: Path, rule: SplitRule = RATIO) -> RunConfig:
    return RunConfig(ratio=rule, config=CONFIG, directory=directory)


def sides_by_artist(dataset: EmbeddingDataset, sides: dict[str, Split]) -> dict[str, set[Split]]:
    found: dict[str, set[Split]] = {}
    for original in dataset.originals:
        found.setdefault(original.artist or "", set()).add(sides[original.group_key])
    return found


def plant_copy(filled: Filled, rule: SplitRule = RATIO, *, quality: int | None = None) -> tuple[str, str]:
    """Give a work of the training side the picture of a tested one, as it is or encoded anew; the keys of both."""
    dataset = dataset_of(filled)
    sides = rule.assign(dataset, CONFIG.seed).sides
    trained = next(one for one in dataset.originals if sides[one.group_key] is Split.TRAIN)
    tested = next(one for one in dataset.originals if sides[one.group_key] is Split.TEST)
    content = tested.content_hash
    if quality is not None:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(filled.store.get(content))).save(buffer, "JPEG", quality=quality)
        content = filled.store.put(buffer.getvalue())
    with filled.database.engine.begin() as connection:
        connection.execute(update(artworks).where(artworks.c.id == trained.artwork_id).values(content_hash=content))
    return trained.key, tested.key


def test_artists_are_kept_apart_and_the_record_says_by_what(by_ten_artists: Filled, tmp_path: Path) -> None:
    dataset = dataset_of(by_ten_artists)

    run = train_run(by_ten_artists.database, dataset, run_in(tmp_path))

    assert all(len(sides) == 1 for sides in sides_by_artist(dataset, run.assignment.sides).values())
    config = load_model(tmp_path).config
    recipe = config.triplets.recipe
    assert recipe == run.triplet_set.recipe
    assert (recipe["split"], recipe["disjoint"], recipe["split_seed"]) == ("80/20", "artist", 3)
    assert recipe["split_fingerprint"] == run.assignment.fingerprint
    assert recipe["groups"] == {"train": 18, "validation": 6, "test": 6}
    audit = LeakageAudit.model_validate_json((tmp_path / AUDIT).read_text())
    assert (audit.leaks, audit.unit, audit.split_fingerprint) == ([], SplitUnit.ARTIST, run.assignment.fingerprint)
    assert config.audit == audit.summary()


def test_three_shares_train_too(by_ten_artists: Filled, tmp_path: Path) -> None:
    run = train_run(by_ten_artists.database, dataset_of(by_ten_artists), run_in(tmp_path, SplitRatio.parse("60/20/20")))

    assert run.triplet_set.recipe["groups"] == {"train": 18, "validation": 6, "test": 6}
    assert run.triplet_set.name.startswith("studies/60-20-20/")


def test_too_few_artists_are_told_and_shared_artists_only_warned_of(studies: Filled, tmp_path: Path) -> None:
    run = train_run(studies.database, dataset_of(studies), run_in(tmp_path))

    assert run.assignment.unit is SplitUnit.ARTWORK
    assert run.triplet_set.recipe["split_notes"][0].startswith("3 artists are too few")
    assert (run.audit.leaks, run.audit.summary().warnings[SharedKind.ARTIST]) == ([], 3)


@pytest.mark.parametrize(("quality", "kind"), [(None, "1 x equal content"), (70, "x near-duplicate")])
def test_a_work_of_the_training_side_with_the_picture_of_a_tested_one_stops_the_training(
    by_ten_artists: Filled, tmp_path: Path, quality: int | None, kind: str
) -> None:
    trained, tested = plant_copy(by_ten_artists, quality=quality)

    with pytest.raises(LeakingSplit) as caught:
        train_run(by_ten_artists.database, dataset_of(by_ten_artists), run_in(tmp_path / "model"))

    assert kind in str(caught.value)
    assert f"the first: {trained} (train) and {tested} (test)" in str(caught.value)
    assert str(tmp_path / "model" / REFUSED_AUDIT) in str(caught.value)
    assert [path.name for path in (tmp_path / "model").iterdir()] == [REFUSED_AUDIT]


def test_leaks_may_be_allowed_and_the_model_says_so(by_ten_artists: Filled, tmp_path: Path) -> None:
    plant_copy(by_ten_artists, quality=70)

    train_run(by_ten_artists.database, dataset_of(by_ten_artists), replace(run_in(tmp_path), allow_leaks=True))

    audit = load_model(tmp_path).config.audit
    assert audit is not None
    assert (set(audit.leaks), audit.allowed) == ({SharedKind.NEAR_DUPLICATE}, True)


def test_under_random_models_only_names_and_bytes_are_compared(by_ten_artists: Filled, tmp_path: Path) -> None:
    plant_copy(by_ten_artists, quality=70)

    run = train_run(by_ten_artists.database, dataset_of(by_ten_artists), replace(run_in(tmp_path), untrained_models=True))

    assert (run.audit.findings, run.audit.checked) == ((), ("groups, artists and bytes of 90 pictures",))


def test_works_that_look_the_same_may_be_joined(by_ten_artists: Filled, tmp_path: Path) -> None:
    keys = plant_copy(by_ten_artists, quality=70)
    dataset = dataset_of(by_ten_artists)

    run = train_run(by_ten_artists.database, dataset, replace(run_in(tmp_path), join_alike=True))

    groups = dataset.groups_by_key
    assert len({run.assignment.sides[groups[key]] for key in keys}) == 1
    assert run.audit.leaks == []
    assert run.triplet_set.recipe["split_notes"] == ["pairs of works that look the same and are kept on one side: 1"]
    assert all(len(sides) == 1 for sides in sides_by_artist(dataset, run.assignment.sides).values())


def test_a_given_split_is_trained_on_as_it_is_with_its_shared_artists_told(by_ten_artists: Filled, tmp_path: Path) -> None:
    with by_ten_artists.database.engine.begin() as connection:
        connection.execute(update(artworks).values(subset="train"))
        connection.execute(update(artworks).where(artworks.c.id % 3 == 0).values(subset="test"))

    run = train_run(by_ten_artists.database, dataset_of(by_ten_artists), run_in(tmp_path, GivenSplit.CATALOGUE))

    assert run.triplet_set.recipe["disjoint"] == "given"
    assert (run.audit.leaks, run.audit.summary().warnings) == ([], {SharedKind.ARTIST: 10})


def test_what_was_trained_by_artwork_before_is_resumed_and_evaluated_by_artwork(by_ten_artists: Filled, tmp_path: Path) -> None:
    dataset = dataset_of(by_ten_artists)
    by_artwork = replace(RATIO, unit=SplitUnit.ARTWORK)
    first = train_run(by_ten_artists.database, dataset, run_in(tmp_path, by_artwork))
    config = json.loads((tmp_path / "config.json").read_text())
    config.pop("audit")
    for added in ("disjoint", "split_seed", "split_fingerprint", "split_notes"):
        config["triplets"]["recipe"].pop(added)
    (tmp_path / "config.json").write_text(json.dumps(config))

    again = evaluate_saved(by_ten_artists.database, by_ten_artists.store, load_model(tmp_path), FakeEmbedder())
    resumed = train_run(by_ten_artists.database, dataset, replace(run_in(tmp_path, by_artwork), start=StartMode.RESUME))

    assert first.assignment.sides == split_groups(dataset.group_styles, RATIO, CONFIG.seed)
    assert again.find("clip") == first.evaluation.find("clip")
    assert resumed.evaluation == first.evaluation
