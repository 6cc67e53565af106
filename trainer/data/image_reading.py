"""Images read and decoded in batches, one batch ahead of the device that works on them."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from db.errors import BlobMissing
from db.images import UnreadableImage, decode_image
from db.results.pairs import read_image_bytes
from trainer.spaces.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from PIL.Image import Image

    from db.store import Store
    from trainer.data.embeddings import ImageReference

_log = logging.getLogger(__name__)

#: Threads that read and decode the next batch while the device works on this one.
_READERS = 4


def read_images(
    references: Sequence[ImageReference], store: Store, batch_size: int, unreadable: dict[str, str]
) -> Iterator[list[tuple[str, Image]]]:
    """Batches of (content hash, RGB image), one read ahead; what cannot be read goes into `unreadable` with its reason."""
    for batch in decoded_batches(references, partial(read_image_bytes, store), batch_size):
        yield without_unreadable(batch, unreadable)


def decoded_batches(
    references: Sequence[ImageReference], read: Callable[[str, str | None], bytes], batch_size: int
) -> Iterator[list[tuple[str, Image | str]]]:
    """Batches of (key, image or reason); one batch is read ahead."""
    remaining = iter(references)
    with ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="image-reader") as readers:
        ahead = [readers.submit(_read, reference, read) for reference in islice(remaining, batch_size)]
        while ahead:
            current = ahead
            ahead = [readers.submit(_read, reference, read) for reference in islice(remaining, batch_size)]
            yield [future.result() for future in current]


def without_unreadable(batch: Sequence[tuple[str, Image | str]], unreadable: dict[str, str]) -> list[tuple[str, Image]]:
    """The images of a batch; the reasons of the others go into `unreadable`."""
    decoded: list[tuple[str, Image]] = []
    for content_hash, image in batch:
        if isinstance(image, str):
            unreadable[content_hash] = image
            _log.warning("image has no embedding", extra={"content_hash": content_hash, "reason": image})
        else:
            decoded.append((content_hash, image))
    return decoded


def _read(reference: ImageReference, read: Callable[[str, str | None], bytes]) -> tuple[str, Image | str]:
    content_hash, link = reference.content_hash, reference.link
    try:
        data = read(content_hash, link)
        if link is not None and hashlib.sha256(data).hexdigest() != content_hash:
            return reference.key, f"{link} is no longer the image that was ingested: run `paragone ingest` again"
        image = decode_image(data).image
        return reference.key, VIEWS[reference.view](image if reference.box is None else image.crop(reference.box))
    except (BlobMissing, UnreadableImage, OSError) as error:
        return reference.key, str(error)
