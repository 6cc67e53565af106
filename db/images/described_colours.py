"""A profile for colours that a PNG describes by numbers instead of a profile: `cICP`, or `gAMA` and `cHRM`.

The order is that of the PNG specification (third edition, 4.3): cICP, then a profile, then sRGB, then gAMA and cHRM. A gAMA of 1/2.2 is
what thousands of programs write for sRGB, so beside the primaries of sRGB, or none, it is sRGB.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Pair = tuple[float, float]
Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]

_D65: Pair = (0.3127, 0.3290)
#: White, red, green, blue as CIE x and y.
SRGB_PRIMARIES: tuple[Pair, ...] = (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))

#: Colour primaries of ITU-T H.273, table 2, as far as images have them.
_CICP_PRIMARIES: dict[int, tuple[Pair, ...]] = {
    1: SRGB_PRIMARIES,
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),  # BT.2020
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # DCI-P3
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # Display P3
}

#: Transfer functions of ITU-T H.273, table 3, as the parameters of an ICC parametric curve (ICC.1:2022, 10.18): type, then g, or
#: g, a, b, c, d. PQ and HLG are light of another kind than a painting's, and stay as they are.
_BT709 = (3, 1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_CICP_CURVES = {1: _BT709, 4: (0, 2.2), 5: (0, 2.8), 6: _BT709, 8: (0, 1.0), 13: _SRGB_CURVE, 14: _BT709, 15: _BT709}

#: gAMA of sRGB, and how far from it a file may be and still mean sRGB.
_SRGB_GAMMA, _GAMMA_TOLERANCE = 1 / 2.2, 0.02
#: Exponents that somebody may have meant; others are mistakes and are ignored.
_GAMMAS = (0.2, 1.5)
#: How far primaries may be from those of sRGB, in x and y, and still be the same.
_PRIMARY_TOLERANCE = 0.003

#: Area of the triangle of primaries under which they are no colour space; that of sRGB is 0.11.
_LEAST_GAMUT = 0.02

#: D50, the white of the profile connection space, and the cone responses of Bradford's adaptation (ICC.1:2022, annex E).
_D50: Vector = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def described_profile(info: Mapping[Any, Any], *, grey: bool) -> bytes | None:
    """An ICC profile for the colours that a PNG's info describes; b"" for sRGB; None if it describes none or an embedded profile counts."""
    if cicp := info.get("cicp"):
        primaries, curve = _CICP_PRIMARIES.get(cicp[0]), _CICP_CURVES.get(cicp[1])
        if primaries and curve:
            return b"" if (primaries, curve) == (SRGB_PRIMARIES, _SRGB_CURVE) else matrix_profile(primaries, curve, grey=grey)
    if isinstance(info.get("icc_profile"), bytes) or "srgb" in info:
        return None
    gamma = info.get("gamma")
    if not isinstance(gamma, float) or not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        return None
    primaries = _primaries(info.get("chromaticity"))
    if abs(gamma - _SRGB_GAMMA) <= _GAMMA_TOLERANCE and (grey or primaries == SRGB_PRIMARIES):
        return None
    return matrix_profile(primaries, (0, 1 / gamma), grey=grey)


def _primaries(chromaticity: object) -> tuple[Pair, ...]:
    """The primaries of a cHRM chunk; those of sRGB where they are missing, the same, or make no sense."""
    if not isinstance(chromaticity, tuple) or len(chromaticity) != 8:  # noqa: PLR2004  # white, red, green, blue in x and y
        return SRGB_PRIMARIES
    pairs = tuple(zip(chromaticity[::2], chromaticity[1::2], strict=True))
    srgb = [value for pair in SRGB_PRIMARIES for value in pair]
    if all(abs(a - b) <= _PRIMARY_TOLERANCE for a, b in zip(chromaticity, srgb, strict=True)):
        return SRGB_PRIMARIES
    _, (rx, ry), (gx, gy), (bx, by) = pairs
    area = abs((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)) / 2
    return pairs if area >= _LEAST_GAMUT and all(y > 0 and 0 <= x <= 1 for x, y in pairs) else SRGB_PRIMARIES


@lru_cache(maxsize=32)
def matrix_profile(primaries: tuple[Pair, ...], curve: tuple[float, ...], *, grey: bool) -> bytes:
    """An ICC profile of these primaries and this curve, or of the curve alone for a grey image (ICC.1:2022, 8.3 and 8.4)."""
    tone = b"para\0\0\0\0" + struct.pack(">HH", int(curve[0]), 0) + b"".join(map(_fixed, curve[1:]))
    tags = {b"wtpt": _xyz(_D50)}
    if grey:
        tags[b"kTRC"] = tone
    else:
        red, green, blue = _columns(rgb_to_xyz(primaries))
        tags |= {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue), b"rTRC": tone, b"gTRC": tone, b"bTRC": tone}
    offset = 128 + 4 + 12 * len(tags)
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body
    header = struct.pack(">I4x4s12s", 128 + len(table) + len(bodies), b"\x04\x30\0\0", b"mntrGRAYXYZ " if grey else b"mntrRGB XYZ ")
    return header.ljust(36, b"\0") + b"acsp" + bytes(28) + b"".join(map(_fixed, _D50)) + bytes(48) + table + bodies


def rgb_to_xyz(primaries: tuple[Pair, ...]) -> Matrix:
    """The matrix from linear RGB to XYZ under D50: the primaries scaled to make white, white adapted by Bradford's method."""
    white, *colours = (_to_xyz(one) for one in primaries)
    unscaled = _columns((colours[0], colours[1], colours[2]))
    red, green, blue = _times(_inverse(unscaled), white)
    scaled: Matrix = tuple((row[0] * red, row[1] * green, row[2] * blue) for row in unscaled)  # type: ignore[assignment]
    here, there = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    cones: Matrix = tuple(tuple(value * there[i] / here[i] for value in row) for i, row in enumerate(_BRADFORD))  # type: ignore[assignment]
    adapted = _product(_inverse(_BRADFORD), cones)
    return _product(adapted, scaled)


def _to_xyz(pair: Pair) -> Vector:
    x, y = pair
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Matrix, vector: Vector) -> Vector:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)  # type: ignore[return-value]


def _columns(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))  # type: ignore[return-value]


def _product(one: Matrix, other: Matrix) -> Matrix:
    return _columns(tuple(_times(one, column) for column in _columns(other)))  # type: ignore[arg-type]


def _inverse(matrix: Matrix) -> Matrix:
    a, b, c = matrix
    adjugate = _columns((_cross(b, c), _cross(c, a), _cross(a, b)))
    determinant = sum(x * y for x, y in zip(a, _cross(b, c), strict=True))
    return tuple(tuple(value / determinant for value in row) for row in adjugate)  # type: ignore[return-value]


def _cross(one: Vector, other: Vector) -> Vector:
    (a, b, c), (x, y, z) = one, other
    return b * z - c * y, c * x - a * z, a * y - b * x


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(vector: Vector) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, vector))
