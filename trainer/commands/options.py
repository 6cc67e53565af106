"""Options that several of the trainer's commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from db.campaigns import find_campaign
from db.models_directory import resolve_models_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from db.runtime import Runtime
    from trainer.data.pair_source import PairSource


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


def pairs_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--campaign` and `--data`, as `campaign_name` and `data`: which pairs are trained on."""
    data = click.option(
        "--data",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="An export to train on, instead of a campaign of the database.",
    )
    return click.option("--campaign", "campaign_name", help="Campaign to train on. [default: the latest]")(data(command))


def chosen_pairs(runtime: Runtime, campaign: str | None, data: Path | None) -> PairSource:
    """The pairs that `pairs_options` name.

    Raises:
        UnknownCampaign: there is no such campaign.
        click.UsageError: both are named.
    """
    if data is None:
        from trainer.data.pair_source import DatabasePairs

        return DatabasePairs(runtime.database, runtime.store, find_campaign(runtime.database, campaign))
    if campaign is not None:
        raise click.UsageError("--data names an export, which is of one campaign: leave out --campaign")
    from trainer.data.exports import ExportPairs

    return ExportPairs(data)
