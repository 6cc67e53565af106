from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms

from db.images import colour, decode_image, pixel_hash
from db.images.described_colours import SRGB_PRIMARIES, rgb_to_xyz
from tests.builders.icc_profiles import (
    ADOBE,
    BT2020,
    DISPLAY_P3,
    ECI,
    PROPHOTO,
    SRGB,
    expected,
    grey_profile,
    lightness_decoded,
    matrix_profile,
    srgb_decoded,
    srgb_encoded,
    table_profile,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Decode = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]

COLOURS = [(180, 110, 90), (30, 60, 200), (128, 128, 128), (250, 240, 20), (12, 20, 6)]


def power(gamma: float) -> Decode:
    return lambda encoded: encoded**gamma


PROFILES: dict[str, tuple[Any, Decode]] = {
    "GIMP built-in Linear sRGB": (SRGB, power(1.0)),
    "sRGB-elle-V2-g10.icc": (SRGB, power(1.0)),
    "eciRGB v2": (ECI, lightness_decoded),
    "ProPhoto RGB": (PROPHOTO, power(1.8)),
    "e-sRGB wide": (PROPHOTO, power(1.8)),
    "Adobe RGB (1998)": (ADOBE, power(563 / 256)),
    "Display P3": (DISPLAY_P3, srgb_decoded),
    "sRGB gamma 1.8": (SRGB, power(1.8)),
    "": (ADOBE, power(2.2)),
}


