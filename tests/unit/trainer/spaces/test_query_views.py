from __future__ import annotations

import io
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from PIL import Image

from db.results.pairs import read_image_bytes
from db.store import Store
from trainer.data.embeddings import unit_length
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import UnknownComponent
from trainer.heads.mlp import MlpHead
from trainer.heads.projection import project
from trainer.spaces.query_views import embed_query_views, project_query_views
from trainer.spaces.views import VIEW_SETS, VIEWS
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from trainer.data.embeddings import Embeddings
    from trainer.data.pair_source import PairSource

CLIP = ModelSource(location="fake", dtype="float32")


def picture(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 255, (24, 30, 3), dtype=np.uint8))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


@pytest.fixture
def hashes(store: Store) -> list[str]:
    stored = []
    for number in range(7):
        buffer = io.BytesIO()
        picture(number).save(buffer, "PNG")
        stored.append(store.put(buffer.getvalue()))
    return stored


def seen(store: Store, hashes: Sequence[str], embedder: FakeEmbedder, views: str = "mirror+crops") -> Iterator[Embeddings]:
    source = cast("PairSource", SimpleNamespace(read_image=partial(read_image_bytes, store)))
    return embed_query_views(source, store, hashes, embedder=embedder, clip=CLIP, views=views)


def test_each_view_of_each_query_is_embedded_once_and_projected_in_its_place(store: Store, hashes: list[str]) -> None:
    torch.manual_seed(0)
    head, embedder = MlpHead(dimension=FakeEmbedder.dimension, hidden=8, out=8), FakeEmbedder()

    vectors = project_query_views(head, seen(store, hashes, embedder), hashes)

    assert vectors.shape == (7, 8, 8)
    for place, name in enumerate(VIEW_SETS["mirror+crops"]):
        expected = FakeEmbedder().embed_images([VIEWS[name](picture(number)) for number in range(7)])
        np.testing.assert_allclose(vectors[:, place], project(head, unit_length(expected)), atol=1e-5)
    assert embedder.embedded == 56
    again = FakeEmbedder()
    np.testing.assert_array_equal(project_query_views(head, seen(store, hashes, again), hashes), vectors)
    assert again.embedded == 0


def test_a_view_that_has_no_vector_stands_as_the_plain_one(store: Store, hashes: list[str]) -> None:
    class Dazzled(FakeEmbedder):
        def embed_images(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
            vectors = super().embed_images(images)
            mirrored = np.asarray(VIEWS["mirrored"](picture(3)))
            vectors[[np.array_equal(np.asarray(image), mirrored) for image in images]] = np.nan
            return vectors

    head = MlpHead(dimension=FakeEmbedder.dimension, hidden=8, out=8)

    vectors = project_query_views(head, seen(store, hashes, Dazzled(), "mirror"), hashes)

    np.testing.assert_array_equal(vectors[3, 1], vectors[3, 0])
    assert not np.allclose(vectors[2, 1], vectors[2, 0])


def test_a_query_that_cannot_be_seen_at_all_has_no_views(store: Store, hashes: list[str]) -> None:
    head = MlpHead(dimension=FakeEmbedder.dimension, hidden=8, out=8)
    with pytest.raises(ValueError, match="plain vector"):
        project_query_views(head, seen(store, hashes, FakeEmbedder()), [*hashes, "0" * 64])
    with pytest.raises(UnknownComponent, match="no views"):
        next(seen(store, hashes, FakeEmbedder(), "all"))
