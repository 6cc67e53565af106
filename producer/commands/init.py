"""`paragone init`: create or migrate the database and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from db.engine import display_url
from db.store import display_location
from producer.commands.context import console, pass_runtime
from workers.commands.wait_option import wait_option
from workers.service_wait import Service

if TYPE_CHECKING:
    from db.runtime import Runtime


@click.command(short_help="Create or migrate the database and the store.")
@click.option(
    "--adopt-store",
    is_flag=True,
    help="Make what lies at the store's location this database's store: after it was moved, emptied or replaced on purpose.",
)
@wait_option(Service.DATABASE, needed=Service.DATABASE)
@pass_runtime
def init(runtime: Runtime, *, adopt_store: bool) -> None:
    """Create or migrate the database and the store; safe to run again.

    The store gets a marker that this database knows: a folder without it, such as that of a disk that is not mounted, is not taken for it.
    """
    runtime.initialise(adopt_store_there=adopt_store)
    database, store = display_url(runtime.settings.sqlalchemy_url), display_location(runtime.settings.store_location)
    console().print(f"ready: database {database}, store {store}", soft_wrap=True)
    if adopt_store:
        console().print("for images that are not in this store: ingest again, then `paragone requeue --kind input`", soft_wrap=True)
