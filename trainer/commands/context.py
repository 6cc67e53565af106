"""What a command gets from the command line that holds it: settings, database, store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.settings import Settings
    from db.store import Store


class House(Protocol):
    """The object that the root command puts into `ctx.obj`."""

    @property
    def settings(self) -> Settings:
        """What the surroundings decide."""
        ...

    @property
    def engine(self) -> Engine:
        """The database."""
        ...

    @property
    def store(self) -> Store:
        """The image store."""
        ...


#: Decorator: the command's first argument is the house.
pass_house = click.pass_obj
