"""Named triplet sets and the training runs made from them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from db.engine.metadata import Id, Json, Moment, metadata

triplet_sets = Table(
    "triplet_sets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("campaign_id", ForeignKey("campaigns.id"), nullable=False),
    Column("seed", BigInteger, nullable=False),
    # How it was drawn: split shares, negative strategy, what was left out and why.
    Column("recipe", Json, nullable=False),
    # Hash over the triplets by content, so that two sets of one name and recipe can be compared.
    Column("content_hash", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)

triplets = Table(
    "triplets",
    metadata,
    Column("set_id", ForeignKey("triplet_sets.id"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    # "train", "validation" or "test".
    Column("part", String(16), nullable=False),
    Column("anchor_id", ForeignKey("artworks.id"), nullable=False),
    Column("positive_id", ForeignKey("images.id"), nullable=False),
    # The negative, or the original of which the negative is a repaint.
    Column("negative_id", ForeignKey("artworks.id"), nullable=False),
    # The repaint that is the negative; NULL where the negative is an original, as in all sets of earlier versions.
    Column("negative_image_id", Id),
)

training_runs = Table(
    "training_runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("triplet_set_id", ForeignKey("triplet_sets.id"), nullable=False),
    Column("config", Json, nullable=False),
    Column("directory", Text, nullable=False),
    Column("metrics", Json),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
)
