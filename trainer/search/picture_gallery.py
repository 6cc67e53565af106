"""A gallery of pictures that belong to no campaign: files, or images in memory. Their vectors are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.search.gallery import GalleryPicture, PictureKind, SearchGallery
from trainer.search.index import ExactIndex
from trainer.search.query_files import read_query

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

    from trainer.search.views import ImageEncoder


def picture_gallery(encoder: ImageEncoder, images: Sequence[str | Path | Image]) -> SearchGallery:
    """Each picture as an original of its own, called by its file or number.

    Raises:
        BadImageFile: a file is no image that can be read.
    """
    found = [read_query(image, number) for number, image in enumerate(images, 1)]
    pictures = tuple(
        GalleryPicture(
            kind=PictureKind.ORIGINAL,
            key=one.name,
            group=one.name,
            artist=None,
            title=None,
            style=None,
            level=None,
            content_hash=one.content_hash or "",
            link=one.name if one.content_hash else None,
        )
        for one in found
    )
    return SearchGallery(
        kind=PictureKind.ORIGINAL, pictures=pictures, index=ExactIndex(encoder.embed([one.image for one in found])), unreadable={}
    )
