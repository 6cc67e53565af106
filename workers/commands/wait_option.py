"""`--wait`: a command that waits for database and broker before it begins."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from db.durations import parse_duration
from db.runtime import Runtime
from workers.service_wait import Service, Waiting, wait_for_services

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

HELP = "Wait so long for {} to answer (30s, 5m).  [default: PARAGONE_WAIT]"


def wait_option(*services: Service, needed: Service) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: adds `--wait`, and waits before the function is called; stands above what passes the runtime.

    Args:
        services: those that the command uses.
        needed: the one that it cannot do without. The others it waits for under PARAGONE_WAIT, and then goes on as it would have without a
            wait; but who says `--wait` by hand wants all of them.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @click.option("--wait", "wait_seconds", metavar="TIME", callback=_seconds, help=HELP.format(" and ".join(services)))
        @wraps(function)
        def waiting(*args: P.args, **kwargs: P.kwargs) -> R:
            asked = kwargs.pop("wait_seconds", None)
            runtime = click.get_current_context().find_object(Runtime)
            if runtime is not None:
                seconds = runtime.settings.wait if asked is None else float(str(asked))
                if seconds > 0:
                    demanded = (needed,) if asked is None else services
                    wait_for_services(runtime, Waiting(seconds=seconds, services=services, needed=demanded))
            return function(*args, **kwargs)

        return waiting

    return decorate


def _seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
