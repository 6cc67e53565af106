"""Checks as people read them: a line each, with the fix below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from producer.commands.context import console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from producer.health.check import HealthCheck

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def print_checks(checks: Iterable[HealthCheck]) -> None:
    """State, name, how it is; then what mends it."""
    found = list(checks)
    width = max((len(check.name) for check in found), default=0)
    out = console()
    for check in found:
        out.print(Text.assemble((f"{check.state:<4}", _STYLES[check.state]), f"  {check.name:<{width}}  {check.text}"), soft_wrap=True)
        if check.fix:
            out.print(Text(f"{'':<{width + 8}}fix: {check.fix}"), soft_wrap=True)
