"""The table of measures: printed, kept as JSON beside the pack, and put into its cards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_T = TypeVar("_T")


class Measure(BaseModel):
    """One measure, and the bound that a pack has to keep if there is one."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: float
    least: float | None = None
    most: float | None = None
    #: "" for shares.
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether the bound is kept; true where there is none."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def shown(self, number: float) -> str:
        """A number as this row shows numbers."""
        return f"{number:.1%}" if not self.unit else f"{number:.3g} {self.unit}"

    @property
    def bound(self) -> str:
        """The bound in words; empty if there is none."""
        if self.least is not None:
            return f"at least {self.shown(self.least)}"
        return f"at most {self.shown(self.most)}" if self.most is not None else ""


def markdown(rows: Sequence[Measure]) -> str:
    """The table in Markdown."""
    lines = ["| | measured | wanted | |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.shown(row.value)} | {row.bound} | {'' if row.kept else 'missed'} |" for row in rows]
    return "\n".join(lines)


def accuracy(predicted: Sequence[Any], true: Sequence[Any]) -> float:
    """The share of predictions that are true."""
    return float(np.mean([one == other for one, other in zip(predicted, true, strict=True)]))


def timed(task: Callable[[], _T]) -> tuple[_T, float]:
    """The result of the task, and its seconds."""
    begun = time.perf_counter()
    done = task()
    return done, time.perf_counter() - begun
