"""Originals, and the current repaints of a campaign with what led to them, as plain facts for readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from db.campaigns.tables import variations
from db.catalogue.tables import artworks
from db.engine.limits import BULK_SECONDS
from db.enums import ImageState
from db.results.repaint_joins import is_caption_of_original, is_caption_of_repaint, is_still_a_pair
from db.results.tables import captions, images, prompts
from db.store.linked import read_linked

if TYPE_CHECKING:
    from db.engine import Database
    from db.store import Store


@dataclass(frozen=True, kw_only=True)
class Original:
    """One artwork whose original is there; sizes in pixels, upright."""

    artwork_id: int
    key: str
    #: Artworks that are copies of one another share it: a split keeps them on one side.
    group_key: str
    artist: str | None
    title: str | None
    style: str | None
    #: Every style folder in which a copy was found.
    styles: tuple[str, ...]
    subset: str | None
    content_hash: str
    #: Where a linked original lies; None if the bytes are in the store.
    link: str | None
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Repaint:
    """One current repaint with what led to it; the stored image is already cropped to the original's content."""

    image_id: int
    artwork_id: int
    variation_id: int
    level: str
    ordinal: int
    seed: int
    content_hash: str
    pixel_hash: str
    width: int
    height: int
    prompt: str
    prompt_tokens: int
    brief: str
    #: The sentences about the original and about the repaint; None where that stage is not done.
    caption: str | None
    recaption: str | None
    provenance: dict[str, Any]


def originals(database: Database, campaign_id: int | None = None) -> list[Original]:
    """Artworks whose original is there, by id; with a campaign only those that it repaints."""
    query = select(artworks).where(artworks.c.picture == ImageState.PRESENT).order_by(artworks.c.id)
    if campaign_id is not None:
        planned = select(variations.c.artwork_id).where(variations.c.campaign_id == campaign_id)
        query = query.where(artworks.c.id.in_(planned))
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return [_original(row) for row in connection.execute(query).mappings()]


def repaints(database: Database, campaign_id: int) -> list[Repaint]:
    """The current repaints of a campaign, by artwork, level and ordinal."""
    with database.read(timeout_seconds=BULK_SECONDS) as connection:
        return [Repaint(**{**row, "provenance": dict(row["provenance"])}) for row in connection.execute(_repaints(campaign_id)).mappings()]


def read_image_bytes(store: Store, content_hash: str, link: str | None) -> bytes:
    """An image's file, from where it was left or from the store.

    Raises:
        BlobMissing: this image is gone.
        StoreUnavailable: the store, or the disk on which the linked image lies, is away.
        StoreError: it cannot be read from the store.
        OSError: the linked image cannot be read.
    """
    return store.get(content_hash) if link is None else read_linked(link)


def _original(row: Any) -> Original:
    facts = {name: row[name] for name in Original.__dataclass_fields__ if name not in {"artwork_id", "styles"}}
    return Original(artwork_id=row["id"], styles=tuple(row["styles"]), **facts)


def _repaints(campaign_id: int) -> Select[Any]:
    caption, recaption = captions.alias("caption"), captions.alias("recaption")
    return (
        select(
            images.c.id.label("image_id"),
            images.c.artwork_id,
            images.c.variation_id,
            variations.c.level,
            variations.c.ordinal,
            images.c.seed,
            images.c.content_hash,
            images.c.pixel_hash,
            images.c.width,
            images.c.height,
            prompts.c.text.label("prompt"),
            prompts.c.tokens.label("prompt_tokens"),
            prompts.c.brief,
            caption.c.text.label("caption"),
            recaption.c.text.label("recaption"),
            images.c.provenance,
        )
        .join(variations, variations.c.id == images.c.variation_id)
        .join(prompts, prompts.c.id == images.c.prompt_id)
        .outerjoin(caption, is_caption_of_original(caption))
        .outerjoin(recaption, is_caption_of_repaint(recaption))
        .join(artworks, artworks.c.id == images.c.artwork_id)
        .where(images.c.campaign_id == campaign_id, images.c.current, is_still_a_pair())
        .order_by(images.c.artwork_id, variations.c.level, variations.c.ordinal)
    )
