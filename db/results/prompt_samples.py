"""A few artworks with their captions, from which drafts of prompts are written before a campaign is begun."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue.tables import artworks
from db.enums import ImageState
from db.results.tables import captions

if TYPE_CHECKING:
    from db.engine import Database


@dataclass(frozen=True, kw_only=True)
class SampledArtwork:
    """One artwork whose original is there; what nobody knows of it is empty."""

    artwork_id: int
    key: str
    artist: str
    title: str
    style: str
    content_hash: str
    #: Where a linked original lies; None if the bytes are in the store.
    link: str | None
    #: The current caption of the original in the campaign, else the newest of any; None without one.
    caption: str | None


def sample_artworks(
    database: Database, number: int, *, seed: int, campaign_id: int | None = None, include_incomplete: bool = False
) -> list[SampledArtwork]:
    """So many artworks that a campaign would take, drawn by the seed, in the order of the catalogue."""
    usable = select(artworks.c.id).where(artworks.c.picture == str(ImageState.PRESENT)).order_by(artworks.c.id)
    if not include_incomplete:
        usable = usable.where(artworks.c.incomplete.is_(None))
    with database.read() as connection:
        ids = list(connection.scalars(usable))
        chosen = sorted(random.Random(seed).sample(ids, min(number, len(ids))))
        rows = connection.execute(select(artworks).where(artworks.c.id.in_(chosen)).order_by(artworks.c.id)).mappings().all()
        found = select(captions.c.artwork_id, captions.c.text, captions.c.campaign_id).where(
            captions.c.artwork_id.in_(chosen), captions.c.variation_id.is_(None), captions.c.current
        )
        texts: dict[int, str] = {}
        own: set[int] = set()
        for row in connection.execute(found.order_by(captions.c.id)):
            if row.artwork_id not in own:
                texts[row.artwork_id] = row.text
            if row.campaign_id == campaign_id:
                own.add(row.artwork_id)
                texts[row.artwork_id] = row.text
    return [
        SampledArtwork(
            artwork_id=row["id"],
            key=row["key"],
            artist=row["artist"] or "",
            title=row["title"] or "",
            style=row["style"] or "",
            content_hash=row["content_hash"],
            link=row["link"],
            caption=texts.get(row["id"]),
        )
        for row in rows
    ]
