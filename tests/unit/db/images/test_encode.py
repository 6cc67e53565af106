from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from db.images import UnreadableImage, decode_image, encode, extension, read_metadata

FORMATS = ["jpeg", "png", "webp"]
METADATA = {"prompt": "a café by night, “quoted”\n漢字", "seed": 2**63 - 1, "strength": 0.3, "box": [0, 1, 2, 3], "none": None}


def stripes() -> Image.Image:
    """One-pixel columns of saturated red and blue: chroma subsampling would blend them."""
    image = Image.new("RGB", (32, 32), (220, 20, 20))
    for x in range(0, 32, 2):
        image.paste((20, 20, 220), (x, 0, x + 1, 32))
    return image


@pytest.mark.parametrize("file_format", FORMATS)
def test_image_metadata_comes_back_as_it_went_in(file_format: str) -> None:
    data = encode(stripes(), format=file_format, metadata=METADATA)  # type: ignore[arg-type]

    assert read_metadata(data) == METADATA
    assert decode_image(data).format == file_format.upper()


@settings(max_examples=25)
@given(metadata=st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans(), st.none()), max_size=5))
def test_any_json_comes_back_from_image_metadata(metadata: dict[str, object]) -> None:
    for file_format in FORMATS:
        assert read_metadata(encode(Image.new("RGB", (4, 4)), format=file_format, metadata=metadata)) == metadata  # type: ignore[arg-type]


@pytest.mark.parametrize("file_format", FORMATS)
def test_equal_images_give_equal_bytes_whatever_their_history(file_format: str) -> None:
    one, other = stripes(), stripes()
    other.info = {"icc_profile": b"x", "dpi": (300, 300), "comment": b"scanned"}

    first = encode(one, format=file_format, metadata={"a": 1, "b": 2})  # type: ignore[arg-type]
    second = encode(other, format=file_format, metadata={"b": 2, "a": 1})  # type: ignore[arg-type]

    assert first == second


def test_jpeg_keeps_full_chroma() -> None:
    back = decode_image(encode(stripes(), format="jpeg", metadata={})).image

    assert max(ImageStat.Stat(ImageChops.difference(back, stripes())).mean) < 6


def test_the_comment_is_plain_text_for_other_tools() -> None:
    with Image.open(BytesIO(encode(stripes(), format="jpeg", metadata={"seed": 7}))) as image:
        assert image.getexif().get_ifd(0x8769)[0x9286] == b'ASCII\0\0\0{"seed":7}'


def test_metadata_that_others_wrote_is_empty_and_of_no_image_is_an_error() -> None:
    buffer = BytesIO()
    stripes().save(buffer, "JPEG", comment=b"hello")

    assert read_metadata(buffer.getvalue()) == {}
    with pytest.raises(UnreadableImage):
        read_metadata(b"text")


def test_metadata_larger_than_an_exif_block_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode(stripes(), format="jpeg", metadata={"prompt": "x" * 70_000})


def test_every_image_format_that_is_written_has_its_extension() -> None:
    assert [extension(name) for name in FORMATS] == [".jpg", ".png", ".webp"]
    with pytest.raises(ValueError, match="gif"):
        extension("gif")
    with pytest.raises(ValueError, match="gif"):
        encode(stripes(), format="gif", metadata={})  # type: ignore[arg-type]
