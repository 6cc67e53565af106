"""The pictures that are asked about: files, the image files of folders, or images in memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from db.images import UnreadableImage, decode_image
from db.images.colour import to_rgb
from db.images.decode import FORMATS
from trainer.errors import BadImageFile, NothingToSearch

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class QueryImage:
    """An upright RGB image, what it is called, and the SHA-256 of its file if it is one."""

    name: str
    image: Image.Image
    content_hash: str | None = None


def query_files(paths: Iterable[Path]) -> list[Path]:
    """The files themselves, and of each folder the image files in and below it, sorted; hidden ones are passed over.

    Raises `NothingToSearch` for a folder without an image file.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = [path] if not path.is_dir() else sorted(file for file in path.rglob("*") if file.is_file() and _is_image(file, path))
        if not inside:
            raise NothingToSearch(f"{path} holds no image file (.jpg, .png, .webp, ...)")
        found |= dict.fromkeys(inside)
    return list(found)


def read_query(image: str | Path | Image.Image, number: int = 1) -> QueryImage:
    """A file or an image in memory, which is called by its number; raises `BadImageFile`."""
    if isinstance(image, Image.Image):
        return QueryImage(name=f"image {number}", image=to_rgb(ImageOps.exif_transpose(image)))
    path = Path(image)
    try:
        data = path.read_bytes()
        return QueryImage(name=str(image), image=decode_image(data).image, content_hash=hashlib.sha256(data).hexdigest())
    except OSError as error:
        raise BadImageFile(f"{path} cannot be read: {error.strerror}") from None
    except UnreadableImage as error:
        raise BadImageFile(f"{path} is not an image that can be read: {error}") from None


def _is_image(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and Image.registered_extensions().get(file.suffix.casefold()) in FORMATS
