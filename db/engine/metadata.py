"""What all tables share: one MetaData with named constraints, and the column types that both databases know."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Double, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Row ids: 64 bits on PostgreSQL, SQLite's rowid (also 64 bits) there.
Id = BigInteger().with_variant(Integer, "sqlite")

#: Structured values.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

#: Seconds since 1970 by the database's clock: one type that both databases compare and add alike.
Moment = Double
