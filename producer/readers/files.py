"""Image files and their paths: kept inside the image root, in one spelling."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from typing import TYPE_CHECKING

from producer.readers.catalogue import CatalogueFile, RefusedPath

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

#: What counts as an image file; other files in a tree belong to the catalogue only if a row names them.
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".j2k"}
    | {".ppm", ".pgm", ".pbm", ".tga", ".psd"}
)

_DRIVE = re.compile(r"^[A-Za-z]:")


def is_image(path: str) -> bool:
    """Whether the name has an image file's suffix."""
    return posixpath.splitext(path)[1].casefold() in IMAGE_SUFFIXES


def normalise_path(path: str) -> str | None:
    """The path relative to the image root in normal form, or None if it leaves the root or is not a path.

    Backslashes of catalogues made on Windows are separators.
    """
    if not path or "\0" in path:
        return None
    normal = posixpath.normpath(path.replace("\\", "/"))
    leaves = normal.startswith(("/", "../")) or normal in {".", ".."} or _DRIVE.match(normal)
    return None if leaves else normal


def decode_name(name: str) -> str:
    """A name from the file system as text that can be stored: bytes that are not UTF-8 are read as Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def find_files(root: Path, also: Collection[str]) -> Iterator[CatalogueFile | RefusedPath]:
    """Every image file under `root` in sorted order, and every other file whose relative path is in `also`.

    Links that lead out of the root are refused, whether they point to a file or a folder; hidden files and folders are skipped.
    """
    root = root.resolve()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        prefix = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if prefix == "." else f"{prefix}/"
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):  # noqa: PTH114, PTH118  # 10^7 files: no Path objects
                yield RefusedPath(path=decode_name(f"{prefix}{name}"), reason="a linked folder: name its target as the image root")
        for name in sorted(names):
            path = decode_name(f"{prefix}{name}")
            if path in also or (not name.startswith(".") and is_image(name)):
                yield _examine(root, root / folder / name, path)


def _examine(root: Path, location: Path, path: str) -> CatalogueFile | RefusedPath:
    try:
        if location.is_symlink() and not location.resolve().is_relative_to(root):
            return RefusedPath(path=path, reason="a link that leaves the image root")
        facts = location.stat()
    except (OSError, RuntimeError):  # a dangling link, or a circular one
        return RefusedPath(path=path, reason="a link that leads nowhere")
    if not stat.S_ISREG(facts.st_mode):  # opening a pipe would block for ever
        return RefusedPath(path=path, reason="not a regular file")
    return CatalogueFile(path=path, location=location, byte_size=facts.st_size, modified_ns=facts.st_mtime_ns)
