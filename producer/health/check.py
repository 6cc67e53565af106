"""One thing that was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class CheckState(StrEnum):
    """How something is; the order of definition is that of gravity."""

    #: As it should be.
    OK = "ok"
    #: It works, or may work, but somebody should look at it.
    WARN = "warn"
    #: It does not work.
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """The outcome of one check."""

    #: What was looked at, such as "database".
    name: str
    #: "ok", "warn" or "fail".
    state: CheckState
    #: One short line: how it is, and the cause.
    text: str
    #: What mends it; "" where nothing needs to be mended or the text says it.
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """All checks."""

    #: The gravest of the checks: the exit code is 1 if it is "fail".
    state: CheckState
    #: In the order in which they are shown.
    checks: tuple[HealthCheck, ...]


def passed(name: str, text: str) -> HealthCheck:
    """All is well."""
    return HealthCheck(name=name, state=CheckState.OK, text=text)


def warned(name: str, text: str, fix: str = "") -> HealthCheck:
    """Somebody should look at it."""
    return HealthCheck(name=name, state=CheckState.WARN, text=text, fix=fix)


def failed(name: str, text: str, fix: str = "") -> HealthCheck:
    """It does not work."""
    return HealthCheck(name=name, state=CheckState.FAIL, text=text, fix=fix)


def report_of(checks: Iterable[HealthCheck]) -> HealthReport:
    """The checks with their gravest state."""
    found = tuple(checks)
    return HealthReport(state=gravest(found), checks=found)


def gravest(checks: Iterable[HealthCheck]) -> CheckState:
    """The worst state of some checks; ok if there are none."""
    order = list(CheckState)
    return max((check.state for check in checks), key=order.index, default=CheckState.OK)


def merged(name: str, checks: Sequence[HealthCheck], *, otherwise: str) -> HealthCheck:
    """Several checks of one kind as one: the texts of those that are not ok, or `otherwise`."""
    troubles = [check for check in checks if check.state is not CheckState.OK]
    if not troubles:
        return passed(name, otherwise)
    fixes = dict.fromkeys(check.fix for check in troubles if check.fix)
    return HealthCheck(name=name, state=gravest(troubles), text="; ".join(check.text for check in troubles), fix="; ".join(fixes))
