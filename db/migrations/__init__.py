"""Alembic revisions of the schema; their names sort by date."""
