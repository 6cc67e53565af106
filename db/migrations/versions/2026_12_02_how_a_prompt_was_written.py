"""how a prompt was written.

What was asked of a language model, what was wrong with its answers, and whether the writer without a model had to step in. It only adds:
programs of the version before go on beside it, and leave the column NULL.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_12_02"
down_revision = "2026_12_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql")
    op.add_column("prompts", sa.Column("writing", json, nullable=True))


def downgrade() -> None:
    op.drop_column("prompts", "writing")
