"""The database: one engine for SQLite and PostgreSQL, its clock, bulk loads, transactions and schema."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from db.engine.connection import connect, display_url
from db.engine.database import Database

__all__ = ["DBAPIError", "Database", "connect", "display_url"]
