"""Pictures whose vectors are their thumbnails, in a store and in galleries."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from trainer.data.embeddings import unit_length
from trainer.data.fake_embedder import FakeEmbedder
from trainer.search.gallery import GalleryPicture, PictureKind, SearchGallery
from trainer.search.index import ExactIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt


class ThumbnailEncoder:
    """Unit vectors of thumbnails."""

    def embed(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        return unit_length(FakeEmbedder().embed_images(images)) if images else np.zeros((0, FakeEmbedder.dimension), dtype=np.float32)


def painted(seed: int) -> Image.Image:
    """A picture in coarse colours that only it has."""
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((60, 48), Image.Resampling.NEAREST)


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def picture(number: int, kind: PictureKind = PictureKind.ORIGINAL) -> GalleryPicture:
    return GalleryPicture(
        kind=kind,
        key=f"work-{number}",
        group=f"g{number}",
        artist="A. Painter",
        title=f"Work {number}",
        style=None,
        level=None if kind is PictureKind.ORIGINAL else "radical",
        content_hash=hashlib.sha256(png(painted(number))).hexdigest(),
        link=None,
    )


@pytest.fixture
def encoder() -> ThumbnailEncoder:
    return ThumbnailEncoder()


@pytest.fixture
def gallery(encoder: ThumbnailEncoder) -> Callable[..., SearchGallery]:
    """Of the pictures painted from these seeds."""

    def made(seeds: Sequence[int], kind: PictureKind = PictureKind.ORIGINAL) -> SearchGallery:
        vectors = encoder.embed([painted(seed) for seed in seeds])
        return SearchGallery(kind=kind, pictures=tuple(picture(seed, kind) for seed in seeds), index=ExactIndex(vectors), unreadable={})

    return made
