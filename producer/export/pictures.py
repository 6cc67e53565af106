"""The images of a pair as they are exported: read from store or link, checked against their hashes, the original prepared if asked."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from db.errors import BlobMissing, StoreError, StoreUnavailable
from db.images import EXTENSIONS, UnreadableImage, content_hash, decode_image, encode, prepared_original
from db.results.export_manifest import LeftOutPair
from db.results.pairs import read_image_bytes
from producer.export.options import OriginalsAs
from producer.export.record import record_of

if TYPE_CHECKING:
    from db.campaigns.configuration import CanvasConfig
    from db.results.export_rows import ExportRow
    from db.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ExportedImage:
    """One image file."""

    data: bytes
    #: Ending of its name, with the dot.
    suffix: str


@dataclass(frozen=True, kw_only=True)
class ExportedPair:
    """One row with its images."""

    #: Its place on its side of the split, from 0.
    number: int
    record: dict[str, Any]
    original: ExportedImage
    repaint: ExportedImage

    @property
    def stem(self) -> str:
        """The name that its files begin with."""
        return f"{self.number:08d}"


class _NotThere(Exception):
    """Why an image cannot be exported."""


@dataclass(frozen=True, kw_only=True)
class PairReader:
    """Reads pairs; safe in several threads."""

    store: Store
    campaign: str
    originals: OriginalsAs
    #: The campaign's canvas: format and quality of prepared originals.
    canvas: CanvasConfig

    def read(self, row: ExportRow, *, number: int, split: str) -> ExportedPair | LeftOutPair:
        """The pair, or why it is left out.

        Raises:
            StoreUnavailable: the store, or the disk of a linked original, is away, which says nothing about this pair.
        """
        try:
            repaint = _read(self.store, "repaint", row.repaint_hash)
            original = self._original(row)
        except _NotThere as reason:
            return LeftOutPair(artwork=row.artwork_key, level=row.level, ordinal=row.ordinal, reason=str(reason))
        record = record_of(row, campaign=self.campaign, split=split, original_file_hash=content_hash(original.data))
        return ExportedPair(number=number, record=record, original=original, repaint=ExportedImage(data=repaint, suffix=suffix_of(repaint)))

    def _original(self, row: ExportRow) -> ExportedImage:
        data = _read(self.store, "original", row.original_hash, row.link)
        if self.originals is OriginalsAs.PREPARED:
            try:
                data = prepare_original(data, row, self.canvas)
            except UnreadableImage as error:
                raise _NotThere(f"original: {error}") from None
        return ExportedImage(data=data, suffix=suffix_of(data))


def prepare_original(data: bytes, row: ExportRow, canvas: CanvasConfig) -> bytes:
    """What the repaint shows of the original, upright, in RGB, at its size, encoded as it is; raises `UnreadableImage`."""
    size = (row.repaint_width, row.repaint_height)
    shown = prepared_original(decode_image(data).image, row.provenance)
    image = shown.resize(size, Image.Resampling.LANCZOS)
    metadata = {"artwork": row.artwork_key, "original": row.original_hash}
    return encode(image, format=canvas.format, quality=canvas.quality, metadata=metadata)


def suffix_of(data: bytes) -> str:
    """The ending that tells an image's format by its bytes, whatever its name was; ".bin" if they tell none."""
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of large images; as where they are decoded
    try:
        with Image.open(BytesIO(data)) as image:
            name = (image.format or "bin").lower()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ".bin"
    return EXTENSIONS.get("jpeg" if name == "mpo" else name, {"tiff": ".tif", "jpeg2000": ".jp2"}.get(name, f".{name}"))


def _read(store: Store, what: str, expected: str, link: str | None = None) -> bytes:
    try:
        data = read_image_bytes(store, expected, link)
    except BlobMissing:
        raise _NotThere(f"{what}: missing") from None
    except StoreUnavailable:
        raise
    except (StoreError, OSError) as error:
        _log.warning("an image cannot be read", extra={"content_hash": expected, "reason": str(error)})
        raise _NotThere(f"{what}: cannot be read") from None
    if content_hash(data) != expected:
        raise _NotThere(f"{what}: " + ("another file than the one that was ingested" if link else "damaged"))
    return data
