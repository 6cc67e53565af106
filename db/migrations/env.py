"""Alembic's entry: runs on a connection that `db.engine.schema` hands over, with limits on locks and statements."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from db.tables import metadata

#: A migration that cannot get its lock gives up instead of stopping every worker behind it.
LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "30min"

connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'"))
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
