"""A calibrated curve: from a score to a probability and its interval, as knots between which it is linear."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


class CalibrationMethod(StrEnum):
    """How a curve was fitted."""

    #: Any rising curve (Zadrozny and Elkan, 2002): bends as the data do, and needs many of them.
    ISOTONIC = "isotonic"
    #: A logistic curve with smoothed targets (Platt, 1999): two numbers, for few data.
    PLATT = "platt"


class CalibrationCurve(BaseModel):
    """Knots of a curve that never falls; beyond the first and the last it stays at their value."""

    model_config = ConfigDict(frozen=True)

    method: CalibrationMethod
    #: Rising; the other three belong to them. `low` and `high` are 95 % intervals by bootstrap over artists of the fit.
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    #: What it was fitted on: true cases, false cases, and artists (groups of copies where the artist is unknown).
    positives: int
    negatives: int
    artists: int

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        columns = (self.scores, self.probabilities, self.low, self.high)
        if not self.scores or len({len(column) for column in columns}) > 1:
            raise ValueError("a curve needs as many probabilities and limits as scores, and at least one")
        if not np.isfinite(np.array(columns)).all() or (np.diff(self.scores) <= 0).any():
            raise ValueError("the scores of a curve rise from knot to knot")
        if any((np.diff(column) < 0).any() or min(column) < 0 or max(column) > 1 for column in columns[1:]):
            raise ValueError("probabilities lie from 0 to 1 and do not fall")
        return self

    def probability(self, scores: Floats) -> Floats:
        """(n,) scores to (n,) probabilities."""
        found: Floats = np.interp(scores, self.scores, self.probabilities)
        return found

    def interval(self, scores: Floats) -> tuple[Floats, Floats]:
        """(n,) scores to the lower and the upper limit of each probability."""
        return np.interp(scores, self.scores, self.low), np.interp(scores, self.scores, self.high)
