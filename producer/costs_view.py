"""Costs for people: GPU hours, disk and money of a campaign under way or of a plan, and what the figures rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.filesize import decimal
from rich.text import Text

from db.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from db.monitoring.costs import Cost, CostOutlook
    from producer.forecast import Forecast

#: From so many hours on no fraction is shown.
_MANY_HOURS = 100


def costs_view(costs: CostOutlook) -> Text:
    """What is spent, what is left, and how that is known."""
    text = Text(f"spent {_shown(costs.spent, costs.currency)}")
    if costs.left.gpu_hours or costs.left.disk_bytes:
        text.append(f"\nleft  {_shown(costs.left, costs.currency)}")
    for basis, stages in _by_basis(costs.basis).items():
        text.append(f"\n      {', '.join(stages)}: {basis}", style="dim")
    return text


def forecast_lines(outlook: Forecast) -> Iterator[str]:
    """Device time and money of a plan, and how they are known."""
    if outlook.device_seconds is None:
        unknown = ", ".join(outlook.unmeasured)
        yield f"device time: unknown, nothing was measured yet for {unknown} with these models"
        yield f"  with what is assumed below: about {_hours(outlook.gpu_hours)}"
    else:
        yield f"device time: about {format_duration(outlook.device_seconds)} of one device, by what was measured"
    for basis, stages in _by_basis(outlook.gpu_basis).items():
        yield f"  {', '.join(stages)}: {basis}"
    if outlook.money is not None:
        yield f"money: about {_money(outlook.money, outlook.currency)} for {_hours(outlook.gpu_hours)}"


def _shown(cost: Cost, currency: str | None) -> str:
    parts = [f"about {_hours(cost.gpu_hours)}", decimal(cost.disk_bytes)]
    if cost.money is not None:
        parts.append(f"money {_money(cost.money, currency)}")
    return ", ".join(parts)


def _hours(hours: float) -> str:
    digits = 0 if hours >= _MANY_HOURS else 1 if hours >= 1 else 3
    return f"{hours:,.{digits}f} GPU hours"


def _money(amount: float, currency: str | None) -> str:
    return f"{amount:,.2f} {currency or ''}".rstrip()


def _by_basis(basis: Mapping[str, str]) -> dict[str, list[str]]:
    """Stages that rest on the same, together."""
    found: dict[str, list[str]] = {}
    for stage, text in basis.items():
        found.setdefault(text, []).append(stage)
    return found
