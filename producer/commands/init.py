"""`paragone init`: create or migrate the database and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from db.engine import display_url
from producer.commands.context import console, pass_runtime

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command(short_help="Create or migrate the database and the store.")
@pass_runtime
def init(runtime: Runtime) -> None:
    """Create or migrate the database and the store; safe to run again."""
    runtime.initialise()
    database = display_url(runtime.settings.sqlalchemy_url)
    console().print(f"ready: database {database}, store {runtime.settings.store_location}", soft_wrap=True)
