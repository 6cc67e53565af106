"""`paragone doctor`: everything that a newcomer gets wrong, with the fix beside it."""

from __future__ import annotations

import sys

import click

from producer.commands.check_lines import print_checks
from producer.commands.context import console, emit_json, json_option


@click.command(short_help="Look for what is wrong with this set-up.")
@json_option
def doctor(*, as_json: bool) -> None:
    """Look for what is wrong with this set-up and say what mends it; exit 1 if something does not work.

    Python, libraries, GPU and torch, disks, settings, URLs, broker, database, store, models. Makes and changes nothing.
    """
    from producer.doctor import diagnose  # imports the broker's libraries, which `--help` does not need
    from producer.health import CheckState

    report = diagnose()
    if as_json:
        emit_json(report)
    else:
        print_checks(report.checks)
        counts = {state: sum(check.state is state for check in report.checks) for state in CheckState}
        verdict = f"{counts[CheckState.FAIL]} failed, {counts[CheckState.WARN]} to look at, {counts[CheckState.OK]} in order"
        console().print(verdict, style="bold")
    sys.exit(1 if report.state is CheckState.FAIL else 0)
