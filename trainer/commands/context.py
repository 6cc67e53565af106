"""What a command gets from the command line that holds it: settings, database, store."""

from __future__ import annotations

import click

from db.house import House

#: Decorator: the command's first argument is the house.
pass_house = click.pass_obj

__all__ = ["House", "pass_house"]
