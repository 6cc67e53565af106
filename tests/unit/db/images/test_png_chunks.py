from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from db.images import UnreadableImage, decode_image, pixel_hash
from db.images.png_chunks import MAX_PROFILE, lean_png
from tests.builders.icc_profiles import SRGB, matrix_profile


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def picture() -> Image.Image:
    return Image.linear_gradient("L").resize((40, 30)).convert("RGB")


def with_chunk(*made: bytes, at_end: bool = False) -> bytes:
    buffer = BytesIO()
    picture().save(buffer, "PNG")
    data = buffer.getvalue()
    place = len(data) - 12 if at_end else 33
    return data[:place] + b"".join(made) + data[place:]


def packed(size: int) -> bytes:
    return zlib.compress(b"a" * size)


SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

TROUBLE = {
    "a bomb of text": chunk(b"zTXt", b"x\0\0" + packed(100_000_000)),
    "a bomb of international text": chunk(b"iTXt", b"x\0\1\0\0\0" + packed(100_000_000)),
    "two megabytes of text": chunk(b"tEXt", b"x\0" + b"a" * 2_000_000),
    "text of an unknown compression": chunk(b"zTXt", b"x\0\7" + packed(10)),
    "text that does not inflate": chunk(b"zTXt", b"x\0\0junk"),
    "a hundred texts of a megabyte": chunk(b"zTXt", b"x\0\0" + packed(1_000_000)) * 100,
    "a broken checksum": chunk(b"pHYs", bytes(9))[:-1] + b"!",
    "a profile bomb": chunk(b"iCCP", b"x\0\0" + packed(100_000_000)),
    "a large profile": chunk(b"iCCP", b"x\0\0" + zlib.compress(SRGB_PROFILE + os.urandom(1_500_000))),
    "a profile of an unknown compression": chunk(b"iCCP", b"x\0\7" + packed(10)),
    "an empty profile": chunk(b"iCCP", b""),
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("at_end", [False, True])
def test_good_pixels_are_not_lost_for_their_metadata(trouble: str, at_end: bool) -> None:
    assert pixel_hash(decode_image(with_chunk(TROUBLE[trouble], at_end=at_end)).image) == pixel_hash(picture())


def test_a_large_profile_is_still_applied() -> None:
    linear = matrix_profile("x", SRGB, lambda encoded: encoded)
    body = b"x\0\0" + zlib.compress(linear + os.urandom(2_000_000))

    middle = decode_image(with_chunk(chunk(b"iCCP", body))).image.getpixel((20, 15))

    assert isinstance(middle, tuple)
    assert middle[0] > 180  # from 128


def test_a_profile_beyond_the_bound_is_dropped_and_never_inflated_whole() -> None:
    bomb = with_chunk(chunk(b"iCCP", b"x\0\0" + packed(MAX_PROFILE + 1)))

    assert lean_png(bomb).profile is None
    assert b"iCCP" not in lean_png(bomb).data


def test_a_png_without_trouble_is_left_as_it_is() -> None:
    data = with_chunk(chunk(b"tEXt", b"Title\0A gradient"), chunk(b"iCCP", b"x\0\0" + zlib.compress(SRGB_PROFILE)))

    assert lean_png(data).data is data


def test_the_orientation_that_a_text_carries_is_kept() -> None:
    text = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", text, zip=True)
    buffer = BytesIO()
    picture().save(buffer, "PNG", pnginfo=chunks)

    assert decode_image(buffer.getvalue()).image.size == (30, 40)


def test_no_limit_of_the_decoder_is_changed() -> None:
    before = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY

    decode_image(with_chunk(TROUBLE["a bomb of text"]))

    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY)


def test_a_broken_chunk_that_changes_the_picture_is_not_dropped_in_silence() -> None:
    with pytest.raises(UnreadableImage, match=r"not an image|broken"):
        decode_image(with_chunk(chunk(b"tRNS", bytes(6))[:-1] + b"!"))