def saved(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def shown(data: bytes) -> tuple[int, ...]:
    """The colour in the middle of the image."""
    image = decode_image(data).image
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return found


def near(found: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 2) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def with_chunks(image: Image.Image, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with these chunks behind its header."""
    data = saved(image)
    made = b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)
    return data[:33] + made + data[33:]


def patch(colour: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (16, 16), colour if len(colour) > 1 else colour[0])


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("values", COLOURS)
def test_a_profile_counts_by_what_it_does_and_not_by_its_name(name: str, values: tuple[int, int, int], version: int) -> None:
    matrix, decode = PROFILES[name]
    profile = matrix_profile(name, matrix, decode, version=version)

    found = shown(saved(patch(values), icc_profile=profile))

    assert near(found, expected(values, matrix, decode)), (found, expected(values, matrix, decode))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_profile_is_read_from_every_format_and_mode(file_format: str, mode: str) -> None:
    if (file_format, mode) in {("JPEG", "RGBA"), ("JPEG", "P"), ("WEBP", "P")}:
        pytest.skip("no such file")
    values = (180, 110, 90)
    image = patch(values).quantize(4) if mode == "P" else patch(values).convert(mode)
    of_format: dict[str, dict[str, Any]] = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}
    options = of_format.get(file_format, {})

    found = shown(saved(image, file_format, icc_profile=matrix_profile("sRGB linear", SRGB, power(1.0)), **options))

    assert near(found, expected(values, SRGB, power(1.0)), 3)


@pytest.mark.parametrize("profile", ["exact", "of Pillow", "v4"])
def test_an_srgb_profile_changes_no_pixel(profile: str) -> None:
    image = Image.effect_noise((64, 64), 90).convert("RGB")
    data = {
        "exact": matrix_profile("anything", SRGB, srgb_decoded),
        "of Pillow": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "v4": matrix_profile("anything", SRGB, srgb_decoded, version=4),
    }[profile]

    assert pixel_hash(decode_image(saved(image, icc_profile=data)).image) == pixel_hash(image)


@pytest.mark.parametrize("values", COLOURS[:4])
def test_a_profile_with_tables_is_applied(values: tuple[int, int, int]) -> None:
    profile = table_profile("sRGB tables", b"RGB ", lambda corner: ADOBE @ np.array(corner), power(1.8))

    assert near(shown(saved(patch(values), icc_profile=profile)), expected(values, ADOBE, power(1.8)), 4)


@pytest.mark.parametrize(("ink", "values"), [((255, 0, 0, 0), (0, 120, 190)), ((0, 0, 0, 0), (255, 255, 255)), ((0, 0, 0, 255), (0, 0, 0))])
@pytest.mark.parametrize("file_format", ["TIFF", "JPEG"])
def test_inks_become_the_colours_that_their_profile_gives_them(ink: tuple[int, ...], values: tuple[int, ...], file_format: str) -> None:
    cyan = SRGB @ srgb_decoded(np.array([0, 120, 190]) / 255)
    white = SRGB @ np.ones(3)
    corners: dict[tuple[int, ...], Any] = {(0, 0, 0, 0): white, (1, 0, 0, 0): cyan}
    profile = table_profile("press", b"CMYK", lambda corner: corners.get(corner, np.zeros(3)), power(1.0))

    assert near(shown(saved(patch(ink, "CMYK"), file_format, icc_profile=profile)), values, 4)


@pytest.mark.parametrize(
    ("mode", "values", "wanted"),
    [("L", (64,), 137), ("LA", (64, 255), 137), ("LA", (64, 128), 196), ("I;16", (64 * 257,), 137), ("I;16", (100,), 5), ("L", (2,), 22)],
)
def test_grey_goes_through_its_profile_before_it_lies_on_white(mode: str, values: tuple[int, ...], wanted: int) -> None:
    found = shown(saved(patch(values, mode), icc_profile=grey_profile("Linear sRGB grey", power(1.0))))

    assert near(found, (wanted,) * 3)


def test_colours_are_managed_before_they_lie_on_white() -> None:
    opaque = expected((180, 110, 90), DISPLAY_P3, power(2.2))

    found = shown(saved(patch((180, 110, 90, 128), "RGBA"), icc_profile=matrix_profile("P3", DISPLAY_P3, power(2.2))))

    assert near(found, tuple(round(level * 128 / 255 + 127) for level in opaque))


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "RGBA", "P", "1"])
def test_a_profile_of_another_colour_space_is_ignored(mode: str) -> None:
    image = Image.linear_gradient("L").resize((32, 32)).convert(mode)
    other = matrix_profile("x", SRGB, power(1.0)) if mode in {"L", "LA"} else grey_profile("x", power(1.0))

    assert pixel_hash(decode_image(saved(image, icc_profile=other)).image) == pixel_hash(decode_image(saved(image)).image)


def test_sixteen_bits_with_a_see_through_level_lie_on_white() -> None:
    image = Image.new("I;16", (16, 16), 0x4000)

    assert shown(with_chunks(image, (b"tRNS", struct.pack(">H", 0x4000)))) == (255, 255, 255)
    assert shown(with_chunks(image, (b"tRNS", struct.pack(">H", 0x4001)))) == (64, 64, 64)


GAMA = b"gAMA"


def chromaticities(*pairs: tuple[float, float]) -> tuple[bytes, bytes]:
    return b"cHRM", b"".join(struct.pack(">II", round(x * 1e5), round(y * 1e5)) for x, y in pairs)


P3_CHRM = chromaticities((0.3127, 0.3290), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
SRGB_CHRM = chromaticities((0.3127, 0.3290), (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))


@pytest.mark.parametrize(
    ("chunks", "matrix", "decode"),
    [
        ([(GAMA, struct.pack(">I", 100_000))], SRGB, power(1.0)),
        ([(GAMA, struct.pack(">I", 55_556))], SRGB, power(1.8)),
        ([(GAMA, struct.pack(">I", 45_455)), P3_CHRM], DISPLAY_P3, power(2.2)),
        ([(b"cICP", bytes((1, 8, 0, 1)))], SRGB, power(1.0)),
        ([(b"cICP", bytes((12, 13, 0, 1)))], DISPLAY_P3, srgb_decoded),
        ([(b"cICP", bytes((9, 8, 0, 1))), (b"sRGB", b"\0")], BT2020, power(1.0)),
    ],
)
@pytest.mark.parametrize("values", COLOURS)
def test_what_a_png_says_of_its_colours_is_believed(
    chunks: list[tuple[bytes, bytes]], matrix: Any, decode: Decode, values: tuple[int, int, int]
) -> None:
    assert near(shown(with_chunks(patch(values), *chunks)), expected(values, matrix, decode))


@pytest.mark.parametrize(
    "chunks",
    [
        [(GAMA, struct.pack(">I", 45_455))],
        [(GAMA, struct.pack(">I", 45_455)), SRGB_CHRM],
        [SRGB_CHRM],
        [P3_CHRM],
        [(b"sRGB", b"\0"), (GAMA, struct.pack(">I", 100_000))],
        [(GAMA, struct.pack(">I", 0))],
        [(GAMA, struct.pack(">I", 4_000_000))],
        [(b"cICP", bytes((1, 13, 0, 1)))],
        [(b"cICP", bytes((9, 16, 0, 1)))],  # PQ
    ],
)
def test_srgb_by_whatever_word_changes_no_pixel(chunks: list[tuple[bytes, bytes]]) -> None:
    image = Image.effect_noise((32, 32), 90).convert("RGB")

    assert pixel_hash(decode_image(with_chunks(image, *chunks)).image) == pixel_hash(image)


def test_cicp_comes_before_a_profile() -> None:
    image = Image.effect_noise((32, 32), 90).convert("RGB")
    linear = zlib.compress(matrix_profile("x", SRGB, power(1.0)))
    data = with_chunks(image, (b"cICP", bytes((1, 13, 0, 1))), (b"iCCP", b"x\0\0" + linear))

    assert pixel_hash(decode_image(data).image) == pixel_hash(image)


def test_linear_grey_without_a_profile_is_made_lighter() -> None:
    assert near(shown(with_chunks(patch((64,), "L"), (GAMA, struct.pack(">I", 100_000)))), (137,) * 3)


def test_the_matrix_of_the_primaries_is_that_of_linear_algebra() -> None:
    assert np.allclose(rgb_to_xyz(SRGB_PRIMARIES), SRGB, atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    mode=st.sampled_from(["L", "LA", "RGB", "RGBA", "P", "CMYK", "I;16", "1", "I", "F"]),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    managed=st.booleans(),
)
def test_strips_give_what_the_whole_gives(mode: str, size: tuple[int, int], managed: bool) -> None:
    base = Image.effect_noise(size, 90)
    image = base.convert("RGB").quantize(8) if mode == "P" else base.convert("I").convert(mode) if mode == "I;16" else base.convert(mode)
    if managed and mode not in {"CMYK", "1"}:
        grey = mode in {"L", "LA", "I;16", "I", "F"}
        image.info["icc_profile"] = grey_profile("x", power(1.0)) if grey else matrix_profile("x", SRGB, power(1.0))
    whole = colour.to_rgb(image)

    with pytest.MonkeyPatch.context() as changes:
        changes.setattr(colour, "_STRIP", 50)
        in_strips = colour.to_rgb(image)

    assert ImageChops.difference(whole, in_strips).getbbox() is None


def test_an_image_that_is_not_to_be_used_up_keeps_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    image = patch((180, 110, 90))
    image.info["icc_profile"] = matrix_profile("x", SRGB, power(1.0))
    monkeypatch.setattr(colour, "_STRIP", 10)

    made = colour.to_rgb(image)

    assert image.getpixel((3, 3)) == (180, 110, 90)
    assert made.getpixel((3, 3)) != (180, 110, 90)
    assert colour.to_rgb(image, consume=True) is image


def test_the_curves_of_the_table_are_inverses() -> None:
    levels = np.linspace(0, 1, 256)
    assert np.allclose(srgb_encoded(srgb_decoded(levels)), levels, atol=1e-6)
