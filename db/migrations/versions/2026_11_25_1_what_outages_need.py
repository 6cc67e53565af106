"""what outages need.

Jobs that back off leave the claim index, leases tell why their worker ended and how many jobs it had on the device, tables that are
written all the time are vacuumed in time, and the image store is known by its id.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25_1"
down_revision = "2026_11_25"
branch_labels = None
depends_on = None

#: PostgreSQL's storage parameters; db/jobs/tables.py says why.
REWRITTEN: dict[str, float] = {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 500}
MOVING = {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 2000, "autovacuum_analyze_scale_factor": 0.05}
PARAMETERS = {"batch_keys": REWRITTEN, "workers": REWRITTEN, "leases": REWRITTEN, "jobs": MOVING}

CLAIM_COLUMNS: list[str | sa.TextClause] = ["batch_key", "suspect", sa.text("priority DESC"), "id"]


def upgrade() -> None:
    op.drop_index("ix_leases_expires_at", "leases")
    op.add_column("leases", sa.Column("seconds", sa.Double(), server_default="15", nullable=False))
    op.add_column("leases", sa.Column("excused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("leases", sa.Column("began", sa.Integer(), server_default="0", nullable=False))
    _index("ix_jobs_claim", CLAIM_COLUMNS, "state = 'ready' AND not_before = 0", replaces=True)
    _index("ix_jobs_backing_off", ["batch_key", "not_before"], "state = 'ready' AND not_before > 0")
    op.create_table(
        "stores",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
    )
    if op.get_context().dialect.name == "postgresql":
        for table, parameters in PARAMETERS.items():
            op.execute(f"ALTER TABLE {table} SET ({', '.join(f'{name} = {value}' for name, value in parameters.items())})")


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        for table, parameters in PARAMETERS.items():
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(parameters)})")
    op.drop_table("stores")
    op.drop_index("ix_jobs_backing_off", "jobs")
    _index("ix_jobs_claim", CLAIM_COLUMNS, "state = 'ready'", replaces=True)
    op.drop_column("leases", "began")
    op.drop_column("leases", "excused")
    op.drop_column("leases", "seconds")
    op.create_index("ix_leases_expires_at", "leases", ["expires_at"])


def _index(name: str, columns: list[str | sa.TextClause], where: str, *, replaces: bool = False) -> None:
    if replaces:
        op.drop_index(name, "jobs")
    op.create_index(name, "jobs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
