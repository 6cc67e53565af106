"""What a decoder calls an image, and the file shows to be a part of one; and honest art that looks like damage."""

from __future__ import annotations

import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from db.images import UnreadableImage, damage, decode_image
from db.images.jpeg_scans import read_layout

SIZE = (360, 270)

#: How JPEGs are written: baseline, with optimised tables, in passes, with restart markers, at full chroma, grey, as inks.
WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "baseline": ("RGB", {}),
    "optimised": ("RGB", {"optimize": True}),
    "progressive": ("RGB", {"progressive": True}),
    "full chroma": ("RGB", {"subsampling": 0, "quality": 95}),
    "progressive full chroma": ("RGB", {"subsampling": 0, "progressive": True}),
    "restarts": ("RGB", {"restart_marker_rows": 2}),
    "progressive restarts": ("RGB", {"progressive": True, "restart_marker_rows": 2}),
    "grey": ("L", {}),
    "grey progressive": ("L", {"progressive": True}),
    "inks": ("CMYK", {}),
    "red, green, blue": ("RGB", {"keep_rgb": True}),
    "poor": ("RGB", {"quality": 20}),
}


def painting(seed: int = 1, size: tuple[int, int] = SIZE) -> Image.Image:
    """Shapes of many colours under a grain."""
    choose = random.Random(seed)
    image = Image.frombytes("L", size, choose.randbytes(size[0] * size[1])).point(lambda level: 70 + level // 2).convert("RGB")
    brush = ImageDraw.Draw(image)
    for _ in range(14):
        x, y, r = choose.randrange(size[0]), choose.randrange(size[1]), choose.randrange(5, 60)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=tuple(choose.randrange(256) for _ in range(3)))
    return image


