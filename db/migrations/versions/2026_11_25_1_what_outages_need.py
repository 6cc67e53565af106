"""what outages need.

Jobs that back off leave the claim index, leases tell why their worker ended, and the image store is known by its id.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_1"
down_revision = "2026_11_25"
branch_labels = None
depends_on = None

CLAIM_COLUMNS: list[str | sa.TextClause] = ["batch_key", "suspect", sa.text("priority DESC"), "id"]


def upgrade() -> None:
    op.drop_index("ix_leases_expires_at", "leases")
    op.add_column("leases", sa.Column("seconds", sa.Double(), server_default="15", nullable=False))
    op.add_column("leases", sa.Column("excused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _index("ix_jobs_claim", CLAIM_COLUMNS, "state = 'ready' AND not_before = 0", replaces=True)
    _index("ix_jobs_backing_off", ["batch_key", "not_before"], "state = 'ready' AND not_before > 0")
    op.create_table(
        "stores",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
    )


def downgrade() -> None:
    op.drop_table("stores")
    op.drop_index("ix_jobs_backing_off", "jobs")
    _index("ix_jobs_claim", CLAIM_COLUMNS, "state = 'ready'", replaces=True)
    op.drop_column("leases", "excused")
    op.drop_column("leases", "seconds")
    op.create_index("ix_leases_expires_at", "leases", ["expires_at"])


def _index(name: str, columns: list[str | sa.TextClause], where: str, *, replaces: bool = False) -> None:
    if replaces:
        op.drop_index(name, "jobs")
    op.create_index(name, "jobs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
