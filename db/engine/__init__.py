"""The database: one engine for SQLite and PostgreSQL, its clock, bulk loads, transactions and schema."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from db.engine.connection import connect
from db.engine.database import Database
from db.engine.limits import BULK_SECONDS
from db.engine.url import display_url

__all__ = ["BULK_SECONDS", "DBAPIError", "Database", "connect", "display_url"]
