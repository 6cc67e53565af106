"""Difference hashes of pictures, read when they are asked for."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from db.errors import BlobMissing
from trainer.data.embeddings import ImageReference
from trainer.data.picture_hashes import PictureHashes
from trainer.quality.perceptual_hash import bit_distances, difference_hash


def picture(seed: int, size: int = 64) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)


def png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_hashes_are_read_once_by_content_and_link() -> None:
    read: list[tuple[str, str | None]] = []
    files = {"a" * 64: png(picture(1)), "b" * 64: png(picture(1, size=90)), "c" * 64: png(picture(2))}

    def read_image(content_hash: str, link: str | None) -> bytes:
        read.append((content_hash, link))
        return files[content_hash]

    hashes = PictureHashes(read_image, {"b" * 64: ImageReference(content_hash="b" * 64, link="/linked/b.png")})
    first = hashes.of(["a" * 64, "b" * 64, "a" * 64])
    second = hashes.of(["c" * 64, "b" * 64])

    assert first[0] == first[2] == difference_hash(picture(1))
    assert bit_distances(first[:1], first[1:2])[0] <= 2
    assert bit_distances(first[:1], second[:1])[0] > 12
    assert sorted(read) == [("a" * 64, None), ("b" * 64, "/linked/b.png"), ("c" * 64, None)]


def test_what_cannot_be_read_is_near_to_nothing() -> None:
    def read_image(content_hash: str, link: str | None) -> bytes:
        if content_hash == "f" * 64:
            return b"no picture"
        raise BlobMissing(f"{content_hash} is gone ({link})")

    found = PictureHashes(read_image, {}).of(["f" * 64, "0123456789abcdef" * 4])

    assert found.tolist() == [0xFFFFFFFFFFFFFFFF, 0x0123456789ABCDEF]
