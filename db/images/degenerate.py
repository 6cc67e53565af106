"""Whether a repaint is degenerate: NaN, black, flat, or the original itself.

Everything is judged relative to the original, because art may be black or monochrome: a black square may become a black square.
What this cannot see: noise, a wrong subject, or a decode of the original's own latents (what a pipeline gives after zero steps), which
differs from the original by the autoencoder's error. Backends refuse zero steps themselves.

Both images must show the same content: the original upright and whole, the repaint cropped to its content box.
"""

from __future__ import annotations

from PIL import Image, ImageChops, ImageStat

#: Mean luma (0-255) under which an image counts as black. A VAE that overflowed gives 0 to 2; night scenes have 15 and more.
BLACK_LUMA = 6.0
#: By how much an original must be brighter than a black repaint for the black to be a fault.
BLACK_MARGIN = 14.0

#: Standard deviation (0-255) of the liveliest colour channel under which an image counts as flat; paper grain has 2 to 4.
FLAT_DEVIATION = 2.0
#: The deviation from which an original is certainly not flat. In between lie monochromes, whose repaints may be flat.
LIVELY_DEVIATION = 8.0

#: Mean absolute difference (0-255) up to which two images count as equal. The autoencoder alone, without any repainting, already moves
#: SDXL's output by 2 to 5, so that a faithful repaint at low strength is far above.
EQUAL_DIFFERENCE = 0.5

#: Larger images are checked by a grid of their own pixels with so many along the longer side, and in full only where that finds a fault:
#: at 1024 px 2 ms instead of 12. Sampled and not averaged, so that grain keeps its size: 1.4 % off at most over the museum's 128 images.
#: But a grid can fall in step with a pattern, and must not condemn alone.
SAMPLED_SIDE = 320


def degenerate_reason(*, original: Image.Image, repaint: Image.Image | None) -> str | None:
    """Why the repaint is degenerate, in one clause that begins with "nan", "black", "flat" or "equal"; None if it is sound.

    `repaint` is None where the model gave NaN. The original is scaled to the repaint's size before they are compared.
    """
    if repaint is None:
        return "nan: the model gave numbers that are no colours"
    if original.size != repaint.size:
        original = original.convert("RGB").resize(repaint.size, Image.Resampling.LANCZOS)
    return _judge(_sampled(original), _sampled(repaint)) and _judge(original.convert("RGB"), repaint.convert("RGB"))


def _judge(before: Image.Image, after: Image.Image) -> str | None:
    luma_before, luma_after = _luma(before), _luma(after)
    if luma_after < BLACK_LUMA and luma_before > luma_after + BLACK_MARGIN:
        return f"black: mean luma {luma_after:.1f}, the original has {luma_before:.1f}"
    deviation_before, deviation_after = _deviation(before), _deviation(after)
    if deviation_after < FLAT_DEVIATION and deviation_before > LIVELY_DEVIATION:
        return f"flat: deviation {deviation_after:.1f}, the original has {deviation_before:.1f}"
    # Two monochromes of one colour are equal without anybody's fault.
    difference = _difference(before, after)
    if difference <= EQUAL_DIFFERENCE and deviation_before >= FLAT_DEVIATION:
        return f"equal: mean difference to the original {difference:.2f}"
    return None


def _sampled(image: Image.Image) -> Image.Image:
    scale = SAMPLED_SIDE / max(image.size)
    if scale < 1:
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.NEAREST)
    return image.convert("RGB")


def _luma(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


def _deviation(image: Image.Image) -> float:
    return max(ImageStat.Stat(image).stddev)


def _difference(one: Image.Image, other: Image.Image) -> float:
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)
