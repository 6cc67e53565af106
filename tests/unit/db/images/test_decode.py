from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageCms

from db.images import UnreadableImage, content_hash, decode_image, pixel_hash

if TYPE_CHECKING:
    from collections.abc import Callable

RED, BLUE = (200, 40, 30), (20, 60, 190)


def saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def halves(size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Left red, right blue."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return image


def noise(size: tuple[int, int] = (64, 64)) -> Image.Image:
    return Image.effect_noise(size, 60).convert("RGB")


def near(image: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], tolerance: int = 6) -> bool:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return all(abs(a - b) <= tolerance for a, b in zip(found, colour, strict=True))


def outcome(data: bytes) -> str:
    """The mode that was read or the reason why not; anything else that is raised fails the test."""
    try:
        return decode_image(data).image.mode
    except UnreadableImage as error:
        return str(error)


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM"])
def test_a_plain_image_is_decoded_with_its_size_and_mode(file_format: str) -> None:
    decoded = decode_image(saved(halves(), file_format))

    assert (decoded.width, decoded.height, decoded.format) == (40, 20, file_format)
    assert decoded.image.mode == "RGB"
    assert decoded.image.size == (40, 20)
    assert near(decoded.image, (5, 10), RED)
    assert near(decoded.image, (35, 10), BLUE)
    assert not decoded.animated
    assert decoded.image.info == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<html>404</html>", "not an image"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not an image"),
        (saved(noise(), "JPEG")[:1500], "truncated"),
        (saved(noise(), "PNG")[:3000], "truncated"),
        (saved(noise(), "WEBP")[:600], "broken"),
        (saved(noise(), "GIF")[:1500], "truncated"),
        (png_header(30_000, 30_000), "decompression bomb"),
        (png_header(12_000, 12_000), "truncated"),
    ],
)
def test_an_image_that_cannot_be_decoded_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImage, match=reason):
        decode_image(data)


def test_a_decompression_bomb_is_refused_before_it_is_decoded_and_says_how_large_it_is() -> None:
    with pytest.raises(UnreadableImage, match="900000000 pixels"):
        decode_image(png_header(30_000, 30_000))


def test_every_prefix_and_many_corruptions_of_a_file_end_in_an_image_or_a_reason() -> None:
    for file_format in ("JPEG", "PNG", "TIFF", "WEBP", "GIF"):
        data = saved(noise((24, 24)), file_format)
        for step in range(0, len(data), 37):
            broken = [data[:step], data[:step] + b"\xff\x00\x80\x7f" + data[step + 4 :]]
            for candidate in broken:
                assert outcome(candidate)


def test_inverted_adobe_cmyk_is_not_a_negative() -> None:
    decoded = decode_image(saved(halves().convert("CMYK"), "JPEG", quality=98))

    assert decoded.mode == "CMYK"
    assert near(decoded.image, (5, 10), RED, 10)
    assert near(decoded.image, (35, 10), BLUE, 10)


def test_a_palette_image_becomes_its_colours() -> None:
    decoded = decode_image(saved(halves().quantize(8), "PNG"))

    assert decoded.mode == "P"
    assert near(decoded.image, (5, 10), RED)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode: str) -> None:
    image = Image.new(mode, (10, 10), 0)

    decoded = decode_image(saved(image, "PNG"))

    assert decoded.image.getpixel((5, 5)) == (255, 255, 255)


def test_a_transparent_palette_entry_lies_on_white() -> None:
    image = halves().quantize(8)
    index = image.getpixel((0, 0))

    decoded = decode_image(saved(image, "PNG", transparency=index))

    assert decoded.image.getpixel((5, 10)) == (255, 255, 255)
    assert near(decoded.image, (35, 10), BLUE)


def test_a_transparent_colour_of_an_opaque_mode_lies_on_white() -> None:
    decoded = decode_image(saved(halves(), "PNG", transparency=RED))

    assert decoded.image.getpixel((5, 10)) == (255, 255, 255)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_and_not_clipped(file_format: str) -> None:
    image = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 1000, 32768, 65535)):
        image.putpixel((x, 0), value)

    decoded = decode_image(saved(image, file_format))

    assert [decoded.image.getpixel((x, 0))[0] for x in range(4)] == [0, 4, 128, 255]  # type: ignore[index]


