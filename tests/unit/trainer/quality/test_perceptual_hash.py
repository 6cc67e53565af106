from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from trainer.quality.near_pairs import MOST_BITS
from trainer.quality.perceptual_hash import bit_distances, difference_hash

EVERY_BIT = 2**64 - 1


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Soft shapes, as a painting has them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def gradient(*, brighter_to_the_right: bool) -> Image.Image:
    row = np.linspace(0, 255, 180).astype(np.uint8)
    return Image.fromarray(np.tile(row if brighter_to_the_right else row[::-1], (64, 1)))


def distance(one: Image.Image, other: Image.Image) -> int:
    hashes = [np.array([difference_hash(image)], dtype=np.uint64) for image in (one, other)]
    return int(bit_distances(*hashes)[0])


def test_each_bit_says_whether_it_becomes_brighter_to_the_right() -> None:
    assert difference_hash(gradient(brighter_to_the_right=True)) == EVERY_BIT
    assert difference_hash(gradient(brighter_to_the_right=False)) == 0
    assert difference_hash(Image.new("RGB", (50, 20), "#a33")) == 0


def test_the_upper_left_pixel_is_the_first_bit() -> None:
    pixels = np.full((8, 9), 100, dtype=np.uint8)
    pixels[0, 0] = 0
    assert difference_hash(Image.fromarray(pixels)) == 1 << 63
    pixels = np.full((8, 9), 100, dtype=np.uint8)
    pixels[7, 8] = 200
    assert difference_hash(Image.fromarray(pixels)) == 1


@pytest.mark.parametrize("seed", range(8))
def test_the_same_picture_stays_near_however_it_is_stored_and_another_is_far(seed: int) -> None:
    one = picture(seed)
    buffer = io.BytesIO()
    one.save(buffer, "JPEG", quality=40)
    assert distance(one, Image.open(buffer)) <= MOST_BITS
    assert distance(one, one.resize((97, 71), Image.Resampling.BICUBIC)) <= MOST_BITS
    assert distance(one, ImageEnhance.Brightness(one).enhance(1.1)) <= MOST_BITS
    assert distance(one, picture(seed + 100)) > 2 * MOST_BITS
    assert distance(one, one.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 2 * MOST_BITS


def test_distances_count_the_bits_that_differ() -> None:
    one = np.array([0, 0, EVERY_BIT, 0b1011], dtype=np.uint64)
    other = np.array([0, EVERY_BIT, EVERY_BIT - 1, 0b0110], dtype=np.uint64)
    assert bit_distances(one, other).tolist() == [0, 64, 1, 3]
