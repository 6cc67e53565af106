"""What bounds memory changes no figure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from db.store import Store
from trainer.data import vector_matrix
from trainer.data.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.data.embeddings import ImageReference, embed
from trainer.data.fake_embedder import FakeEmbedder
from trainer.evaluate import metrics
from trainer.evaluate.metrics import score_triplets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from trainer.data.triplet_indices import TripletIndices


def test_triplets_are_scored_in_blocks_as_at_once(indices: Callable[..., TripletIndices], monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(size=(80, 8)).astype(np.float32)
    some, chosen = indices(40), np.ones(40, dtype=np.bool_)
    whole = score_triplets("clip", "all", vectors, some, chosen)
    monkeypatch.setattr(metrics, "_PAIRS", 7)
    monkeypatch.setattr(metrics, "_COSINES", 300)
    monkeypatch.setattr(vector_matrix, "IN_MEMORY", 100)

    assert score_triplets("clip", "all", vectors, some, chosen) == whole


def test_many_embeddings_lie_in_a_file_and_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store.create(str(tmp_path / "store"))
    images = []
    for number in range(5):
        buffer = io.BytesIO()
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)).save(buffer, "PNG")
        images.append(ImageReference(content_hash=store.put(buffer.getvalue())))
    space = EmbeddingSpace(model="someone/clip", revision="abc")

    small = embed(images, embedder=FakeEmbedder(), cache=EmbeddingCache(store, space), store=store)
    monkeypatch.setattr(vector_matrix, "IN_MEMORY", 100)
    large = embed(images, embedder=FakeEmbedder(), cache=EmbeddingCache(store, space), store=store)

    assert small.vectors.base is None
    assert large.vectors.base is not None
    for image in images:
        np.testing.assert_array_equal(small.vectors[small.rows[image.content_hash]], large.vectors[large.rows[image.content_hash]])
