"""`paragone init`: create or migrate the database and the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from sqlalchemy import make_url

from producer.commands.context import console, pass_house

if TYPE_CHECKING:
    from db.house import House


@click.command
@pass_house
def init(house: House) -> None:
    """Create or migrate the database and the store; safe to run again."""
    house.initialise()
    database = make_url(house.settings.sqlalchemy_url).render_as_string(hide_password=True)
    console().print(f"ready: database {database}, store {house.settings.store_location}", soft_wrap=True)
