"""imported results.

Captions tell which picture they describe, and of which other caption they are a copy: one sentence serves all campaigns. It only adds:
programs of the version before go on beside it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_12_03"
down_revision = "2026_12_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("captions", sa.Column("content_hash", sa.String(64), nullable=True))
    op.add_column("captions", sa.Column("reused_from", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    op.create_index("ix_captions_content_hash", "captions", ["content_hash"])


def downgrade() -> None:
    op.drop_index("ix_captions_content_hash", "captions")
    op.drop_column("captions", "reused_from")
    op.drop_column("captions", "content_hash")
