"""What the commands share: the runtime, the console, and JSON on standard output."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, is_dataclass
from typing import Any

import click
from rich.console import Console

from db.runtime import Runtime

#: Decorator: the command's first argument is the runtime.
pass_runtime = click.make_pass_decorator(Runtime)

#: `--json`, for every command that prints facts.
json_option = click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")

#: `--campaign`, for every command that acts on one.
campaign_option = click.option("--campaign", metavar="NAME", help="Campaign.  [default: the latest]")


def console() -> Console:
    """Where facts are printed for people."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False)


def emit_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
