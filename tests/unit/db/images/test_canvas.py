from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from db.images import ContentBox, content_box, crop, letterbox


@given(width=st.integers(1, 20_000), height=st.integers(1, 20_000), size=st.integers(1, 2048))
def test_the_content_fills_the_canvas_longer_side_centred_and_keeps_its_aspect(width: int, height: int, size: int) -> None:
    box = content_box(width, height, size)

    assert max(box.width, box.height) == size
    assert min(box.width, box.height) >= 1
    assert abs(box.left - (size - box.right)) <= 1
    assert abs(box.top - (size - box.bottom)) <= 1
    assert abs(min(box.width, box.height) - size * min(width, height) / max(width, height)) <= 1


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (10, 10), (5000, 1), (1, 5000), (1, 1)])
def test_cropping_undoes_letterboxing(size: tuple[int, int]) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")

    canvas, box = letterbox(image, 96)

    assert canvas.size == (96, 96)
    assert canvas.mode == "RGB"
    expected = image.resize((box.width, box.height), Image.Resampling.LANCZOS)
    assert ImageChops.difference(crop(canvas, box), expected).getbbox() is None


def test_the_bars_of_a_canvas_carry_the_colours_of_the_edge_they_continue() -> None:
    image = Image.new("RGB", (200, 100), (10, 200, 30))
    image.paste((200, 10, 30), (0, 50, 200, 100))

    canvas, box = letterbox(image, 64)

    assert canvas.getpixel((32, box.top - 1)) == (10, 200, 30)
    assert canvas.getpixel((32, 0)) == (10, 200, 30)
    assert canvas.getpixel((32, 63)) == (200, 10, 30)


def test_a_content_box_goes_through_json_and_refuses_nonsense() -> None:
    box = ContentBox(left=1, top=2, right=30, bottom=40)

    assert ContentBox.from_json(box.to_json()) == box
    assert box.to_json() == [1, 2, 30, 40]
    with pytest.raises(ValueError, match="content box"):
        ContentBox(left=5, top=0, right=5, bottom=10)
    with pytest.raises(ValueError, match="unpack"):
        ContentBox.from_json([1, 2, 3])


def test_a_content_box_beyond_the_canvas_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the canvas"):
        crop(Image.new("RGB", (10, 10)), ContentBox(left=0, top=0, right=11, bottom=5))
