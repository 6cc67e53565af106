"""Giving variations their next seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.campaigns import variation_seed
from db.campaigns.tables import campaigns, variations
from db.catalogue.tables import artworks
from db.engine.bulk import runs, update_by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def reseed(connection: Connection, variation_ids: Sequence[int]) -> None:
    """Give each variation its next seed: the old one gave a degenerate repaint, or somebody asked for another."""
    known = (
        select(variations.c.id, variations.c.redraws, variations.c.level, variations.c.ordinal, artworks.c.key, campaigns.c.config["seed"])
        .join(artworks, artworks.c.id == variations.c.artwork_id)
        .join(campaigns, campaigns.c.id == variations.c.campaign_id)
    )
    changed = []
    for some in runs(variation_ids):
        for variation_id, redraws, level, ordinal, key, campaign_seed in connection.execute(known.where(variations.c.id.in_(some))):
            facts = {"artwork_key": key, "level": level, "ordinal": ordinal, "redraws": redraws + 1}
            seed = variation_seed(campaign_seed=int(campaign_seed), **facts)
            changed.append({"the_id": variation_id, "redraws": redraws + 1, "seed": seed})
    update_by_id(connection, variations, changed)
