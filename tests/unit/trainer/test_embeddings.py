from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from db.store import Store
from trainer import embeddings as module
from trainer.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.embeddings import Embeddings, PictureSource, embed, unit_length
from trainer.fakes import FakeEmbedder
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SPACE = EmbeddingSpace(model="someone/clip", revision="abc")


def picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(str(tmp_path / "store"))
    store.prepare()
    return store


def sources(store: Store, count: int) -> list[PictureSource]:
    return [PictureSource(content_hash=store.put(picture(number))) for number in range(count)]


def run(store: Store, pictures: list[PictureSource], embedder: FakeEmbedder, space: EmbeddingSpace = SPACE, batch: int = 4) -> Embeddings:
    return embed(pictures, embedder=embedder, cache=EmbeddingCache(store, space), store=store, batch_size=batch)


def test_every_picture_gets_its_own_vector_of_length_one(store: Store) -> None:
    pictures = sources(store, 10)

    found = run(store, pictures, FakeEmbedder())

    assert set(found.rows) == {source.content_hash for source in pictures}
    for number, source in enumerate(pictures):
        alone = unit_length(FakeEmbedder().embed_images([Image.open(io.BytesIO(picture(number)))]))[0]
        np.testing.assert_allclose(found.vectors[found.rows[source.content_hash]], alone, atol=1e-6)


def test_a_second_time_nothing_is_computed_and_the_vectors_are_the_same(store: Store) -> None:
    pictures = sources(store, 10)
    first = run(store, pictures, FakeEmbedder())
    embedder = FakeEmbedder()

    second = run(store, pictures, embedder)

    assert embedder.embedded == second.computed == 0
    for content_hash, row in first.rows.items():
        np.testing.assert_array_equal(second.vectors[second.rows[content_hash]], first.vectors[row])


def test_only_what_is_new_is_computed(store: Store) -> None:
    run(store, sources(store, 6), FakeEmbedder())
    embedder = FakeEmbedder()

    run(store, sources(store, 9), embedder)

    assert embedder.embedded == 3


@pytest.mark.parametrize(
    "other",
    [
        EmbeddingSpace(model="someone/clip", revision="abd"),
        EmbeddingSpace(model="another/clip", revision="abc"),
        EmbeddingSpace(model="someone/clip", revision="abc", dtype="float16"),
    ],
)
def test_vectors_of_another_model_revision_or_dtype_are_not_taken(store: Store, other: EmbeddingSpace) -> None:
    pictures = sources(store, 3)
    run(store, pictures, FakeEmbedder(), other)
    embedder = FakeEmbedder()

    run(store, pictures, embedder)

    assert embedder.embedded == 3


def test_a_shard_in_the_wrong_folder_is_left_aside(store: Store) -> None:
    pictures = sources(store, 3)
    other = EmbeddingSpace(model="someone/clip", revision="other")
    run(store, pictures, FakeEmbedder(), other)
    for name in store.names(other.folder):
        store.put_named(name.replace(other.folder, SPACE.folder), store.get_named(name))
    embedder = FakeEmbedder()

    run(store, pictures, embedder)

    assert embedder.embedded == 3


def test_a_broken_shard_is_computed_anew(store: Store) -> None:
    pictures = sources(store, 3)
    run(store, pictures, FakeEmbedder())
    (name,) = store.names(SPACE.folder)
    store.put_named(name, store.get_named(name)[:-7])
    embedder = FakeEmbedder()

    assert len(run(store, pictures, embedder).rows) == 3
    assert embedder.embedded == 3


def test_a_local_models_vectors_are_found_from_another_place_on_another_host(store: Store) -> None:
    pictures = sources(store, 3)
    run(store, pictures, FakeEmbedder(), EmbeddingSpace(model="/home/a/models/clip", revision="sha256:1234"))
    embedder = FakeEmbedder()

    run(store, pictures, embedder, EmbeddingSpace(model="/srv/models/clip", revision="sha256:1234"))

    assert embedder.embedded == 0


def test_an_interrupted_run_keeps_what_it_computed(store: Store) -> None:
    class Dies(FakeEmbedder):
        def embed_images(self, images: object) -> npt.NDArray[np.float32]:
            if self.embedded == 8:
                raise KeyboardInterrupt
            return super().embed_images(images)  # type: ignore[arg-type]

    pictures = sources(store, 12)
    with pytest.raises(KeyboardInterrupt):
        run(store, pictures, Dies())
    embedder = FakeEmbedder()

    run(store, pictures, embedder)

    assert embedder.embedded == 4


def test_long_runs_write_many_shards(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_PICTURES", 4)

    run(store, sources(store, 10), FakeEmbedder())

    assert len(store.names(SPACE.folder)) == 3


def test_what_can_not_be_read_is_reported_and_the_rest_goes_on(store: Store, tmp_path: Path) -> None:
    changed = tmp_path / "changed.png"
    changed.write_bytes(picture(77))
    bad = {
        "not an image": PictureSource(content_hash=store.put(b"no picture at all")),
        "not in the store": PictureSource(content_hash="0" * 64),
        "no longer there": PictureSource(content_hash="1" * 64, link=str(tmp_path / "gone.png")),
        "another picture now": PictureSource(content_hash=hashlib.sha256(picture(5)).hexdigest(), link=str(changed)),
    }

    found = run(store, [*sources(store, 3), *bad.values()], FakeEmbedder())

    assert len(found.rows) == 3
    assert set(found.unreadable) == {source.content_hash for source in bad.values()}
    assert "ingest" in found.unreadable[bad["another picture now"].content_hash]


def test_a_vector_that_is_not_a_number_is_neither_used_nor_kept(store: Store) -> None:
    class Nan(FakeEmbedder):
        def embed_images(self, images: object) -> npt.NDArray[np.float32]:
            vectors = super().embed_images(images)  # type: ignore[arg-type]
            vectors[0, 3] = np.nan
            return vectors

    found = run(store, sources(store, 3), Nan())

    assert list(found.unreadable.values()) == ["the embedder gave NaN"]
    assert len(found.rows) == 2
    assert len(run(store, sources(store, 3), FakeEmbedder()).rows) == 3


def test_a_small_device_gets_smaller_batches_and_the_same_vectors(store: Store) -> None:
    class Small(FakeEmbedder):
        def embed_images(self, images: list[Image.Image]) -> npt.NDArray[np.float32]:  # type: ignore[override]
            if len(images) > 2:
                raise OutOfMemory
            return super().embed_images(images)

    small = run(store, sources(store, 9), Small(), batch=8)
    large = run(store, sources(store, 9), FakeEmbedder(), EmbeddingSpace(model="another", revision="1"))

    for content_hash, row in large.rows.items():
        np.testing.assert_array_equal(small.vectors[small.rows[content_hash]], large.vectors[row])
