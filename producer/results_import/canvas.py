"""From the square that a repaint was made on back to the original's shape: bars are cut off, a stretched picture is squeezed back.

Who published it does not say which of both was done. Of a square repaint whose original is no square the bars tell: plain, alike, and where
the original's aspect puts them. Programs round the content's sides down or to the nearest pixel and centre it either way, so the box that
lies on the sharpest edges is taken among those that differ by a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageStat

from db.images import ContentBox, content_box, crop

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Deviation (0-255) up to which a bar counts as plain, for JPEG rings beside the content, and up to which it may be one that a generator
#: has painted over: then the content alone must look more like the original than the whole does.
_PLAIN, _PAINTED = 10.0, 32.0
#: Mean luma (0-255) up to which a bar counts as black, and from which as white.
_BLACK, _WHITE = 40.0, 215.0
#: How far the mean colours of both bars may lie apart, by channel.
_ALIKE = 14.0
#: Difference of mean luma between a bar's last line and the content's first, at both ends together, from which an edge is certain.
_EDGE = 24
#: Share of the sharpest edges' contrast from which others count as as sharp.
_SHARP = 0.85
#: Pixels beside the content that say little of a bar.
_MARGIN = 2
#: Side of the small pictures by which two readings of a canvas are compared where no edge tells.
_SKETCH = 48


class CanvasChoice(StrEnum):
    """What the operator says of square repaints."""

    #: Judged by the bars of each.
    AUTO = "auto"
    #: Bars stand above and below, or left and right.
    LETTERBOX = "letterbox"
    #: The original was stretched to a square.
    STRETCH = "stretch"
    #: Kept as they are.
    AS_IS = "as-is"


class CanvasForm(StrEnum):
    """What was done with a repaint."""

    #: Its bars were cut off.
    LETTERBOX = "letterbox"
    #: It was squeezed back to its original's aspect.
    STRETCH = "stretch"
    #: Nothing.
    AS_IS = "as-is"


@dataclass(frozen=True, kw_only=True)
class RestoredRepaint:
    """A repaint in its original's shape."""

    image: Image.Image
    form: CanvasForm
    #: Where the original lay on the canvas as it was published, in its pixels.
    box: ContentBox


def restore(repaint: Image.Image, original: Image.Image, choice: CanvasChoice) -> RestoredRepaint:
    """The repaint without what its canvas added; both are upright and RGB. Only squares of what is no square are touched."""
    size = repaint.width
    whole = ContentBox(left=0, top=0, right=repaint.width, bottom=repaint.height)
    as_is = RestoredRepaint(image=repaint, form=CanvasForm.AS_IS, box=whole)
    if choice is CanvasChoice.AS_IS or repaint.width != repaint.height:
        return as_is
    ideal = content_box(original.width, original.height, size)
    if min(ideal.width, ideal.height) >= size - 1:
        return as_is
    if choice is not CanvasChoice.STRETCH:
        box = _content(repaint, original, ideal, certain=choice is CanvasChoice.LETTERBOX)
        if box is not None:
            return RestoredRepaint(image=crop(repaint, box), form=CanvasForm.LETTERBOX, box=box)
    squeezed = repaint.resize((ideal.width, ideal.height), Image.Resampling.LANCZOS)
    return RestoredRepaint(image=squeezed, form=CanvasForm.STRETCH, box=whole)


def _content(repaint: Image.Image, original: Image.Image, ideal: ContentBox, *, certain: bool) -> ContentBox | None:
    """Where the content lies between two bars; None if there are none. `certain` says that there are."""
    if not certain and not _has_bars(repaint, ideal, _PLAIN):
        painted = _has_bars(repaint, ideal, _PAINTED) and _resembles_more(crop(repaint, ideal), repaint, original)
        if not painted:
            return None
    # Turned so that bars stand above and below.
    sideways = ideal.width < ideal.height
    lines = _line_means(repaint.transpose(Image.Transpose.TRANSPOSE) if sideways else repaint)
    size, nearest = repaint.width, (ideal.left, ideal.right) if sideways else (ideal.top, ideal.bottom)
    contrasts = {span: _contrast(lines, span) for span in _spans(original, size)}
    contrast = max(contrasts.values())
    # Of those that lie on edges about as sharp, the one that follows from the aspect: dark content has no edge of its own.
    sharp = [span for span, found in contrasts.items() if found >= _SHARP * contrast]
    start, end = min(sharp, key=lambda span: abs(span[0] - nearest[0]) + abs(span[1] - nearest[1]))
    if contrast < _EDGE:  # the content is as dark as its bars
        start, end = nearest
    box = ContentBox(left=start, top=0, right=end, bottom=size) if sideways else ContentBox(left=0, top=start, right=size, bottom=end)
    if contrast < _EDGE and not certain and not _resembles_more(crop(repaint, box), repaint, original):
        return None
    return box


def _has_bars(repaint: Image.Image, ideal: ContentBox, most: float) -> bool:
    """Whether two bars stand beside the content, black, white or alike, each of this deviation at most."""
    bars = [ImageStat.Stat(bar) for bar in _bars(repaint, ideal)]
    if any(max(bar.stddev) > most for bar in bars):
        return False
    lumas = [sum(bar.mean) / len(bar.mean) for bar in bars]
    if all(luma <= _BLACK for luma in lumas) or all(luma >= _WHITE for luma in lumas):
        return True
    one, other = bars
    return all(abs(mine - theirs) <= _ALIKE for mine, theirs in zip(one.mean, other.mean, strict=True))


def _bars(repaint: Image.Image, ideal: ContentBox) -> Iterator[Image.Image]:
    """Both bars, without the pixels next to the content."""
    size = repaint.width
    if ideal.top > 0 or ideal.bottom < size:
        yield repaint.crop((0, 0, size, max(1, ideal.top - _MARGIN)))
        yield repaint.crop((0, min(size - 1, ideal.bottom + _MARGIN), size, size))
    else:
        yield repaint.crop((0, 0, max(1, ideal.left - _MARGIN), size))
        yield repaint.crop((min(size - 1, ideal.right + _MARGIN), 0, size, size))


def _spans(original: Image.Image, size: int) -> Iterator[tuple[int, int]]:
    """First line and end of the content under each rounding rule and each way to centre it."""
    exact = size * min(original.size) / max(original.size)
    for length in sorted({int(exact) - 1, int(exact), round(exact), int(exact) + 1, int(exact) + 2}):
        if not 1 <= length < size:
            continue
        for start in sorted({(size - length) // 2, (size - length + 1) // 2}):
            yield start, start + length


def _line_means(image: Image.Image) -> bytes:
    """The mean luma of each line."""
    return image.convert("L").resize((1, image.height), Image.Resampling.BOX).tobytes()


def _contrast(lines: bytes, span: tuple[int, int]) -> int:
    start, end = span
    before = abs(lines[start] - lines[start - 1]) if start > 0 else 0
    after = abs(lines[end - 1] - lines[end]) if end < len(lines) else 0
    return before + after


def _resembles_more(content: Image.Image, whole: Image.Image, original: Image.Image) -> bool:
    """Whether the content alone looks more like the original than the whole canvas does."""
    sketch = _sketch(original)
    return _distance(_sketch(content), sketch) < _distance(_sketch(whole), sketch)


def _sketch(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((_SKETCH, _SKETCH), Image.Resampling.BOX)


def _distance(one: Image.Image, other: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0]
