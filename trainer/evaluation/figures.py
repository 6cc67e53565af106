"""The figures of an evaluation with their intervals, and what may be said of the difference between two scorers."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from trainer.metrics.intervals import FEWEST_CLUSTERS


class EvaluationFigure(BaseModel):
    """A mean over repaints, with its 95 % interval over clusters (artists, where they are known)."""

    # Read from what an interval's function returns, whatever class that is.
    model_config = ConfigDict(frozen=True, from_attributes=True)

    value: float
    #: Ends of the interval; None for what has none, such as chance.
    low: float | None = None
    high: float | None = None
    #: Repaints that were counted.
    count: int
    #: Clusters that they fall into.
    clusters: int
    #: Whether these are too few for a verdict.
    too_few: bool = False


class ReferenceDifference(BaseModel):
    """This scorer less the reference (frozen CLIP) on the same repaints, with its 95 % interval and two-sided p."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    value: float
    low: float
    high: float
    p: float


class Verdict(StrEnum):
    """What may be said of a scorer beside the reference."""

    #: The interval of the difference lies on the good side of 0.
    BETTER = "better"
    #: It contains 0.
    EQUAL = "equal within the interval"
    #: It lies on the bad side of 0.
    WORSE = "worse"
    #: There are fewer than 20 clusters on the test side.
    TOO_FEW = "too few for a verdict"


def verdict_of(difference: ReferenceDifference, clusters: int, *, larger_is_better: bool = True) -> Verdict:
    """The verdict on a difference over so many clusters."""
    if clusters < FEWEST_CLUSTERS:
        return Verdict.TOO_FEW
    low, high = (difference.low, difference.high) if larger_is_better else (-difference.high, -difference.low)
    if low > 0:
        return Verdict.BETTER
    return Verdict.WORSE if high < 0 else Verdict.EQUAL
