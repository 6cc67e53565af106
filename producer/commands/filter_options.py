"""Options with which several commands filter jobs: by stage, by kind of failure, by the scores of repaints."""

from __future__ import annotations

import click

from db.enums import FailureKind, Stage
from db.errors import BadFilter
from db.quality import where


def _stage(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Stage | None:
    return None if value is None else Stage(value)


def _kind(_context: click.Context, _parameter: click.Parameter, value: str | None) -> FailureKind | None:
    return None if value is None else FailureKind(value)


def _where(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        if value is not None:
            where(value)
    except BadFilter as error:
        raise click.BadParameter(str(error)) from None
    return value


stage_option = click.option("--stage", type=click.Choice([*map(str, Stage)]), callback=_stage, help="Only this stage.")
kind_option = click.option("--kind", type=click.Choice([*map(str, FailureKind)]), callback=_kind, help="Only failures of this kind.")
where_option = click.option("--where", metavar="FILTER", callback=_where, help='Only repaints that fit, such as "similarity > 0.97".')
