"""The canvas that a generator works on, and the way back: letterbox, content box, crop.

The bars are no part of the data set: the repaint is cropped back to its content box before it is stored. While the generator works they
stand beside the content, so they carry the edge's own colours, softened, on to the canvas' border: a black bar would be read as a frame, a
mirrored one as a second subject, and both would be drawn into the content.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How much of the content, in pixels of the canvas, is averaged into the colour of a bar beside it.
_EDGE_DEPTH = 4
#: Into how many colours an edge is softened along its length.
_EDGE_COLOURS = 12


@dataclass(frozen=True, kw_only=True)
class ContentBox:
    """Where the content lies on its canvas, in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right and 0 <= self.top < self.bottom):
            raise ValueError(f"no content box: {self.to_json()}")

    @property
    def width(self) -> int:
        """Pixels from left to right, at least one."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom, at least one."""
        return self.bottom - self.top

    def to_json(self) -> list[int]:
        """`[left, top, right, bottom]`."""
        return [self.left, self.top, self.right, self.bottom]

    @classmethod
    def from_json(cls, value: Sequence[int]) -> Self:
        """The inverse of `to_json`. Raises `ValueError` for anything but four ordered numbers."""
        left, top, right, bottom = (int(number) for number in value)
        return cls(left=left, top=top, right=right, bottom=bottom)


def content_box(width: int, height: int, size: int | tuple[int, int]) -> ContentBox:
    """Where an image of this width and height lies, centred and as large as fits, on a square canvas or one of (width, height).

    No side is under one pixel.
    """
    across, down = (size, size) if isinstance(size, int) else size
    if min(width, height, across, down) < 1:
        raise ValueError(f"no canvas of {across} x {down} px for an image of {width} x {height} px")
    scale = min(across / width, down / height)
    inner_width = min(across, max(1, round(width * scale)))
    inner_height = min(down, max(1, round(height * scale)))
    left, top = (across - inner_width) // 2, (down - inner_height) // 2
    return ContentBox(left=left, top=top, right=left + inner_width, bottom=top + inner_height)


def letterbox(image: Image.Image, size: int | tuple[int, int]) -> tuple[Image.Image, ContentBox]:
    """The image, its aspect kept (Lanczos), on an RGB canvas of (width, height) or a square one, and where on it the image lies."""
    shape = (size, size) if isinstance(size, int) else size
    box = content_box(image.width, image.height, shape)
    content = image.convert("RGB").resize((box.width, box.height), Image.Resampling.LANCZOS)
    if content.size == shape:
        return content, box
    canvas = Image.new("RGB", shape)
    canvas.paste(content, (box.left, box.top))
    _paint_bars(canvas, content, box)
    return canvas, box


def crop(image: Image.Image, box: ContentBox) -> Image.Image:
    """What lies inside the box. Raises `ValueError` if the box reaches beyond the image."""
    if box.right > image.width or box.bottom > image.height:
        raise ValueError(f"the content box {box.to_json()} lies outside the canvas of {image.width} x {image.height} px")
    return image.crop((box.left, box.top, box.right, box.bottom))


def _paint_bars(canvas: Image.Image, content: Image.Image, box: ContentBox) -> None:
    across, down = canvas.size
    width, height = content.size
    depth = min(_EDGE_DEPTH, width, height)
    if box.top > 0:
        _paint_bar(canvas, content.crop((0, 0, width, depth)), (0, 0, across, box.top))
    if box.bottom < down:
        _paint_bar(canvas, content.crop((0, height - depth, width, height)), (0, box.bottom, across, down))
    if box.left > 0:
        _paint_bar(canvas, content.crop((0, 0, depth, height)), (0, 0, box.left, down))
    if box.right < across:
        _paint_bar(canvas, content.crop((width - depth, 0, width, height)), (box.right, 0, across, down))


def _paint_bar(canvas: Image.Image, edge: Image.Image, bar: tuple[int, int, int, int]) -> None:
    width, height = bar[2] - bar[0], bar[3] - bar[1]
    colours = (min(edge.width, _EDGE_COLOURS), 1) if edge.width >= edge.height else (1, min(edge.height, _EDGE_COLOURS))
    soft = edge.resize(colours, Image.Resampling.BOX)
    canvas.paste(soft.resize((width, height), Image.Resampling.BICUBIC), bar[:2])
