"""Image files of a tree: what is an image, what is nobody's artwork, and which links are followed."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from typing import TYPE_CHECKING

from db.store.faults import MARKER
from producer.readers.catalogue import CatalogueFile, RefusedPath

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterator
    from pathlib import Path

#: What counts as an image file; other files in a tree belong to the catalogue only if a row names them.
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jp2", ".j2k"}
    | {".ppm", ".pgm", ".pbm", ".tga", ".psd"}
)

#: Folders that systems and programs keep for themselves: thumbnails, copies of metadata, bins.
SKIPPED_FOLDERS = frozenset(
    {"@eadir", "#recycle", "@recycle", "@recently-snapshot", "#snapshot", "__macosx", "thumbs.db", "$recycle.bin", "recycler", "recycled"}
    | {"system volume information", "lost+found", "lost.dir", "found.000", "__pycache__", "node_modules"}
)

#: What lies in Paragone's data directory, beside its database.
DATABASE = "paragone.sqlite"
_OWN_FOLDERS = frozenset({"store", "report", "reports", "training", "galleries", "broker"})

#: How skipped folders are called that are Paragone's own, and single files that are hidden.
OWN_DATA = "Paragone's own data"
HIDDEN_FILES = "hidden files"


def is_image(path: str) -> bool:
    """Whether the name has an image file's suffix."""
    return posixpath.splitext(path)[1].casefold() in IMAGE_SUFFIXES


def decode_name(name: str) -> str:
    """A name from the file system as text that can be stored: bytes that are not UTF-8 are read as Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name


def find_files(
    root: Path, also: Collection[str], *, exclude: Collection[Path] = (), skipped: Counter[str] | None = None
) -> Iterator[CatalogueFile | RefusedPath]:
    """Every image file under `root` in sorted order, and every other file whose relative path is in `also`.

    Links that lead out of the root are refused, whether they point to a file or a folder. Hidden files, hidden folders, folders that
    systems keep for themselves and Paragone's own data are not looked into.

    Args:
        root: the image root.
        also: relative paths of files without an image's suffix that belong to the catalogue.
        exclude: further folders that are not looked into.
        skipped: counts the images that are not looked at, by the name of their folder.
    """
    root = root.resolve()
    excluded = {str(path.resolve()) for path in exclude}
    unread: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=unread.append):
        yield from (_unreadable(root, error) for error in unread)
        unread.clear()
        kept = []
        for name in sorted(folders):
            if (reason := _skip_reason(root, folder, name, names, excluded)) is None:
                kept.append(name)
            elif skipped is not None:
                skipped[reason] += _count_images(os.path.join(folder, name))  # noqa: PTH118
        folders[:] = kept
        prefix = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if prefix == "." else f"{prefix}/"
        for name in kept:
            location = os.path.join(folder, name)  # noqa: PTH118  # 10^7 files: no Path objects
            if os.path.islink(location):  # noqa: PTH114
                yield RefusedPath(path=decode_name(f"{prefix}{name}"), reason=_linked_folder(root, location))
        for name in sorted(names):
            path = decode_name(f"{prefix}{name}")
            if path in also or (is_image(name) and not _hidden(name, skipped)):
                yield _examine(root, root / folder / name, path)
    yield from (_unreadable(root, error) for error in unread)


def _skip_reason(root: Path, folder: str, name: str, beside: Collection[str], excluded: Collection[str]) -> str | None:
    """How a folder that is not looked into is called in the report; None if it is looked into."""
    if name.startswith(".") or name.casefold() in SKIPPED_FOLDERS:
        return decode_name(name)
    location = os.path.join(folder, name)  # noqa: PTH118
    if location in excluded:
        return OWN_DATA
    own = any(os.path.lexists(os.path.join(location, marker)) for marker in (MARKER, DATABASE))  # noqa: PTH118
    beside_database = folder == str(root) and (DATABASE in beside or folder in excluded)
    return OWN_DATA if own or (beside_database and name in _OWN_FOLDERS) else None


def _count_images(location: str) -> int:
    return sum(is_image(name) for _, _, names in os.walk(location) for name in names)


def _hidden(name: str, skipped: Counter[str] | None) -> bool:
    hidden = name.startswith(".")
    if hidden and skipped is not None:
        skipped[HIDDEN_FILES] += 1
    return hidden


def _unreadable(root: Path, error: OSError) -> RefusedPath:
    path = os.path.relpath(error.filename or root, root).replace(os.sep, "/")
    return RefusedPath(path=decode_name(path), reason=f"the folder cannot be read: {error.strerror}")


def _linked_folder(root: Path, location: str) -> str:
    if _is_inside(os.path.realpath(location), root):
        return "a link to a folder of the same image root: its images are read where they lie"
    return "a link to a folder outside the image root: name its target as the image root"


def _is_inside(path: str, root: Path) -> bool:
    return path == str(root) or path.startswith(f"{str(root).rstrip(os.sep)}{os.sep}")


def _examine(root: Path, location: Path, path: str) -> CatalogueFile | RefusedPath:
    try:
        if location.is_symlink() and not location.resolve().is_relative_to(root):
            location.stat()  # a link that leads nowhere is told as such
            return RefusedPath(path=path, reason="a link that leaves the image root")
        facts = location.stat()
    except (OSError, RuntimeError) as error:
        return RefusedPath(path=path, reason=_stat_fault(error))
    if not stat.S_ISREG(facts.st_mode):  # opening a pipe would block for ever
        return RefusedPath(path=path, reason=f"{_kind(facts.st_mode)}, not a regular file")
    return CatalogueFile(path=path, location=location, byte_size=facts.st_size, modified_ns=facts.st_mtime_ns)


def _stat_fault(error: OSError | RuntimeError) -> str:
    if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:  # Path.resolve raises RuntimeError before Python 3.13
        return "a link that leads in a circle"
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return "a link that leads nowhere: its target is missing"
    return f"it cannot be looked at: {error.strerror}"


def _kind(mode: int) -> str:
    for known, kind in ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISDIR, "a link to a folder")):
        if known(mode):
            return kind
    return "a device"
