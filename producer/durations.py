"""A duration as an option of a command."""

from __future__ import annotations

import click

from db.durations import parse_duration


def duration_callback(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Click's callback for an option that takes a duration."""
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
