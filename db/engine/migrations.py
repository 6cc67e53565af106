"""Where the migrations lie, as Alembic wants to be told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).parent.parent / "migrations"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; a command that changes the schema does it on the connection."""
    config = Config()
    config.attributes["connection"] = connection
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))  # it is interpolated
    config.set_main_option("path_separator", "os")
    return config