def _framed(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", SIZE, colour)
    image.paste(painting().resize((SIZE[0] // 2, SIZE[1] // 2)), (SIZE[0] // 4, SIZE[1] // 8))
    return image


def _lower_half(colour: tuple[int, int, int]) -> Image.Image:
    image = painting()
    image.paste(colour, (0, SIZE[1] // 2, *SIZE))
    return image


#: Art with large areas of one colour, some of them just what a decoder fills with.
FLAT_ART = {
    "black square": Image.new("RGB", SIZE),
    "monochrome": Image.new("RGB", SIZE, (20, 40, 160)),
    "middle grey": Image.new("RGB", SIZE, (128, 128, 128)),
    "white border": _framed((255, 255, 255)),
    "middle grey border": _framed((128, 128, 128)),
    "letterboxed": _framed((0, 0, 0)),
    "lower half middle grey": _lower_half((128, 128, 128)),
    "lower half 127": _lower_half((127, 127, 127)),
    "gradient": Image.linear_gradient("L").resize(SIZE).convert("RGB"),
    "painting": painting(),
}


def jpeg(image: Image.Image, written: str) -> bytes:
    mode, options = WRITTEN[written]
    buffer = BytesIO()
    image.convert(mode).save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


def png(image: Image.Image, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def data_range(data: bytes) -> tuple[int, int]:
    """From the first scan's data to the end of the last one's."""
    layout = read_layout(data)
    assert layout is not None
    return layout.scans[0].start, layout.scans[-1].end


def closed_at(data: bytes, share: float) -> bytes:
    """Cut after this share of its image data, and closed as if nothing had happened."""
    start, end = data_range(data)
    return data[: start + int((end - start) * share)].rstrip(b"\xff") + b"\xff\xd9"


def with_hole(data: bytes, first: float, last: float, fill: bytes = b"\0") -> bytes:
    start, end = data_range(data)
    left, right = start + int((end - start) * first), start + int((end - start) * last)
    return data[:left] + fill * (right - left) + data[right:]


@pytest.mark.parametrize("written", WRITTEN)
@settings(deadline=None, max_examples=15)
@given(share=st.floats(0.02, 0.97), seed=st.integers(0, 30))
def test_a_jpeg_that_was_cut_and_closed_is_damaged(written: str, share: float, seed: int) -> None:
    with pytest.raises(UnreadableImage, match=r"damaged|truncated|broken"):
        decode_image(closed_at(jpeg(painting(seed), written), share))


@pytest.mark.parametrize("written", WRITTEN)
@settings(deadline=None, max_examples=15)
@given(art=st.sampled_from(sorted(FLAT_ART)), size=st.tuples(st.integers(1, 90), st.integers(1, 90)))
def test_honest_art_is_never_taken_for_damage(written: str, art: str, size: tuple[int, int]) -> None:
    for image in (FLAT_ART[art], FLAT_ART[art].resize(size)):
        assert decode_image(jpeg(image, written)).image.size == image.size


@pytest.mark.parametrize("written", [name for name in WRITTEN if "restarts" not in name])
@settings(deadline=None, max_examples=15)
@given(first=st.floats(0.1, 0.8), length=st.floats(0.2, 1.0), seed=st.integers(0, 30))
def test_a_jpeg_with_a_hole_of_zeros_is_damaged(written: str, first: float, length: float, seed: int) -> None:
    data = with_hole(jpeg(painting(seed), written), first, min(1.0, first + length))

    with pytest.raises(UnreadableImage, match=r"damaged|truncated|broken"):
        decode_image(data)


@pytest.mark.parametrize("written", ["baseline", "optimised"])
@pytest.mark.parametrize("fill", [b"\x20", b"\xaa", b"\xff", b"\x01"])
def test_a_hole_of_other_equal_bytes_is_damage_too(written: str, fill: bytes) -> None:
    for first, last in ((0.2, 0.5), (0.5, 1.0), (0.7, 0.9)):
        with pytest.raises(UnreadableImage, match=r"damaged|truncated|broken"):
            decode_image(with_hole(jpeg(painting(), written), first, last, fill))


@pytest.mark.parametrize("written", ["restarts", "progressive restarts"])
def test_a_hole_that_swallows_restart_markers_is_damage(written: str) -> None:
    with pytest.raises(UnreadableImage, match=r"damaged: .* restart markers are missing"):
        decode_image(with_hole(jpeg(painting(), written), 0.3, 0.7))


@pytest.mark.parametrize("art", ["white border", "letterboxed", "lower half middle grey", "painting"])
def test_the_reason_says_how_much_is_missing(art: str) -> None:
    with pytest.raises(UnreadableImage, match=r"damaged: its image data end early, the lower \d+ % is one flat grey"):
        decode_image(closed_at(jpeg(FLAT_ART[art], "baseline"), 0.5))


def test_the_share_that_is_missing_is_right() -> None:
    image = painting(3, (320, 640))
    with pytest.raises(UnreadableImage) as refusal:
        decode_image(closed_at(jpeg(image, "baseline"), 0.5))

    share = int(str(refusal.value).split("the lower ")[1].split(" %")[0])
    cut = Image.open(BytesIO(closed_at(jpeg(image, "baseline"), 0.5)))
    grey = next(row for row in range(640) if cut.crop((0, row, 320, 640)).getextrema() == ((128, 128),) * 3)
    assert abs(share - 100 * (1 - grey / 640)) < 4


@pytest.mark.parametrize("written", ["baseline", "optimised", "progressive"])
@pytest.mark.parametrize("art", FLAT_ART)
def test_bytes_behind_the_image_are_no_damage(written: str, art: str) -> None:
    data = jpeg(FLAT_ART[art], written)
    padded = data[:-2] + bytes(16) + data[-2:]  # some cameras fill up

    for whole in (data + b"PK\3\4" + bytes(5000), data + jpeg(painting(), "baseline"), padded):
        assert decode_image(whole).image.size == SIZE


def test_large_images_are_compared_at_half_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "_LARGE", 1000)
    whole = jpeg(painting(), "progressive")

    assert decode_image(whole).image.size == SIZE
    for share in (0.3, 0.6, 0.9):
        for written in ("progressive", "baseline"):
            with pytest.raises(UnreadableImage, match="damaged"):
                decode_image(closed_at(jpeg(painting(), written), share))


def test_a_progressive_jpeg_without_its_last_scans_is_damaged() -> None:
    data = jpeg(painting(), "progressive")
    layout = read_layout(data)
    assert layout is not None

    with pytest.raises(UnreadableImage, match="damaged: its last scans are missing"):
        decode_image(data[: layout.scans[3].end] + b"\xff\xd9")


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


@pytest.mark.parametrize("options", [{}, {"compress_level": 1}, {"compress_level": 9}])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_a_png_with_a_zeroed_tail_is_damaged(options: dict[str, Any], share: float) -> None:
    data = png(painting(), **options)
    cut = int(len(data) * share)

    for tail in (bytes(len(data) - cut), bytes(len(data) - cut - 16) + data[-16:]):
        with pytest.raises(UnreadableImage, match=r"damaged|truncated|broken"):
            decode_image(data[:cut] + tail)


def test_a_png_whose_checksum_alone_is_wrong_is_read() -> None:
    data = bytearray(png(painting()))
    data[-13] ^= 0xFF  # the last byte of the checksum before IEND

    assert decode_image(bytes(data)).image.tobytes() == painting().tobytes()


def test_a_png_whose_pixels_were_changed_is_damaged() -> None:
    raw = b"".join(b"\0" + bytes(30) for _ in range(10))
    header = struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0)
    body = zlib.compress(raw, 0)  # stored, so that a changed byte decodes
    sound = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    spoiled = bytearray(sound)
    spoiled[sound.index(b"IDAT") + 60] = 200

    assert decode_image(sound).width == 10
    with pytest.raises(UnreadableImage, match="damaged: its image data fail their checksums"):
        decode_image(bytes(spoiled))
