"""columns say what they hold.

Renamed in place on both databases: SQLite's own RENAME COLUMN carries indexes and their conditions along, where Alembic's batch mode would
make the table anew, empty those that refer to it, and lose what it cannot reflect of partial indexes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_25"
down_revision = "2026_11_23"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: Table, column as it was, column as it is.
RENAMED = (
    ("jobs", "lease", "lease_token"),
    ("jobs", "attempts", "attempt_count"),
    ("batch_keys", "jobs", "planned_jobs"),
    ("attempts", "kind", "error_kind"),
    ("attempts", "error", "error_text"),
)


def upgrade() -> None:
    op.drop_index("ix_jobs_lease", "jobs")
    for table, before, after in RENAMED:
        _rename(table, before, after)
    _index_leases("ix_jobs_lease_token", "lease_token")
    _move_models("models", "model_revisions")
    op.add_column("images", sa.Column("original_hash", sa.String(length=64), nullable=True))
    original = "provenance ->> 'original'" if _on_postgresql() else "json_extract(provenance, '$.original')"
    op.execute(f"UPDATE images SET original_hash = {original}")  # noqa: S608  # one of the two above


def downgrade() -> None:
    op.drop_column("images", "original_hash")
    _move_models("model_revisions", "models")
    op.drop_index("ix_jobs_lease_token", "jobs")
    for table, before, after in RENAMED:
        _rename(table, after, before)
    _index_leases("ix_jobs_lease", "lease")


def _on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _rename(table: str, before: str, after: str) -> None:
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")
    if not _on_postgresql():
        return
    # From 18 on PostgreSQL names what forbids NULL after the column too.
    named = sa.text("SELECT 1 FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) AND conname = :constraint")
    constraint = f"{table}_{before}_not_null"
    if op.get_bind().scalar(named, {"name": table, "constraint": constraint}):
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {constraint} TO {table}_{after}_not_null")


def _index_leases(name: str, column: str) -> None:
    held = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, "jobs", [column], sqlite_where=held, postgresql_where=held)


def _move_models(before: str, after: str) -> None:
    """A handful of rows to which no other table refers: written anew, so that keys and sequence carry the new table's name."""
    op.create_table(
        after,
        sa.Column("id", ID, nullable=False),
        sa.Column("campaign_id", ID, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("resolved_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f(f"fk_{after}_campaign_id_campaigns")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{after}")),
        sa.UniqueConstraint("campaign_id", "model", name=op.f(f"uq_{after}_campaign_id_model")),
    )
    columns = "campaign_id, model, revision, resolved_at"
    op.execute(f"INSERT INTO {after} ({columns}) SELECT {columns} FROM {before} ORDER BY id")  # noqa: S608  # names from this file
    op.drop_table(before)
