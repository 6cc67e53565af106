"""Options that several of the trainer's commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from db.models_directory import resolve_models_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def models_option(whose: str) -> Callable[[Any], Any]:
    """`--models`: an existing directory of local models, as a path, or the pocket models by their name."""
    return click.option("--models", metavar="DIR|pocket", callback=_models, help=f"Local models whose {whose} to use.")


def _models(context: click.Context, option: click.Parameter, named: str | None) -> Path | None:
    if named is None:
        return None
    directory = resolve_models_directory(named)
    if not directory.is_dir():
        raise click.BadParameter(f"Directory {named!r} does not exist.", context, option)
    return directory
