"""several hosts.

Hosts that are drained, clocks that differ, how workers ended, what each lease is for, and the oldest program that may work here. It only
adds: programs of the version before go on beside it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01"
down_revision = "2026_11_25_1"
branch_labels = None
depends_on = None

#: A program that was made for this schema, or a later one, works with the one that this migration makes.
OLDEST_CODE = "2026_11_25_1"


def upgrade() -> None:
    op.create_table(
        "drained_hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_drained_hosts")),
    )
    compatibility = op.create_table(
        "schema_compatibility",
        sa.Column("oldest_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("oldest_code", name=op.f("pk_schema_compatibility")),
    )
    op.bulk_insert(compatibility, [{"oldest_code": OLDEST_CODE}])
    op.add_column("workers", sa.Column("clock_offset", sa.Double(), nullable=True))
    op.add_column("workers", sa.Column("ended", sa.String(16), nullable=True))
    op.add_column("leases", sa.Column("batch_key", sa.Text(), nullable=True))
    op.add_column("leases", sa.Column("size", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("leases", "size")
    op.drop_column("leases", "batch_key")
    op.drop_column("workers", "ended")
    op.drop_column("workers", "clock_offset")
    op.drop_table("schema_compatibility")
    op.drop_table("drained_hosts")
