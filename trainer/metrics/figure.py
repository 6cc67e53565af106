"""One figure of a table: a mean over queries with its interval, and whether there are enough clusters for a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from trainer.metrics.intervals import FEWEST_CLUSTERS, clustered_mean, mean_interval, share_interval

if TYPE_CHECKING:
    import numpy.typing as npt


class Direction(StrEnum):
    """Which way a figure is better."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A value as a table shows it."""

    name: str
    #: NaN if no query was answered.
    value: float
    #: The 95 % interval; None where there is none.
    low: float | None = None
    high: float | None = None
    direction: Direction = Direction.HIGHER
    #: Queries in the mean, and those that could not be answered.
    count: int
    missing: int = 0
    #: Artists, and groups of copies of unknown artist, that the queries are of.
    clusters: int
    #: So few clusters that the interval is all that can be said.
    too_few: bool


def share_figure(name: str, values: npt.NDArray[np.float64], clusters: npt.NDArray[np.int64]) -> Figure:
    """The mean of values in [0, 1], one a query (n,), NaN for those without an answer."""
    return _figure(name, values, clusters, Direction.HIGHER, share=True)


def mean_figure(
    name: str, values: npt.NDArray[np.float64], clusters: npt.NDArray[np.int64], direction: Direction = Direction.HIGHER
) -> Figure:
    """The mean of any values, such as similarities and gaps, one a query (n,), NaN for those without an answer."""
    return _figure(name, values, clusters, direction, share=False)


def _figure(name: str, values: npt.NDArray[np.float64], clusters: npt.NDArray[np.int64], direction: Direction, *, share: bool) -> Figure:
    answered = ~np.isnan(values)
    count = int(answered.sum())
    missing = len(values) - count
    if not count:
        return Figure(name=name, value=np.nan, direction=direction, count=0, missing=missing, clusters=0, too_few=True)
    of = clustered_mean(values[answered], clusters[answered])
    low, high = (share_interval(of) if share else mean_interval(of)) or (None, None)
    return Figure(
        name=name,
        value=of.mean,
        low=low,
        high=high,
        direction=direction,
        count=count,
        missing=missing,
        clusters=of.clusters,
        too_few=of.clusters < FEWEST_CLUSTERS,
    )
