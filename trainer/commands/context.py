"""What commands of this room share: what they get from the command line that holds them, and how local models are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from db.models_directory import resolve_models_directory
from db.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Decorator: the command's first argument is the runtime.
pass_runtime = click.pass_obj


def models_option(whose: str) -> Callable[[Any], Any]:
    """`--models`: a directory of local models that is there, as a path, or the pocket models by their name."""
    return click.option("--models", metavar="DIR|pocket", callback=_models, help=f"Local models whose {whose} to use.")


def _models(context: click.Context, option: click.Parameter, named: str | None) -> Path | None:
    if named is None:
        return None
    directory = resolve_models_directory(named)
    if not directory.is_dir():
        raise click.BadParameter(f"Directory {named!r} does not exist.", context, option)
    return directory


__all__ = ["Runtime", "models_option", "pass_runtime"]
