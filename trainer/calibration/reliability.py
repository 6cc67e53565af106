"""How far probabilities can be believed: Brier score, expected calibration error and reliability bins, on artists left out of the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from trainer.calibration.fitting import RESAMPLES, fit_curve

if TYPE_CHECKING:
    import numpy.typing as npt

    from trainer.calibration.curve import CalibrationMethod
    from trainer.calibration.scored_cases import ScoredCases

    Floats = npt.NDArray[np.float64]

#: Parts of equal width into which probabilities are divided.
BINS = 10
#: Parts of the artists, each judged by a curve that was fitted on the others.
FOLDS = 5


class ReliabilityBin(BaseModel):
    """The cases whose probability lies in one part of [0, 1]."""

    model_config = ConfigDict(frozen=True)

    #: Edges.
    start: float
    end: float
    cases: int
    #: Mean of the probabilities that were given.
    probability: float
    #: Weighted share of true cases, and its 95 % interval by bootstrap over artists (exact binomial where all agree).
    share: float
    interval: tuple[float, float]


class Reliability(BaseModel):
    """Probabilities against what was so."""

    model_config = ConfigDict(frozen=True)

    #: Weighted mean of (probability - truth)^2 (Brier, 1950); 0.25 is what 0.5 for everything scores.
    brier: float
    #: Mean over bins of |share - mean probability|, weighted by their cases (Naeini et al., 2015).
    expected_calibration_error: float
    #: Bins with cases, rising.
    bins: tuple[ReliabilityBin, ...]


def cross_fitted(cases: ScoredCases, *, seed: int, method: CalibrationMethod) -> Floats:
    """(n,) the probability of each case by a curve fitted on other artists; NaN where those are all true or all false."""
    names, artist = np.unique(cases.artists, return_inverse=True)
    fold_of_artist = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    folds = fold_of_artist[artist]
    probabilities = np.full(len(cases), np.nan)
    for fold in np.unique(folds):
        others = cases.take(folds != fold)
        if others.truth.any() and not others.truth.all():
            curve = fit_curve(others, seed=seed, method=method, intervals=False)
            probabilities[folds == fold] = curve.probability(cases.scores[folds == fold])
    return probabilities


def reliability(cases: ScoredCases, probabilities: Floats, *, seed: int) -> Reliability | None:
    """Figures of (n,) probabilities; those that are NaN do not count. None if that leaves nothing."""
    known = np.isfinite(probabilities)
    cases, p = cases.take(known), probabilities[known]
    if not len(cases):
        return None
    w, y = cases.weights / cases.weights.sum(), cases.truth.astype(np.float64)
    numbers = np.minimum((p * BINS).astype(int), BINS - 1)
    error, bins = 0.0, []
    for number in np.unique(numbers):
        chosen = numbers == number
        weight = w[chosen].sum()
        mean, share = w[chosen] @ p[chosen] / weight, w[chosen] @ y[chosen] / weight
        error += weight * abs(share - mean)
        bins.append(
            ReliabilityBin(
                start=number / BINS,
                end=(number + 1) / BINS,
                cases=int(chosen.sum()),
                probability=float(mean),
                share=float(share),
                interval=share_interval(cases.take(chosen), seed=seed),
            )
        )
    return Reliability(brier=float(w @ (p - y) ** 2), expected_calibration_error=float(error), bins=tuple(bins))


def share_interval(cases: ScoredCases, *, seed: int) -> tuple[float, float]:
    """95 % interval of the weighted share of true cases: by bootstrap over artists, or exact binomial over artists where all agree."""
    names, artist = np.unique(cases.artists, return_inverse=True)
    if cases.truth.all() or not cases.truth.any():
        least = float(0.025 ** (1 / len(names)))
        return (least, 1.0) if cases.truth.all() else (0.0, 1 - least)
    hits = np.bincount(artist, weights=cases.weights * cases.truth)
    totals = np.bincount(artist, weights=cases.weights)
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    low, high = np.quantile(hits[drawn].sum(axis=1) / totals[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)
