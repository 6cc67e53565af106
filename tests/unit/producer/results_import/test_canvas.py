"""Bars are cut off where there are some, and only there."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageStat

from db.images import ContentBox
from producer.results_import.canvas import CanvasChoice, CanvasForm, restore

SIZE = 96


def picture(width: int, height: int, *, darkest: int = 90) -> Image.Image:
    """Stripes and discs, nowhere darker than `darkest`, nowhere plain along a whole side."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for x in range(0, width, 4):
        draw.rectangle((x, 0, x + 3, height), fill=(darkest + x * 31 % 120, darkest + x * 17 % 140, darkest + x * 7 % 100))
    draw.ellipse((width // 4, height // 4, width // 2, height // 2), fill=(240, 120, darkest))
    return image


def on_bars(image: Image.Image, size: int, colour: tuple[int, int, int] = (0, 0, 0), *, up: bool = False) -> tuple[Image.Image, ContentBox]:
    """The image on a square, its sides rounded down (or to the nearest), and where it lies."""
    scale = size / max(image.size)
    sides = [max(1, round(side * scale) if up else int(side * scale)) for side in image.size]
    canvas = Image.new("RGB", (size, size), colour)
    left, top = (size - sides[0]) // 2, (size - sides[1]) // 2
    canvas.paste(image.resize((sides[0], sides[1]), Image.Resampling.LANCZOS), (left, top))
    return canvas, ContentBox(left=left, top=top, right=left + sides[0], bottom=top + sides[1])


def as_jpeg(image: Image.Image, quality: int = 90) -> Image.Image:
    data = BytesIO()
    image.save(data, "JPEG", quality=quality)
    return Image.open(data).convert("RGB")


def differ(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


@settings(deadline=None, max_examples=60)
@given(
    short=st.integers(30, 180), up=st.booleans(), sideways=st.booleans(), colour=st.sampled_from([(0, 0, 0), (255, 255, 255), (3, 2, 5)])
)
def test_bars_of_any_original_are_cut_off_to_the_pixel(short: int, up: bool, sideways: bool, colour: tuple[int, int, int]) -> None:
    original = picture(short, 200) if sideways else picture(200, short)
    canvas, box = on_bars(original, SIZE, colour, up=up)

    restored = restore(canvas, original, CanvasChoice.AUTO)

    assert restored.form is CanvasForm.LETTERBOX
    assert restored.box == box
    assert restored.image.size == (box.width, box.height)


@pytest.mark.parametrize("size", [(200, 120), (120, 200), (200, 170)])
def test_bars_under_jpeg_and_a_generator_s_noise_are_cut_off(size: tuple[int, int]) -> None:
    original = picture(*size)
    canvas, box = on_bars(original, 256)
    noise = Image.effect_noise((256, 256), 6).convert("RGB")
    painted = as_jpeg(ImageChops.add(canvas, ImageChops.subtract(noise, Image.new("RGB", noise.size, (124, 124, 124)))), 75)

    restored = restore(painted, original, CanvasChoice.AUTO)

    assert restored.form is CanvasForm.LETTERBOX
    for mine, theirs in zip(restored.box.to_json(), box.to_json(), strict=True):
        assert abs(mine - theirs) <= 1


def test_bars_that_a_generator_has_painted_over_are_cut_off() -> None:
    original = picture(200, 110)
    canvas, box = on_bars(original, 256)
    painted = canvas.copy()
    draw = ImageDraw.Draw(painted)
    for x in range(0, 256, 32):
        draw.ellipse((x, 4, x + 20, 24), fill=(70, 60, 50))
        draw.ellipse((x, 230, x + 20, 250), fill=(50, 60, 80))

    restored = restore(painted, original, CanvasChoice.AUTO)

    assert (restored.form, restored.box) == (CanvasForm.LETTERBOX, box)


@settings(deadline=None, max_examples=40)
@given(short=st.integers(30, 180), sideways=st.booleans())
def test_a_stretched_picture_is_squeezed_back(short: int, sideways: bool) -> None:
    original = picture(short, 200) if sideways else picture(200, short)
    stretched = original.resize((SIZE, SIZE), Image.Resampling.LANCZOS)

    restored = restore(stretched, original, CanvasChoice.AUTO)

    assert restored.form is CanvasForm.STRETCH
    assert max(restored.image.size) == SIZE
    assert restored.image.width / restored.image.height == pytest.approx(original.width / original.height, rel=0.04)
    assert restored.box == ContentBox(left=0, top=0, right=SIZE, bottom=SIZE)


def test_a_dark_picture_that_was_stretched_is_not_taken_for_one_with_bars() -> None:
    # Given an original whose upper and lower thirds are black
    original = Image.new("RGB", (200, 100))
    original.paste(picture(200, 30), (0, 35))
    stretched = original.resize((SIZE, SIZE), Image.Resampling.LANCZOS)

    restored = restore(stretched, original, CanvasChoice.AUTO)

    assert restored.form is CanvasForm.STRETCH
    assert differ(restored.image, original.resize(restored.image.size)) < 5


def test_a_dark_picture_on_bars_is_cut_where_its_aspect_says() -> None:
    original = Image.new("RGB", (200, 100))
    original.paste(picture(200, 30), (0, 35))
    canvas, box = on_bars(original, SIZE)

    restored = restore(canvas, original, CanvasChoice.AUTO)

    assert restored.form is CanvasForm.LETTERBOX
    assert restored.box == box


@pytest.mark.parametrize("size", [(SIZE, SIZE), (SIZE, 95), (60, 60)])
def test_a_square_original_leaves_the_square_as_it_is(size: tuple[int, int]) -> None:
    canvas = picture(SIZE, SIZE)

    restored = restore(canvas, picture(*size), CanvasChoice.AUTO)

    assert restored.form is CanvasForm.AS_IS
    assert restored.image is canvas


def test_a_repaint_that_is_no_square_is_left_as_it_is() -> None:
    assert restore(picture(96, 64), picture(200, 120), CanvasChoice.AUTO).form is CanvasForm.AS_IS


def test_the_operator_rules() -> None:
    original = picture(200, 120)
    canvas, box = on_bars(original, SIZE)
    stretched = original.resize((SIZE, SIZE))

    assert restore(canvas, original, CanvasChoice.AS_IS).form is CanvasForm.AS_IS
    assert restore(canvas, original, CanvasChoice.STRETCH).form is CanvasForm.STRETCH
    assert restore(stretched, original, CanvasChoice.LETTERBOX).form is CanvasForm.LETTERBOX
    assert restore(canvas, original, CanvasChoice.LETTERBOX).box == box
