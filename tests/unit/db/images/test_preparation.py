from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, ImageStat

from db.images import ContentBox, bucket, buckets, content_box, letterbox, prepare, prepared_original

if TYPE_CHECKING:
    from db.images import Preparation

PREPARATIONS: list[Preparation] = ["letterbox", "buckets", "crop", "stretch"]
SIDES = st.integers(1, 400)


def scene(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards: the colour tells the place."""
    ramp = Image.linear_gradient("L")
    across, down = ramp.rotate(90).resize((width, height)), ramp.resize((width, height))
    return Image.merge("RGB", (across, down, Image.new("L", (width, height), 90)))


def difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


@settings(deadline=None, max_examples=80)
@given(width=SIDES, height=SIDES, size=st.sampled_from([64, 96, 128, 256]), preparation=st.sampled_from(PREPARATIONS))
def test_a_repaint_shows_what_the_prepared_original_shows(width: int, height: int, size: int, preparation: Preparation) -> None:
    original = scene(width, height)

    laid_out = prepare(original, size=size, preparation=preparation)
    kept = laid_out.keep(ImageOps.invert(laid_out.canvas))

    assert kept.size == laid_out.kept_size
    shown = prepared_original(original, json.loads(json.dumps(laid_out.provenance)))
    assert laid_out.canvas.mode == "RGB"
    if min(shown.size) > 8 and min(kept.size) > 8:
        small = (32, 32)
        assert difference(ImageOps.invert(kept).resize(small), shown.resize(small)) < 8
        # Their aspects agree as well as whole pixels allow.
        assert abs(kept.width / kept.height / (shown.width / shown.height) - 1) < 1 / min(shown.size) + 1 / min(kept.size)


@settings(deadline=None)
@given(width=st.integers(1, 9000), height=st.integers(1, 9000), size=st.sampled_from([512, 768, 1024, 1536]))
def test_a_bucket_is_of_the_nearest_aspect_and_never_larger_than_the_square(width: int, height: int, size: int) -> None:
    across, down = bucket(width, height, size)

    assert across % 64 == down % 64 == 0
    assert 0.875 * size * size <= across * down <= size * size
    assert max(across, down) <= 4 * min(across, down)
    assert (down, across) in buckets(size)
    off = max(across * height / (down * width), down * width / (across * height))
    assert all(off <= 1e-9 + max(w * height / (h * width), h * width / (w * height)) for w, h in buckets(size))


def test_the_buckets_are_these() -> None:
    wide = [shape for shape in buckets(1024) if shape[0] >= shape[1]]

    assert wide[0] == (960, 960)
    assert [shape for shape in wide if 1 <= shape[0] / shape[1] < 1.5] == [
        (960, 960),
        (1024, 1024),
        (1024, 960),
        (1088, 960),
        (1024, 896),
        (1088, 896),
        (1152, 896),
        (1152, 832),
        (1216, 832),
    ]
    assert wide[-1] == (2048, 512)
    assert bucket(1000, 1000, 1024) == (1024, 1024)


@settings(deadline=None)
@given(aspect=st.floats(0.26, 3.85))
def test_little_is_cut_off_at_full_size(aspect: float) -> None:
    width, height = (2000, round(2000 / aspect)) if aspect > 1 else (round(2000 * aspect), 2000)
    across, down = bucket(width, height, 1024)

    kept = min(across * height / (down * width), down * width / (across * height))
    assert kept > 0.93


@settings(deadline=None, max_examples=60)
@given(width=st.integers(30, 400), height=st.integers(30, 400))
def test_no_bar_lies_on_a_bucket_but_for_the_longest_images(width: int, height: int) -> None:
    laid_out = prepare(scene(width, height), size=256, preparation="buckets")

    assert laid_out.canvas.size == bucket(width, height, 256)
    if max(width, height) <= 2 * min(width, height):
        assert laid_out.box == ContentBox(left=0, top=0, right=laid_out.canvas.width, bottom=laid_out.canvas.height)
    if laid_out.source_box is not None:
        assert laid_out.source_box.width >= 0.86 * width
        assert laid_out.source_box.height >= 0.86 * height


def test_an_image_too_long_for_any_bucket_is_letterboxed_in_the_longest_and_shown_whole() -> None:
    laid_out = prepare(scene(1000, 50), size=512, preparation="buckets")

    assert laid_out.canvas.size == (1024, 256)
    assert laid_out.source_box is None
    assert (laid_out.box.width, laid_out.box.height) == (1024, 51)


def test_a_crop_is_the_square_in_the_middle() -> None:
    laid_out = prepare(scene(300, 100), size=64, preparation="crop")

    assert laid_out.canvas.size == laid_out.kept_size == (64, 64)
    assert laid_out.source_box == ContentBox(left=100, top=0, right=200, bottom=100)
    assert laid_out.provenance == {
        "canvas": [64, 64],
        "content_box": [0, 0, 64, 64],
        "preparation": "crop",
        "source_box": [100, 0, 200, 100],
    }


def test_a_stretch_is_the_plain_resize_and_its_repaint_comes_back_in_the_originals_aspect() -> None:
    original = scene(300, 100)

    laid_out = prepare(original, size=64, preparation="stretch")

    assert ImageChops.difference(laid_out.canvas, original.resize((64, 64), Image.Resampling.LANCZOS)).getbbox() is None
    box = content_box(300, 100, 64)
    assert laid_out.keep(laid_out.canvas).size == (box.width, box.height) == (64, 21)
    assert prepared_original(original, laid_out.provenance) is original


def test_a_letterbox_is_what_it_was() -> None:
    original = scene(300, 100)
    canvas, box = letterbox(original, 64)

    laid_out = prepare(original, size=64)

    assert laid_out.canvas.tobytes() == canvas.tobytes()
    assert laid_out.provenance == {"canvas": 64, "content_box": box.to_json()}


@pytest.mark.parametrize("size", [(4, 4), (1, 1), (5000, 1), (1, 5000)])
@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_no_size_is_too_odd(size: tuple[int, int], preparation: Preparation) -> None:
    laid_out = prepare(scene(*size), size=64, preparation=preparation)

    assert min(laid_out.keep(laid_out.canvas).size) >= 1
