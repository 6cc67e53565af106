"""Paths that a catalogue names: kept inside the image root, in one spelling."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueFile, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

#: What counts as a picture file; other files in a tree belong to the catalogue only if a row names them.
PICTURES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".j2k"}
    | {".ppm", ".pgm", ".pbm", ".tga", ".psd"}
)

_DRIVE = re.compile(r"^[A-Za-z]:")


def is_picture(path: str) -> bool:
    """Whether the name ends as a picture's does."""
    return posixpath.splitext(path)[1].casefold() in PICTURES


def within(path: str) -> str | None:
    """The path relative to the image root in its plain spelling, or None if it leaves the root or is no path at all.

    Backslashes of catalogues made on Windows are separators.
    """
    if not path or "\0" in path:
        return None
    plain = posixpath.normpath(path.replace("\\", "/"))
    leaves = plain.startswith(("/", "../")) or plain in {".", ".."} or _DRIVE.match(plain)
    return None if leaves else plain


def readable(name: str) -> str:
    """A name from the file system as text that can be stored: bytes that are no UTF-8 are read as Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def walk(root: Path, also: Collection[str]) -> Iterator[CatalogueFile | Refusal]:
    """Every picture file under `root` in sorted order, and every other file whose relative path is in `also`.

    Links that lead out of the root are refused, whether they stand for a file or a folder; hidden files and folders are passed over.
    """
    root = root.resolve()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        prefix = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if prefix == "." else f"{prefix}/"
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):  # noqa: PTH114, PTH118  # 10^7 files: no Path objects
                yield Refusal(path=readable(f"{prefix}{name}"), reason="a linked folder: name its target as the image root")
        for name in sorted(names):
            path = readable(f"{prefix}{name}")
            if path in also or (not name.startswith(".") and is_picture(name)):
                yield _found(root, root / folder / name, path)


def _found(root: Path, location: Path, path: str) -> CatalogueFile | Refusal:
    try:
        if location.is_symlink() and not location.resolve().is_relative_to(root):
            return Refusal(path=path, reason="a link that leaves the image root")
        facts = location.stat()
    except (OSError, RuntimeError):  # a dangling link, or one that runs in a circle
        return Refusal(path=path, reason="a link that leads nowhere")
    if not stat.S_ISREG(facts.st_mode):  # a pipe would be waited on for ever
        return Refusal(path=path, reason="no regular file")
    return CatalogueFile(path=path, location=location, byte_size=facts.st_size, modified_ns=facts.st_mtime_ns)
