"""Bytes of a repaint's file: the mean of those of its size and format, else by what finely textured paintings take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from db.catalogue.tables import artworks
from db.monitoring.assumptions import BYTES_PER_FILE, BYTES_PER_PIXEL, CONTENT_SHARE
from db.results.tables import images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

#: The latest repaints and the artworks that are measured: enough for a mean, whatever the size of the database.
LATEST = 4_000
#: Repaints of one format and size from which their own mean is taken.
ENOUGH = 20


@dataclass(frozen=True, kw_only=True)
class RepaintBytes:
    """What one repaint takes."""

    mean: float
    #: Where the number comes from.
    basis: str


def repaint_bytes(connection: Connection, picture: Mapping[str, Any]) -> RepaintBytes:
    """Of repaints on this canvas: {"size": pixels, "format": "jpeg", "png" or "webp"}, as batch keys hold it."""
    file_format, size = picture["format"], picture["size"]
    count, mean = _measured(connection, file_format, size)
    if mean is not None and count >= ENOUGH:
        return RepaintBytes(mean=mean, basis=f"mean of {count} repaints of this size and format")
    per_pixel = BYTES_PER_PIXEL[file_format]
    covered = size**2 * (_content_share(connection) or CONTENT_SHARE)
    basis = f"at {per_pixel} bytes a pixel, as finely textured pictures take: {file_format}, {size} px"
    return RepaintBytes(mean=BYTES_PER_FILE + covered * per_pixel, basis=basis)


def _measured(connection: Connection, file_format: str, size: int) -> tuple[int, float | None]:
    """How many of the latest repaints are of this format with this longer side, and their mean."""
    latest = select(images.c.byte_size, images.c.width, images.c.height, images.c.format).order_by(images.c.id.desc()).limit(LATEST)
    some = latest.subquery()
    longer = case((some.c.width > some.c.height, some.c.width), else_=some.c.height)
    alike = select(func.count(), func.avg(some.c.byte_size)).where(some.c.format == file_format, longer == size)
    count, mean = connection.execute(alike).one()
    return int(count), None if mean is None else float(mean)


def _content_share(connection: Connection) -> float | None:
    """Mean share of a square canvas that originals cover, 0 to 1; None if none is known."""
    shorter = case((artworks.c.width < artworks.c.height, artworks.c.width), else_=artworks.c.height)
    longer = case((artworks.c.width < artworks.c.height, artworks.c.height), else_=artworks.c.width)
    known = select(shorter.label("shorter"), longer.label("longer")).where(artworks.c.width > 0).limit(LATEST).subquery()
    share = connection.scalar(select(func.avg(known.c.shorter * 1.0 / known.c.longer)))
    return None if share is None else float(share)
