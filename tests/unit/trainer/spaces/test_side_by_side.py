"""Several spaces as one matrix: rows and columns in their order, what is kept as what, and what is left out."""

from __future__ import annotations

import io
import random as shuffling
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest
from PIL import Image

from db.store import Store
from trainer.data import embeddings as embeddings_module
from trainer.data import vector_matrix
from trainer.data.embedding_cache import EmbeddingCache
from trainer.data.embeddings import Embeddings, ImageReference, embed_side_by_side, unit_length
from trainer.data.fake_embedder import FakeEmbedder
from trainer.errors import UnknownComponent
from trainer.spaces.side_by_side import GivenSpace, SpacesSideBySide, side_by_side
from trainer.spaces.space_slice import frozen_slice
from workers.backends.protocol import ModelSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    import numpy.typing as npt

SOURCE = ModelSource(location="someone/model", dtype="float32")


class Brightness(FakeEmbedder):
    """Three numbers a picture: the means of its colours."""

    dimension = 3

    def embed_images(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        self.embedded += len(images)
        return np.array([np.asarray(image.convert("RGB"), np.float32).mean((0, 1)) / 3 for image in images], np.float32)


class Halves(GivenSpace):
    """Kept as float16, and half as large in the matrix."""

    kept_as: ClassVar[Literal["float32", "float16"]] = "float16"

    @property
    def form(self) -> str:
        return "halves"

    def scale(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(vectors / 2, np.float32)


def png(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def picture(number: int) -> Image.Image:
    return Image.open(io.BytesIO(png(number))).convert("RGB")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "store"))


def stored(store: Store, count: int) -> list[ImageReference]:
    return [ImageReference(content_hash=store.put(png(number))) for number in range(count)]


def two_spaces() -> SpacesSideBySide:
    clip = GivenSpace(name="clip", source=SOURCE, embedder=FakeEmbedder("clip-1"))
    return SpacesSideBySide([clip, Halves(name="latents", source=SOURCE, embedder=Brightness("vae-1"))])


def run(store: Store, images: list[ImageReference], spaces: SpacesSideBySide, directory: Path | None = None) -> Embeddings:
    spaces.load()
    return embed_side_by_side(images, spaces.cached_columns(store), store=store, batch_size=4, directory=directory)


def counts(spaces: SpacesSideBySide) -> list[int]:
    return [space.embedder.embedded for space in spaces.spaces if isinstance(space.embedder, FakeEmbedder)]


def test_rows_are_the_images_in_their_order_and_columns_the_spaces_in_theirs(store: Store) -> None:
    images, spaces = stored(store, 10), two_spaces()

    found = run(store, images, spaces)

    assert list(found.rows) == [image.content_hash for image in images]
    assert list(found.rows.values()) == list(range(10))
    clip, latents = spaces.slices
    assert (clip.name, clip.revision, clip.start, clip.stop, clip.dimension) == ("clip", "clip-1", 0, 108, 108)
    assert (latents.name, latents.source, latents.start, latents.stop) == ("latents", "someone/model", 108, 111)
    pictures = [picture(number) for number in range(10)]
    np.testing.assert_allclose(found.vectors[:, clip.columns], unit_length(FakeEmbedder().embed_images(pictures)), atol=1e-6)
    means = Brightness().embed_images(pictures)
    np.testing.assert_allclose(found.vectors[:, latents.columns], means / 2, rtol=2**-11)
    assert not np.array_equal(found.vectors[:, latents.columns], means / 2), "float16 is what the store keeps, and what counts"
    np.testing.assert_allclose(spaces.embed_images(pictures)[:, :108], found.vectors[:, :108], atol=1e-6)
    np.testing.assert_allclose(spaces.embed_images(pictures)[:, 108:], found.vectors[:, 108:], rtol=2**-11)


def test_the_matrix_read_from_the_store_equals_the_one_computed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings_module, "SHARD_IMAGES", 3)
    images = stored(store, 11)
    first = run(store, shuffling.Random(1).sample(images, 7), two_spaces())
    mixed = two_spaces()

    second = run(store, images, mixed)
    third = run(store, images, again := two_spaces())

    assert (first.computed, second.computed, third.computed) == (14, 8, 0)
    assert (counts(mixed), counts(again)) == ([4, 4], [0, 0])
    assert second.rows == third.rows
    np.testing.assert_array_equal(second.vectors, third.vectors)


