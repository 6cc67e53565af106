"""ICC profiles made from numbers, and what sRGB their colours must become, computed by numpy alone."""

from __future__ import annotations

import struct
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_xyz(primaries: Sequence[tuple[float, float]], white: tuple[float, float] = (0.3127, 0.3290)) -> Array:
    """The matrix from linear RGB to XYZ under D50."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    paper = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    scaled = columns * np.linalg.solve(columns, paper)
    adapted: Array = np.linalg.inv(_BRADFORD) @ np.diag((_BRADFORD @ D50) / (_BRADFORD @ paper)) @ _BRADFORD @ scaled
    return adapted


SRGB = to_xyz([(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)])
DISPLAY_P3 = to_xyz([(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)])
ADOBE = to_xyz([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)])
ECI = to_xyz([(0.67, 0.33), (0.21, 0.71), (0.14, 0.08)], (0.3457, 0.3585))
PROPHOTO = to_xyz([(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)], (0.3457, 0.3585))
BT2020 = to_xyz([(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)])


def srgb_encoded(linear: Array) -> Array:
    """IEC 61966-2-1."""
    light = np.clip(linear, 0, 1)
    encoded: Array = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return encoded


def srgb_decoded(encoded: Array) -> Array:
    """The inverse of `srgb_encoded`."""
    linear: Array = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear


def lightness_decoded(encoded: Array) -> Array:
    """CIE L* to Y: the curve of eciRGB v2."""
    lightness = encoded * 100
    linear: Array = np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / 903.2963)
    return linear


def expected(colour: Sequence[float], matrix: Array, decode: Callable[[Array], Array]) -> tuple[int, ...]:
    """The sRGB levels of a colour (0-255) in a space of this matrix and this tone curve."""
    linear = np.linalg.inv(SRGB) @ (matrix @ decode(np.array(colour) / 255))
    return tuple(int(level) for level in np.rint(255 * srgb_encoded(linear)))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(vector: Array) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(value) for value in vector)


def _profile(tags: dict[bytes, bytes], *, space: bytes, version: int = 2, kind: bytes = b"mntr", connection: bytes = b"XYZ ") -> bytes:
    offset, table, bodies = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", offset + len(bodies), len(body))
        bodies += body + b"\0" * (-len(body) % 4)
    header = bytearray(128)
    header[0:4] = struct.pack(">I", 128 + len(table) + len(bodies))
    header[8:12] = b"\x02\x10\0\0" if version == 2 else b"\x04\x30\0\0"
    header[12:24] = kind + space + connection
    header[36:40] = b"acsp"
    header[68:80] = b"".join(_fixed(value) for value in D50)
    return bytes(header) + table + bodies


def _description(text: str, version: int) -> bytes:
    if version == 2:
        name = text.encode() + b"\0"
        return b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78
    name = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(name), 28) + name


def _curve(decode: Callable[[Array], Array], points: int = 4096) -> bytes:
    levels = np.rint(65535 * decode(np.linspace(0, 1, points))).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", points) + levels.tobytes()


def matrix_profile(text: str, matrix: Array, decode: Callable[[Array], Array], *, version: int = 2) -> bytes:
    """A display profile: three primaries and a tone curve of 4,096 points."""
    columns = {name: _xyz(matrix[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(decode))
    return _profile({b"desc": _description(text, version), b"wtpt": _xyz(D50), **columns, **curves}, space=b"RGB ", version=version)


def grey_profile(text: str, decode: Callable[[Array], Array]) -> bytes:
    """A grey profile with a tone curve."""
    return _profile({b"desc": _description(text, 2), b"wtpt": _xyz(D50), b"kTRC": _curve(decode)}, space=b"GRAY")


def table_profile(text: str, space: bytes, corners: Callable[[tuple[int, ...]], Array], decode: Callable[[Array], Array]) -> bytes:
    """A profile whose colours lie in a table: XYZ at each corner of the device's cube, linear in between, behind a tone curve."""
    inputs = 4 if space == b"CMYK" else 3
    table = [corners(corner) for corner in product((0, 1), repeat=inputs)]
    body = b"mft2\0\0\0\0" + bytes((inputs, 3, 2, 0)) + b"".join(_fixed(value) for value in np.eye(3).ravel()) + struct.pack(">HH", 256, 2)
    body += np.rint(65535 * decode(np.linspace(0, 1, 256))).astype(">u2").tobytes() * inputs
    body += np.rint(32768 * np.array(table)).astype(">u2").tobytes() + struct.pack(">HH", 0, 65535) * 3
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    return _profile({b"desc": _description(text, 2), b"wtpt": _xyz(D50), b"A2B0": body}, space=space, kind=kind)
