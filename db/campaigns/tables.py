"""Campaigns, the models they froze, and the repaints they plan."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from db.engine.metadata import Id, Json, Moment, metadata

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("config", Json, nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
)

# A revision given as a branch is resolved at the first load; the commit found then is frozen here for all later loads.
model_revisions = Table(
    "model_revisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("model", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("resolved_at", Moment, nullable=False),
    UniqueConstraint("campaign_id", "model"),
)

variations = Table(
    "variations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("artwork_id", ForeignKey("artworks.id"), nullable=False),
    Column("level", String(32), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    # How many times a degenerate result (or `requeue --new-seed`) asked for another seed.
    Column("redraws", Integer, nullable=False, server_default="0"),
    UniqueConstraint("campaign_id", "artwork_id", "level", "ordinal"),
    Index("ix_variations_artwork_id", "artwork_id"),
)
