"""Options with which several commands filter jobs: by stage, by kind of failure."""

from __future__ import annotations

import click

from db.enums import FailureKind, Stage


def _stage(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Stage | None:
    return None if value is None else Stage(value)


def _kind(_context: click.Context, _parameter: click.Parameter, value: str | None) -> FailureKind | None:
    return None if value is None else FailureKind(value)


stage_option = click.option("--stage", type=click.Choice([*map(str, Stage)]), callback=_stage, help="Only this stage.")
kind_option = click.option("--kind", type=click.Choice([*map(str, FailureKind)]), callback=_kind, help="Only failures of this kind.")
