"""Which image store belongs to this database."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from db.engine.metadata import Moment, metadata

# The image store that belongs to this database: one row, whose id stands in the store's marker too.
stores = Table(
    "stores",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("created_at", Moment, nullable=False),
)
