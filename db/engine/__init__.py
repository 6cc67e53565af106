"""The database: one engine for SQLite and PostgreSQL, its clock, bulk loads, retries and schema."""

from __future__ import annotations

from db.engine.connection import connect, single
from db.engine.database import Database

__all__ = ["Database", "connect", "single"]
