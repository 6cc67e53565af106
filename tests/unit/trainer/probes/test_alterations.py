from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from trainer.probes.alterations import ALTERATIONS, cropped_5_percent, cropped_to_80_percent, half_size, mirrored, recompressed, unaltered


@pytest.fixture
def picture() -> Image.Image:
    """200 x 100 pixels: red rises from left to right, green from top to bottom, with noise in blue."""
    pixels = np.zeros((100, 200, 3), dtype=np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(200)[None, :], np.arange(100)[:, None]
    pixels[..., 2] = np.random.default_rng(0).integers(0, 255, (100, 200))
    return Image.fromarray(pixels)


def test_a_crop_to_80_percent_keeps_the_middle_of_that_area(picture: Image.Image) -> None:
    cut = cropped_to_80_percent(picture)

    assert cut.width * cut.height / (200 * 100) == pytest.approx(0.8, abs=0.01)
    assert cut.size == (179, 89)
    assert np.asarray(cut)[0, 0, :2].tolist() == [10, 5]


def test_5_percent_a_side_leave_nine_tenths_of_width_and_height(picture: Image.Image) -> None:
    cut = cropped_5_percent(picture)

    assert cut.size == (180, 90)
    assert np.asarray(cut)[0, 0, :2].tolist() == [10, 5]
    assert np.asarray(cut)[89, 179, :2].tolist() == [189, 94]


def test_mirroring_exchanges_left_and_right_and_twice_is_nothing(picture: Image.Image) -> None:
    assert mirrored(picture).getpixel((0, 40)) == picture.getpixel((199, 40))
    assert mirrored(mirrored(picture)).tobytes() == picture.tobytes()


def test_half_size_is_half_of_each_side_and_never_nothing(picture: Image.Image) -> None:
    assert half_size(picture).size == (100, 50)
    assert half_size(Image.new("RGB", (1, 3))).size == (1, 2)


def test_recompression_loses_detail_and_keeps_the_picture(picture: Image.Image) -> None:
    lossy = recompressed(picture)

    difference = np.asarray(lossy, dtype=float) - np.asarray(picture, dtype=float)
    assert lossy.size == picture.size
    assert np.abs(difference[..., 2]).mean() > 5
    assert np.abs(difference[..., :2].mean()) < 5


def test_every_alteration_gives_rgb_and_leaves_the_picture_alone(picture: Image.Image) -> None:
    before = picture.tobytes()

    for alter in ALTERATIONS.values():
        assert alter(picture).mode == "RGB"

    assert picture.tobytes() == before
    assert unaltered(picture).tobytes() == before
    assert next(iter(ALTERATIONS)) == "none"
