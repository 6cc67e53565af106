"""`paragone init`: create or migrate the database and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from sqlalchemy import make_url

from producer.commands.context import console, pass_runtime

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command
@pass_runtime
def init(runtime: Runtime) -> None:
    """Create or migrate the database and the store; safe to run again."""
    runtime.initialise()
    database = make_url(runtime.settings.sqlalchemy_url).render_as_string(hide_password=True)
    console().print(f"ready: database {database}, store {runtime.settings.store_location}", soft_wrap=True)
