"""One published repaint: read, decoded, brought into its original's shape, checked against it, and put into the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.errors import BlobMissing
from db.images import UnreadableImage, content_hash, decode_image, degenerate_reason, encode, pixel_hash
from db.results.imported import ImportedRepaint
from db.results.pairs import read_image_bytes
from producer.image_import import read_file
from producer.results_import.canvas import CanvasChoice, CanvasForm, RestoredRepaint, restore
from producer.results_import.outcomes import ResultRowOutcome, SkippedRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

    from db.campaigns.configuration import CanvasConfig
    from db.catalogue.names import NamedArtwork
    from db.images import DecodedImage, ImageFormat
    from db.store import Store
    from producer.readers.catalogue import CatalogueFile

#: Files of these formats are kept byte for byte if nothing has to be cut off.
_KEPT: dict[str, ImageFormat] = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}


@dataclass(frozen=True, kw_only=True)
class RepaintImporter:
    """How repaints are taken in."""

    store: Store
    choice: CanvasChoice
    #: Format and quality of what has to be encoded anew.
    canvas: CanvasConfig
    #: False in a dry run: nothing is written.
    keep: bool = True

    def take_in(self, data: bytes, file: CatalogueFile, artwork: NamedArtwork, facts: Mapping[str, Any]) -> ImportedRepaint:
        """The repaint with its provenance, its blob in the store.

        Args:
            data: the published file.
            file: where it lies.
            artwork: what it repaints.
            facts: what is known of it, for its provenance.

        Raises:
            SkippedRow: it cannot be read, is degenerate, or its original is not there.
            StoreUnavailable: the store is away.
        """
        source_hash = content_hash(data)
        if source_hash == artwork.content_hash:
            raise SkippedRow(ResultRowOutcome.DEGENERATE, f"{file.path}: equal: it is the original's own file")
        try:
            decoded = decode_image(data)
        except UnreadableImage as error:
            raise SkippedRow(ResultRowOutcome.UNREADABLE, f"{file.path}: {error}") from None
        original = self._original(artwork)
        restored = restore(decoded.image, original, self.choice)
        reason = degenerate_reason(original=original, repaint=restored.image)
        if reason is not None:
            raise SkippedRow(ResultRowOutcome.DEGENERATE, f"{file.path}: {reason}")
        published = {"source_file": file.path, "source_hash": source_hash, "source_size": [decoded.width, decoded.height]}
        shape = {"canvas_form": str(restored.form), "canvas_choice": str(self.choice), "content_box": restored.box.to_json()}
        provenance = {"original": artwork.content_hash, **facts, **published, **shape}
        return self._stored(data, decoded, restored, provenance)

    def _original(self, artwork: NamedArtwork) -> Image:
        try:
            return decode_image(read_image_bytes(self.store, artwork.content_hash or "", artwork.link)).image
        except (BlobMissing, UnreadableImage, OSError) as error:
            raise SkippedRow(ResultRowOutcome.NO_ORIGINAL, f"the original of {artwork.key} cannot be read: {error}") from None

    def _stored(self, data: bytes, decoded: DecodedImage, restored: RestoredRepaint, provenance: dict[str, Any]) -> ImportedRepaint:
        box = restored.box
        kept = restored.form is CanvasForm.AS_IS and not decoded.animated and decoded.format in _KEPT
        format_: ImageFormat = _KEPT[decoded.format] if kept else self.canvas.format
        if not kept:
            try:
                data = encode(restored.image, format=format_, quality=self.canvas.quality, metadata=provenance)
            except ValueError as error:  # a prompt longer than a file's metadata may be
                raise SkippedRow(ResultRowOutcome.BAD_CELL, str(error)) from None
        return ImportedRepaint(
            content_hash=self.store.put(data) if self.keep else content_hash(data),
            pixel_hash=pixel_hash(restored.image),
            format=format_,
            byte_size=len(data),
            width=restored.image.width,
            height=restored.image.height,
            content_box=(box.left, box.top, box.right, box.bottom),
            provenance=provenance,
        )


def read_repaint(file: CatalogueFile) -> bytes:
    """The published file; raises `SkippedRow`."""
    try:
        return read_file(file)
    except UnreadableImage as error:
        raise SkippedRow(ResultRowOutcome.UNREADABLE, f"{file.path}: {error}") from None
