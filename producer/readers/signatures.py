"""What a file is in truth, by its first bytes: downloads and exports often bear the name of another format."""

from __future__ import annotations

import re

#: How many bytes from a file's start are looked at.
HEAD_BYTES = 4096

#: First bytes, what they belong to, and what to do.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "an Excel or ZIP file", "name it .xlsx if it is Excel's, else unpack it"),
    (b"PK\x05\x06", "an empty ZIP file", "fetch it again"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or password-protected Excel file", "save it as .xlsx without a password"),
    (b"PAR1", "a parquet file", "name it .parquet"),
    (b"ARROW1", "an Arrow file", "name it .arrow and ingest its folder"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"%PDF", "a PDF", "export the table as CSV"),
    (b"\x89PNG", "an image", "name the folder that holds it"),
    (b"\xff\xd8\xff", "an image", "name the folder that holds it"),
    (b"GIF8", "an image", "name the folder that holds it"),
    (b"version https://git-lfs.github.com/", "a pointer of Git LFS, not the file itself", "run `git lfs pull`"),
    (b"\x1f\x8b", "compressed twice", "decompress it once"),
    (b"BZh", "compressed with bzip2", "decompress it, or compress it with gzip"),
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it, or compress it with gzip"),
    (b"(\xb5/\xfd", "compressed with zstd", "decompress it, or compress it with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"{\\rtf", "a rich text document", "export the table as CSV"),
)

_MARKUP = re.compile(rb"\s*(?:<!doctype\s+html|<html|<head|<body)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml", re.IGNORECASE)
_TAR_MAGIC = slice(257, 262)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
#: Control characters that no text holds; NUL is not among them: single ones are removed from cells.
_CONTROLS = frozenset(range(1, 32)) - frozenset(b"\t\n\r\x0b\x0c\x1b\x1a")
#: Share of control characters in a file's start from which it is no text.
_BINARY = 0.05
#: So many stray control characters do not make a short text a binary file.
_FEW = 16


def is_gzip(head: bytes) -> bool:
    """Whether the bytes begin a gzip file."""
    return head.startswith(b"\x1f\x8b")


def foreign_format(head: bytes) -> str | None:
    """What a file that should be text is instead, and what to do; None if it may be text.

    Args:
        head: the first `HEAD_BYTES` bytes, after decompression.
    """
    for magic, kind, mend in _MAGIC:
        if head.startswith(magic):
            return f"is {kind}: {mend}"
    plain = head.removeprefix(_BOMS[0])
    if _MARKUP.match(plain):
        return "is an HTML page, perhaps one that asks to sign in: download the file itself"
    if _XML.match(plain):
        return "is XML: export the table as CSV"
    if head[_TAR_MAGIC] == b"ustar":
        return "is a tar archive: name it .tar"
    return None if head.startswith(_BOMS) else _binary(head)


def _binary(head: bytes) -> str | None:
    if not head:
        return None
    if (utf16 := _utf16_without_mark(head)) is not None:
        return f"is {utf16} without a byte order mark: save it as UTF-8"
    if head.count(0) > len(head) / 2:
        return "is filled with NUL bytes, as after a crash or a broken download: fetch it again"
    odd = sum(byte in _CONTROLS for byte in head)
    return "is no text: export the table as CSV in UTF-8" if odd > max(_FEW, _BINARY * len(head)) else None


def _utf16_without_mark(head: bytes) -> str | None:
    """Text of mostly ASCII in UTF-16 has a NUL in every second byte."""
    half = len(head) // 2
    high, low = head[::2].count(0), head[1::2].count(0)
    if half and low > half * 0.7 and high < half * 0.3:
        return "UTF-16 (little endian)"
    return "UTF-16 (big endian)" if half and high > half * 0.7 and low < half * 0.3 else None