def test_each_space_has_shards_of_its_own_in_its_own_numbers(store: Store) -> None:
    images, spaces = stored(store, 3), two_spaces()

    run(store, images, spaces)

    folders = [space.kept_under.folder for space in spaces.spaces]
    assert folders == ["embeddings/someone-model@clip-1@float32", "embeddings/someone-model@vae-1@float32@halves.float16"]
    (_, vectors), *others = EmbeddingCache(store, spaces.spaces[1].kept_under).shards({image.content_hash for image in images})
    assert (str(vectors.dtype), vectors.shape, len(others)) == ("float16", (3, 3), 0)
    alone = run(store, images, side_by_side(FakeEmbedder("clip-1"), SOURCE))
    assert alone.computed == 0, "CLIP alone finds what CLIP beside others kept"


def test_a_picture_without_a_vector_in_one_space_is_left_out_of_all_and_told(store: Store) -> None:
    class Blind(Brightness):
        def embed_images(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
            vectors = super().embed_images(images)
            vectors[[np.asarray(image)[0, 0, 0] == np.asarray(picture(2))[0, 0, 0] for image in images]] = np.nan
            return vectors

    good = stored(store, 6)
    gone = ImageReference(content_hash="0" * 64)
    clip = GivenSpace(name="clip", source=SOURCE, embedder=FakeEmbedder())
    spaces = SpacesSideBySide([clip, GivenSpace(name="latents", source=ModelSource(location="vae"), embedder=Blind())])

    found = run(store, [*good[:3], gone, *good[3:]], spaces)

    kept = [image.content_hash for number, image in enumerate(good) if number != 2]
    assert found.rows == {content_hash: row for row, content_hash in enumerate(kept)}
    assert found.vectors.shape == (5, 111)
    assert found.unreadable.keys() == {good[2].content_hash, gone.content_hash}
    assert found.unreadable[good[2].content_hash] == "latents: the embedder gave NaN"
    expected = unit_length(FakeEmbedder().embed_images([picture(number) for number in (0, 1, 3, 4, 5)]))
    np.testing.assert_allclose(found.vectors[:, :108], expected, atol=1e-6)
    assert counts(spaces) == [6, 6], "what cannot be read is not read again for the second space"


def test_a_matrix_too_large_for_memory_lies_in_a_file_and_holds_the_same(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [*stored(store, 20), ImageReference(content_hash="0" * 64), *stored(store, 30)[20:]]
    in_memory = run(store, images, two_spaces())
    monkeypatch.setattr(vector_matrix, "IN_MEMORY", 1000)
    monkeypatch.setattr(vector_matrix, "_MOVED", 2048)

    mapped = run(store, images, two_spaces(), tmp_path / "scratch")

    assert mapped.rows == in_memory.rows
    np.testing.assert_array_equal(mapped.vectors, in_memory.vectors)
    assert list((tmp_path / "scratch").iterdir()) == [], "the file has no name: nothing is left behind"


def test_one_name_twice_and_no_space_at_all_are_refused() -> None:
    clip = GivenSpace(name="clip", source=SOURCE, embedder=FakeEmbedder())
    with pytest.raises(UnknownComponent, match="'clip' is named twice"):
        SpacesSideBySide([clip, clip])
    with pytest.raises(UnknownComponent, match="no space"):
        SpacesSideBySide([])


def test_frozen_means_clip_wherever_it_stands_else_the_first() -> None:
    clip = GivenSpace(name="clip:openai/clip-vit-large-patch14", source=SOURCE, embedder=FakeEmbedder())
    latents = GivenSpace(name="latents", source=SOURCE, embedder=Brightness())

    assert frozen_slice(SpacesSideBySide([latents, clip]).slices).columns == slice(3, 111)
    assert frozen_slice(SpacesSideBySide([latents]).slices).name == "latents"