@pytest.mark.parametrize(
    ("mode", "values", "expected"),
    [
        ("F", (0.0, 0.5, 1.0), (0, 128, 255)),
        ("F", (0.0, 100.0, 200.0), (0, 100, 200)),
        ("F", (-2.0, 0.0, 2.0), (0, 128, 255)),
        ("I", (0, 100, 255), (0, 100, 255)),
        ("I", (0, 32768, 65535), (0, 128, 255)),
    ],
)
def test_deep_greys_take_the_smallest_range_that_holds_them(mode: str, values: tuple[float, ...], expected: tuple[int, ...]) -> None:
    image = Image.new(mode, (3, 1))
    for x, value in enumerate(values):
        image.putpixel((x, 0), value)

    decoded = decode_image(saved(image, "TIFF"))

    assert tuple(decoded.image.getpixel((x, 0))[0] for x in range(3)) == expected  # type: ignore[index]


def test_of_an_animation_the_first_frame_is_read() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]

    decoded = decode_image(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))

    assert decoded.animated
    assert near(decoded.image, (4, 4), RED)


@pytest.mark.parametrize(
    ("orientation", "back"),
    [
        (3, Image.Transpose.ROTATE_180),
        (6, Image.Transpose.ROTATE_90),
        (8, Image.Transpose.ROTATE_270),
        (5, Image.Transpose.TRANSPOSE),
        (7, Image.Transpose.TRANSVERSE),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
def test_a_rotated_image_stands_upright(orientation: int, back: Image.Transpose, file_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    decoded = decode_image(saved(halves().transpose(back), file_format, exif=exif.tobytes()))

    assert (decoded.width, decoded.height) == (40, 20)
    assert near(decoded.image, (3, 10), RED)
    assert near(decoded.image, (36, 10), BLUE)


def test_an_image_with_broken_exif_is_decoded() -> None:
    data = saved(halves(), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xffgarbage")

    assert decode_image(data).width == 40


def test_a_colour_profile_is_applied() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    grey = Image.new("L", (8, 8), 100)

    assert decode_image(saved(grey, "PNG", icc_profile=lab)).image.getpixel((0, 0)) == (100, 100, 100)


def test_a_broken_profile_is_ignored() -> None:
    assert near(decode_image(saved(halves(), "PNG", icc_profile=b"no profile")).image, (5, 10), RED)


def test_pixel_hash_knows_pixels_and_content_hash_knows_files() -> None:
    one, other = saved(halves(), "PNG"), saved(halves(), "BMP")

    assert content_hash(one) != content_hash(other)
    assert pixel_hash(decode_image(one).image) == pixel_hash(decode_image(other).image)
    assert pixel_hash(halves((40, 20))) != pixel_hash(halves((20, 40)))


@pytest.fixture
def wide_gamut() -> Callable[[], bytes]:
    """A minimal ICC v2 matrix profile whose red and green primaries are swapped, so that its use can be seen."""

    def tag_xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in (x, y, z)))

    def build() -> bytes:
        curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
        description = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"swap\0" + b"\0" * 79
        bodies = {
            b"desc": description,
            b"wtpt": tag_xyz(0.9642, 1.0, 0.8249),
            b"rXYZ": tag_xyz(0.3851, 0.7169, 0.0971),
            b"gXYZ": tag_xyz(0.4361, 0.2225, 0.0139),
            b"bXYZ": tag_xyz(0.1431, 0.0606, 0.7141),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
        }
        offset = 128 + 4 + 12 * len(bodies)
        table, blob = struct.pack(">I", len(bodies)), b""
        for name, body in bodies.items():
            padded = body + b"\0" * (-len(body) % 4)
            table += name + struct.pack(">II", offset + len(blob), len(body))
            blob += padded
        head = bytearray(128)
        head[0:4] = struct.pack(">I", 128 + len(table) + len(blob))
        head[8:12] = b"\x02\x10\0\0"
        head[12:24] = b"mntrRGB XYZ "
        head[36:40] = b"acsp"
        head[68:80] = struct.pack(">iii", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
        return bytes(head) + table + blob

    return build


def test_a_usable_rgb_profile_moves_the_colours_to_srgb(wide_gamut: Callable[[], bytes]) -> None:
    decoded = decode_image(saved(Image.new("RGB", (8, 8), (255, 0, 0)), "PNG", icc_profile=wide_gamut()))

    red, green, _ = decoded.image.getpixel((0, 0))  # type: ignore[misc]
    assert green > 240 > red
