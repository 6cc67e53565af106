"""Paths that rows and lists name, made relative to the image root, or refused for what is true of them."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_DRIVE = re.compile(r"^[A-Za-z]:(?![^\\/])")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(?=//)|^data:", re.ASCII)
_SHOWN = 80


class PathRefused(ValueError):
    """A path that is not read; its text is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedPath:
    """A path relative to the image root in normal form."""

    path: str
    #: Whether it was absolute, or a URL.
    was_absolute: bool = False


def normalise_path(path: str) -> str | None:
    """The path relative to the image root in normal form, or None if it leaves the root or is not a path.

    Backslashes of catalogues made on Windows are separators.
    """
    try:
        return place_path(path, None).path
    except PathRefused:
        return None


def place_path(path: str, root: Path | None) -> PlacedPath:
    """The path relative to the image root; absolute paths and `file://` URLs are accepted if they lie inside it.

    Args:
        path: as a row or a list names it.
        root: the image root; None if only names are known.

    Raises:
        PathRefused: it names no file, or none inside the root.
    """
    if not path:
        raise PathRefused("the row names no file")
    if "\0" in path:
        raise PathRefused("the path holds a NUL character")
    if scheme := _SCHEME.match(path):
        path = _of_url(path, scheme[0].rstrip(":").casefold())
    if _DRIVE.match(path):
        raise PathRefused("the path leaves the image root: it begins with a drive of Windows; name paths relative to the image root")
    normal = posixpath.normpath(path.replace("\\", "/"))
    if normal.startswith("/"):
        return PlacedPath(path=_inside(normal, root), was_absolute=True)
    if normal == ".." or normal.startswith("../"):
        raise PathRefused("the path leaves the image root")
    if normal == ".":
        raise PathRefused("the path is the image root itself, not a file in it")
    return PlacedPath(path=normal)


def _of_url(url: str, scheme: str) -> str:
    if scheme == "data":
        raise PathRefused("an image written into the cell, not a path: save it as a file")
    if scheme != "file":
        raise PathRefused(f"a URL ({scheme}): download the images, and name their folder with --images")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise PathRefused("a URL that cannot be read") from None
    if parts.netloc not in {"", "localhost"}:
        raise PathRefused(f"a URL of another host ({parts.netloc[:_SHOWN]}): copy the images, and name their folder with --images")
    path = unquote(url[len("file://") + len(parts.netloc) :])
    return path.removeprefix("/") if _DRIVE.match(path.removeprefix("/")) else path


def _inside(path: str, root: Path | None) -> str:
    if root is None:
        raise PathRefused("the path leaves the image root: it is absolute, and a file list has no root; list relative paths")
    path = f"/{path.lstrip('/')}"
    for start in (os.path.abspath(root), os.path.realpath(root)):  # noqa: PTH100  # links in the root's own path are kept here
        if path.startswith(f"{start.rstrip('/')}/"):
            return path[len(start.rstrip("/")) + 1 :]
    resolved = os.path.realpath(path)
    start = os.path.realpath(root).rstrip("/")
    if resolved.startswith(f"{start}/"):
        return resolved[len(start) + 1 :]
    raise PathRefused(f"the path leaves the image root: it is absolute and not in {root}")
