"""The database's own clock as an SQL expression: seconds since 1970, running on within a transaction.

All times in the database come from it, so hosts whose clocks disagree still agree on who holds a lease.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[float]):  # noqa: N801  # reads as the SQL function it stands for
    """Seconds since 1970-01-01 UTC as a double."""

    type = Double()
    inherit_cache = True


@compiles(now, "postgresql")
def _postgresql(_element: now, _compiler: Any, **_kw: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(now, "sqlite")
def _sqlite(_element: now, _compiler: Any, **_kw: Any) -> str:
    # julianday is there in every SQLite; unixepoch('subsec') gives NULL before 3.42.
    return "((julianday('now') - 2440587.5) * 86400.0)"
