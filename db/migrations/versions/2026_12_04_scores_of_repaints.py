"""scores of repaints.

What scorers measured of repaints. It only adds: programs of the version before go on beside it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_12_04"
down_revision = "2026_12_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("image_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("scorer", sa.String(64), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Text(), nullable=False),
        sa.Column("scored_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_scores_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", "name", name=op.f("pk_scores")),
    )
    op.create_index("ix_scores_name", "scores", ["name", "value"])


def downgrade() -> None:
    op.drop_table("scores")
