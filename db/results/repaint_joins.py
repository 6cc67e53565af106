"""What every query over repaints joins alike: their current captions, and whether the original is still that which was repainted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_

from db.catalogue.tables import artworks
from db.results.tables import images

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


def is_caption_of_original(caption: Any) -> ColumnElement[bool]:
    """That a row of `captions` is the current one of the image's original, in the image's campaign."""
    return and_(
        caption.c.artwork_id == images.c.artwork_id,
        caption.c.campaign_id == images.c.campaign_id,
        caption.c.variation_id.is_(None),
        caption.c.current,
    )


def is_caption_of_repaint(caption: Any) -> ColumnElement[bool]:
    """That a row of `captions` is the image's current one; by its variation too, for the index."""
    return and_(caption.c.variation_id == images.c.variation_id, caption.c.image_id == images.c.id, caption.c.current)


def is_still_a_pair() -> ColumnElement[bool]:
    """False for a repaint of an original that was replaced since."""
    return or_(images.c.original_hash.is_(None), images.c.original_hash == artworks.c.content_hash)
