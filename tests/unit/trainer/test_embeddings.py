from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from db.store import Store
from trainer.data import embeddings as embeddings_module
from trainer.data.embedding_cache import EmbeddingCache, EmbeddingSpace
from trainer.data.embeddings import Embeddings, ImageReference, embed, unit_length
from trainer.data.fake_embedder import FakeEmbedder
from workers.backends.errors import OutOfMemory

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SPACE = EmbeddingSpace(model="someone/clip", revision="abc")


def png(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


def stored(store: Store, count: int) -> list[ImageReference]:
    return [ImageReference(content_hash=store.put(png(number))) for number in range(count)]


def run(store: Store, images: list[ImageReference], embedder: FakeEmbedder, space: EmbeddingSpace = SPACE, batch: int = 4) -> Embeddings:
    return embed(images, embedder=embedder, cache=EmbeddingCache(store, space), store=store, batch_size=batch)


def test_every_image_gets_its_own_vector_of_length_one(store: Store) -> None:
    images = stored(store, 10)

    found = run(store, images, FakeEmbedder())

    assert set(found.rows) == {source.content_hash for source in images}
    for number, source in enumerate(images):
        alone = unit_length(FakeEmbedder().embed_images([Image.open(io.BytesIO(png(number)))]))[0]
        np.testing.assert_allclose(found.vectors[found.rows[source.content_hash]], alone, atol=1e-6)


def test_embedding_again_computes_nothing_and_gives_the_same_vectors(store: Store) -> None:
    images = stored(store, 10)
    first = run(store, images, FakeEmbedder())
    embedder = FakeEmbedder()

    second = run(store, images, embedder)

    assert embedder.embedded == second.computed == 0
    for content_hash, row in first.rows.items():
        np.testing.assert_array_equal(second.vectors[second.rows[content_hash]], first.vectors[row])


def test_only_new_images_are_embedded(store: Store) -> None:
    run(store, stored(store, 6), FakeEmbedder())
    embedder = FakeEmbedder()

    run(store, stored(store, 9), embedder)

    assert embedder.embedded == 3


@pytest.mark.parametrize(
    "other",
    [
        EmbeddingSpace(model="someone/clip", revision="abd"),
        EmbeddingSpace(model="another/clip", revision="abc"),
        EmbeddingSpace(model="someone/clip", revision="abc", dtype="float16"),
    ],
)
def test_cached_vectors_of_another_model_revision_or_dtype_are_not_used(store: Store, other: EmbeddingSpace) -> None:
    images = stored(store, 3)
    run(store, images, FakeEmbedder(), other)
    embedder = FakeEmbedder()

    run(store, images, embedder)

    assert embedder.embedded == 3


def test_an_embedding_shard_in_the_wrong_folder_is_ignored(store: Store) -> None:
    images = stored(store, 3)
    other = EmbeddingSpace(model="someone/clip", revision="other")
    run(store, images, FakeEmbedder(), other)
    for name in store.names(other.folder):
        store.put_named(name.replace(other.folder, SPACE.folder), store.get_named(name))
    embedder = FakeEmbedder()

    run(store, images, embedder)

    assert embedder.embedded == 3


def test_a_broken_embedding_shard_is_computed_anew(store: Store) -> None:
    images = stored(store, 3)
    run(store, images, FakeEmbedder())
    (name,) = store.names(SPACE.folder)
    store.put_named(name, store.get_named(name)[:-7])
    embedder = FakeEmbedder()

    assert len(run(store, images, embedder).rows) == 3
    assert embedder.embedded == 3


def test_a_local_models_vectors_are_found_from_another_place_on_another_host(store: Store) -> None:
    images = stored(store, 3)
    run(store, images, FakeEmbedder(), EmbeddingSpace(model="/home/a/models/clip", revision="sha256:1234"))
    embedder = FakeEmbedder()

    run(store, images, embedder, EmbeddingSpace(model="/srv/models/clip", revision="sha256:1234"))

    assert embedder.embedded == 0


def test_an_interrupted_embedding_keeps_what_it_computed(store: Store) -> None:
    class Interrupted(FakeEmbedder):
        def embed_images(self, images: object) -> npt.NDArray[np.float32]:
            if self.embedded == 8:
                raise KeyboardInterrupt
            return super().embed_images(images)  # type: ignore[arg-type]

    images = stored(store, 12)
    with pytest.raises(KeyboardInterrupt):
        run(store, images, Interrupted())
    embedder = FakeEmbedder()

    run(store, images, embedder)

    assert embedder.embedded == 4


def test_embedding_many_images_writes_several_shards(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings_module, "SHARD_IMAGES", 4)

    run(store, stored(store, 10), FakeEmbedder())

    assert len(store.names(SPACE.folder)) == 3


def test_unreadable_images_are_reported_and_the_rest_is_embedded(store: Store, tmp_path: Path) -> None:
    changed = tmp_path / "changed.png"
    changed.write_bytes(png(77))
    bad = {
        "not an image": ImageReference(content_hash=store.put(b"not an image")),
        "not in the store": ImageReference(content_hash="0" * 64),
        "no longer there": ImageReference(content_hash="1" * 64, link=str(tmp_path / "gone.png")),
        "another image now": ImageReference(content_hash=hashlib.sha256(png(5)).hexdigest(), link=str(changed)),
    }

    found = run(store, [*stored(store, 3), *bad.values()], FakeEmbedder())

    assert len(found.rows) == 3
    assert set(found.unreadable) == {source.content_hash for source in bad.values()}
    assert "ingest" in found.unreadable[bad["another image now"].content_hash]


def test_a_vector_with_nan_is_neither_used_nor_cached(store: Store) -> None:
    class Nan(FakeEmbedder):
        def embed_images(self, images: object) -> npt.NDArray[np.float32]:
            vectors = super().embed_images(images)  # type: ignore[arg-type]
            vectors[0, 3] = np.nan
            return vectors

    found = run(store, stored(store, 3), Nan())

    assert list(found.unreadable.values()) == ["the embedder gave NaN"]
    assert len(found.rows) == 2
    assert len(run(store, stored(store, 3), FakeEmbedder()).rows) == 3


def test_a_device_out_of_memory_gets_smaller_batches_and_the_same_vectors(store: Store) -> None:
    class Small(FakeEmbedder):
        def embed_images(self, images: list[Image.Image]) -> npt.NDArray[np.float32]:  # type: ignore[override]
            if len(images) > 2:
                raise OutOfMemory
            return super().embed_images(images)

    small = run(store, stored(store, 9), Small(), batch=8)
    large = run(store, stored(store, 9), FakeEmbedder(), EmbeddingSpace(model="another", revision="1"))

    for content_hash, row in large.rows.items():
        np.testing.assert_array_equal(small.vectors[small.rows[content_hash]], large.vectors[row])


def test_a_shard_that_holds_nothing_wanted_is_fetched_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    images = stored(store, 12)
    for start in (0, 4, 8):
        run(store, images[start : start + 4], FakeEmbedder())
    fetched: list[str] = []
    whole = store.get_named

    def recorded(name: str) -> bytes:
        fetched.append(name)
        return whole(name)

    monkeypatch.setattr(store, "get_named", recorded)
    cache = EmbeddingCache(store, SPACE)

    assert cache.read({images[0].content_hash}).keys() == {images[0].content_hash}
    assert len(fetched) == 3
    assert cache.read({images[5].content_hash}).keys() == {images[5].content_hash}
    assert len(fetched) == 4
    run(store, stored(store, 14)[12:], FakeEmbedder())
    assert len(cache.read({image.content_hash for image in stored(store, 14)})) == 14, "what was written since is read too"
