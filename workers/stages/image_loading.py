"""Reading the image that a job works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from db.enums import FailureKind
from db.errors import BlobMissing
from db.images import UnreadableImage, content_hash, decode_image
from db.results.pairs import read_image_bytes
from workers.errors import JobFault
from workers.observers import BatchPart

if TYPE_CHECKING:
    from PIL.Image import Image

    from workers.backends.settings.base import BackendSettings
    from workers.stages.stage import StageContext


def load_image(context: StageContext[BackendSettings], blob: str, *, link: str | None = None) -> Image:
    """The image of that hash, RGB and upright, from the store or where it lies.

    Raises:
        JobFault: of kind `input`: it is missing or broken, while the store is there.
        StoreUnavailable: the store, or the disk of a linked image, is away, which says nothing about this job.
    """
    try:
        with context.recorder.part(BatchPart.LOAD):
            data = read_image_bytes(context.store, blob, link)
        image = decode_image(data).image
    except (BlobMissing, UnreadableImage) as error:
        raise JobFault(FailureKind.INPUT, str(error)) from error
    except (IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise JobFault(FailureKind.INPUT, f"the image at {error.filename} cannot be read: {error.strerror}") from error
    if link is not None and content_hash(data) != blob:
        raise JobFault(FailureKind.INPUT, f"{link} is another image than the one that was ingested: run `paragone ingest` again")
    return image
