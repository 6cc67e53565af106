"""negatives that are repaints.

Triplets tell which repaint is their negative. It only adds: programs of the version before go on beside it and leave the column NULL, for
their negatives are originals.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_12_05"
down_revision = "2026_12_04"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("triplets", sa.Column("negative_image_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))


def downgrade() -> None:
    op.drop_column("triplets", "negative_image_id")
