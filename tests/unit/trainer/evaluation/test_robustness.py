from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from db.store import Store
from tests.unit.trainer.evaluation.test_evaluated_model import repaint
from trainer.data.embeddings import Embeddings, unit_length
from trainer.data.fake_embedder import FakeEmbedder
from trainer.data.originals import GroupedOriginal
from trainer.evaluation.evaluated_model import EvaluatedModel
from trainer.evaluation.robustness import QueryImages, evaluate_alterations
from trainer.heads.siamese import SiameseHead
from trainer.probes.alterations import ALTERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

WORKS = 12


class Unchanged(SiameseHead):
    def __init__(self) -> None:
        super().__init__(dimension=108, hidden=1, out=108, dropout=0)

    def forward(self, vectors: Tensor) -> Tensor:
        return torch.nn.functional.normalize(vectors, dim=-1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


@pytest.fixture
def model(store: Store) -> EvaluatedModel:
    """Twelve pictures of 6 x 6 random colours, each stored as its own repaint."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    pictures = [
        Image.fromarray(random.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize((60, 60), Image.Resampling.NEAREST) for _ in range(WORKS)
    ]
    hashes = []
    for picture in pictures:
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        hashes.append(store.put(buffer.getvalue()))
    vectors = unit_length(FakeEmbedder().embed_images(pictures))
    originals = [
        GroupedOriginal(artwork_id=number, key=f"w{number:02}", group_key=f"g{number}", content_hash=f"o{number}", styles=frozenset())
        for number in range(WORKS)
    ]
    repaints = [
        type(one)(**{**one.__dict__, "content_hash": hashes[number]})
        for number, one in enumerate(repaint(number, "radical", None) for number in range(WORKS))
    ]
    rows = {**{f"o{number}": number for number in range(WORKS)}, **{one: number for number, one in enumerate(hashes)}}
    return EvaluatedModel(
        head=Unchanged().eval(),
        embeddings=Embeddings(vectors=vectors, rows=rows),
        originals=originals,
        repaints=repaints,
        test_groups=[f"g{number}" for number in range(WORKS)],
    )


def queries(store: Store, embedder: FakeEmbedder) -> QueryImages:
    return QueryImages(store=store, embed=lambda images: unit_length(embedder.embed_images(images)))


def test_each_scorer_looks_for_the_originals_of_altered_repaints(store: Store, model: EvaluatedModel) -> None:
    rows = evaluate_alterations(model, queries(store, FakeEmbedder()))

    assert [(row.scorer, row.alteration) for row in rows] == [(one, name) for one in ("clip", "trained") for name in ALTERATIONS]
    found = {row.alteration: row.cells[0] for row in rows if row.scorer == "trained"}
    assert {cell.column for cell in found.values()} == {"recall_at_1"}
    assert (found["none"].figure.value, found["JPEG 40"].figure.value, found["half size"].figure.value) == (1.0, 1.0, 1.0)
    assert found["mirrored"].figure.value < 0.5
    assert found["none"].difference is not None
    assert found["none"].difference.value == 0
    assert {len(row.cells) for row in rows} == {2}


def test_only_so_many_repaints_are_altered(store: Store, model: EvaluatedModel) -> None:
    embedder = FakeEmbedder()

    rows = evaluate_alterations(model, queries(store, embedder), most=5)

    assert embedder.embedded == 5 * len(ALTERATIONS)
    assert {cell.figure.count for row in rows for cell in row.cells} == {5}


def test_repaints_that_can_not_be_read_are_left_out(store: Store, model: EvaluatedModel, tmp_path: Path) -> None:
    gone = model.table.repaints.hashes[3]
    (path,) = (tmp_path / "store").rglob(f"*{gone[4:]}*")
    path.unlink()

    rows = evaluate_alterations(model, queries(store, FakeEmbedder()))

    assert {cell.figure.count for row in rows for cell in row.cells} == {WORKS - 1}
