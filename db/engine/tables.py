"""What the schema says of itself, beside Alembic's own table of its revision."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from db.engine.metadata import metadata

# One row, written by migrations: the oldest revision such that a program made for it, or for a later one, can work with the schema.
schema_compatibility = Table("schema_compatibility", metadata, Column("oldest_code", Text, primary_key=True))
