"""Which revisions of the schema this program has heard of."""

from __future__ import annotations

from alembic.script import ScriptDirectory
from alembic.util import CommandError

from db.engine.schema import alembic_config


def knows_revision(revision: str) -> bool:
    """Whether a database of that revision is of this program's version or an older one, rather than a newer one."""
    try:
        return ScriptDirectory.from_config(alembic_config()).get_revision(revision) is not None
    except CommandError:
        return False
