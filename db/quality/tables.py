"""What scorers measured of repaints: one value of each name for an image, replaced when it is measured again."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, String, Table, Text

from db.engine.metadata import Moment, metadata

scores = Table(
    "scores",
    metadata,
    # A repaint that is superseded keeps its scores as history; the one that replaces it is another image, without any.
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", Double, nullable=False),
    # The entry point of the group `paragone.scorers` that measured it.
    Column("scorer", String(64), nullable=False),
    # With what: a score of another revision is no longer comparable, and is measured again.
    Column("model", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("scored_at", Moment, nullable=False),
    # Choosing by threshold.
    Index("ix_scores_name", "name", "value"),
)
