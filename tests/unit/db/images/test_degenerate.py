from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageEnhance

from db.images import degenerate_reason


def painting(size: tuple[int, int] = (96, 64)) -> Image.Image:
    gradient = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (gradient, gradient.transpose(Image.Transpose.ROTATE_180), Image.radial_gradient("L").resize(size)))


def grained(colour: tuple[int, int, int], sigma: float) -> Image.Image:
    noise = Image.effect_noise((96, 64), sigma).convert("RGB")
    return ImageChops.add(Image.new("RGB", (96, 64), colour), noise, offset=-128)


def test_a_repaint_of_nan_is_degenerate() -> None:
    assert (degenerate_reason(original=painting(), repaint=None) or "").startswith("nan")


def test_a_black_repaint_is_degenerate_unless_the_original_is_dark_too() -> None:
    black = Image.new("RGB", (96, 64), (1, 1, 2))

    assert (degenerate_reason(original=painting(), repaint=black) or "").startswith("black")
    assert degenerate_reason(original=grained((12, 8, 10), 3), repaint=black) is None
    assert degenerate_reason(original=Image.new("RGB", (90, 90)), repaint=Image.new("RGB", (64, 64))) is None


def test_a_flat_repaint_is_degenerate_unless_the_original_is_a_monochrome() -> None:
    flat = Image.new("RGB", (96, 64), (120, 110, 100))

    assert (degenerate_reason(original=painting(), repaint=flat) or "").startswith("flat")
    assert degenerate_reason(original=grained((20, 40, 170), 4), repaint=Image.new("RGB", (96, 64), (24, 44, 160))) is None


def test_a_repaint_equal_to_its_original_is_degenerate_even_at_another_size() -> None:
    large = painting((960, 640))

    assert (degenerate_reason(original=painting(), repaint=painting()) or "").startswith("equal")
    same = large.resize((96, 64), Image.Resampling.LANCZOS)
    assert (degenerate_reason(original=large, repaint=same) or "").startswith("equal")


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_a_faithful_repaint_is_sound(factor: float) -> None:
    assert degenerate_reason(original=painting(), repaint=ImageEnhance.Color(painting()).enhance(factor)) is None


def test_the_repaint_of_a_monochrome_may_equal_it() -> None:
    blue = Image.new("RGB", (50, 50), (0, 47, 167))

    assert degenerate_reason(original=blue, repaint=blue) is None


def test_a_repaint_whose_change_a_grid_of_samples_cannot_see_is_not_degenerate() -> None:
    original = painting((1280, 1280))
    pattern = Image.new("L", (4, 1))
    pattern.putdata([255, 255, 0, 255])  # a grid of every fourth pixel looks at the third column
    mask = Image.new("L", original.size)
    for left in range(0, 1280, 4):
        mask.paste(pattern.resize((4, 1280), Image.Resampling.NEAREST), (left, 0))
    striped = Image.composite(Image.new("RGB", original.size, "white"), original, mask)

    assert degenerate_reason(original=original, repaint=striped) is None
