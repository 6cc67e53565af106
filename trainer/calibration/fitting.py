"""Fitting a curve: isotonic regression for many cases, a logistic curve for few; intervals by bootstrap.

The bootstrap draws artists, not pairs: pairs of one artist resemble each other. Where all cases agree it cannot vary; there the limit is
the exact binomial one (Clopper and Pearson, 1934) with artists as trials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.calibration.curve import CalibrationCurve, CalibrationMethod

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from trainer.calibration.scored_cases import ScoredCases

    Floats = npt.NDArray[np.float64]
    #: (cases, their weights, bounds of the probability) to knots.
    Fit = Callable[[ScoredCases, Floats, tuple[float, float]], tuple[Floats, Floats]]

RESAMPLES = 200

#: Share outside an interval, half of it on each side.
_OUTSIDE = 0.05

#: Knots of a curve, beside the steps of an isotonic one.
_KNOTS = 128

#: A logistic curve that rises by less is one number.
_FLAT = 1e-9


def fit_curve(cases: ScoredCases, *, seed: int, method: CalibrationMethod, intervals: bool = True) -> CalibrationCurve:
    """The curve of the cases, both true and false ones among them.

    Probabilities stay within `limits`, so that no finite sample claims certainty. Without `intervals` low and high are the probability.
    """
    fit = isotonic_knots if method is CalibrationMethod.ISOTONIC else platt_knots
    bounds = limits(cases)
    steps, values = fit(cases, cases.weights, bounds)
    knots = np.unique(np.concatenate([steps, np.quantile(cases.scores, np.linspace(0, 1, _KNOTS))]))
    probabilities = _rising(np.interp(knots, steps, values))
    low, high = probabilities, probabilities
    if intervals:
        low, high = _bootstrap(cases, fit, bounds, knots, seed)
        low, high = _where_all_agree(cases, knots, np.minimum(low, probabilities), np.maximum(high, probabilities))
    return CalibrationCurve(
        method=method,
        scores=tuple(knots.tolist()),
        probabilities=tuple(probabilities.tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        positives=int(cases.truth.sum()),
        negatives=int((~cases.truth).sum()),
        artists=len(np.unique(cases.artists)),
    )


def limits(cases: ScoredCases) -> tuple[float, float]:
    """The least and the greatest probability: Platt's targets 1 / (N- + 2) and (N+ + 1) / (N+ + 2)."""
    positives = int(cases.truth.sum())
    return 1 / (len(cases) - positives + 2), (positives + 1) / (positives + 2)


def isotonic_knots(cases: ScoredCases, weights: Floats, bounds: tuple[float, float]) -> tuple[Floats, Floats]:
    """Knots of the weighted least-squares rising curve, clipped to the bounds."""
    from sklearn.isotonic import IsotonicRegression

    used = weights > 0
    regression = IsotonicRegression(y_min=bounds[0], y_max=bounds[1], out_of_bounds="clip")
    regression.fit(cases.scores[used], cases.truth[used].astype(np.float64), sample_weight=weights[used])
    return regression.X_thresholds_.astype(np.float64), regression.y_thresholds_.astype(np.float64)


def platt_knots(cases: ScoredCases, weights: Floats, bounds: tuple[float, float]) -> tuple[Floats, Floats]:
    """Knots of the logistic curve, equally far apart in probability: between them a line errs by less than 1e-4."""
    from scipy.special import expit, logit

    coefficients, intercept = fit_logistic(cases.scores[:, None], cases.truth, weights, bounds)
    slope = max(float(coefficients[0]), 1e-9)
    extremes = np.array([cases.scores.min(), cases.scores.max()])
    ends = np.clip(expit(slope * extremes + intercept), *bounds)
    if ends[1] - ends[0] < _FLAT:
        return extremes[:1], ends[:1]
    values = np.linspace(ends[0], ends[1], _KNOTS)
    return (logit(values) - intercept) / slope, values


def fit_logistic(
    features: Floats, truth: npt.NDArray[np.bool_], weights: Floats, targets: tuple[float, float]
) -> tuple[npt.NDArray[np.float64], float]:
    """Coefficients, none negative, and intercept of the logistic curve that minimises the weighted log loss.

    True and false cases aim at Platt's smoothed targets, so that separable cases too have a finite optimum. `features` is (n, f).
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-12)
    x = (features - centre) / scale
    t = np.where(truth, targets[1], targets[0])
    w = weights / weights.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        z = x @ parameters[:-1] + parameters[-1]
        residual = w * (expit(z) - t)
        gradient = np.append(residual @ x, residual.sum())
        return float(w @ (np.logaddexp(0, z) - t * z)), gradient

    start = np.append(np.ones(x.shape[1]), 0.0)
    bounds = [(0.0, None)] * x.shape[1] + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12, "gtol": 1e-9})
    coefficients = found.x[:-1] / scale
    return coefficients, float(found.x[-1] - coefficients @ centre)


def _bootstrap(cases: ScoredCases, fit: Fit, bounds: tuple[float, float], knots: Floats, seed: int) -> tuple[Floats, Floats]:
    """Percentiles at the knots of curves fitted to artists drawn with replacement."""
    names, artist = np.unique(cases.artists, return_inverse=True)
    rng = np.random.default_rng(seed)
    curves: list[Floats] = []
    for _ in range(RESAMPLES):
        drawn = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        weights = cases.weights * drawn[artist]
        if weights[cases.truth].any() and weights[~cases.truth].any():
            curves.append(np.interp(knots, *fit(cases, weights, bounds)))
    if not curves:  # one artist has all true cases, another all false ones
        return np.zeros(len(knots)), np.ones(len(knots))
    low, high = np.quantile(curves, [_OUTSIDE / 2, 1 - _OUTSIDE / 2], axis=0)
    return _rising(low), _rising(high)


def _rising(values: Floats) -> Floats:
    """Without the last bit by which interpolation may fall."""
    rising: Floats = np.maximum.accumulate(values)
    return rising


def _where_all_agree(cases: ScoredCases, knots: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Limits where no case contradicts: above the highest false score, and below the lowest true one."""
    true, false = cases.scores[cases.truth], cases.scores[~cases.truth]
    all_true, all_false = cases.scores > false.max(initial=-np.inf), cases.scores < true.min(initial=np.inf)
    lowest, highest = _least_share(cases, all_true), 1 - _least_share(cases, all_false)
    low = np.where(knots > false.max(), np.minimum(low, lowest), low)
    high = np.where(knots < true.min(), np.maximum(high, highest), high)
    # The limits do not fall either.
    return np.minimum.accumulate(low[::-1])[::-1], np.maximum.accumulate(high)


def _least_share(cases: ScoredCases, chosen: npt.NDArray[np.bool_]) -> float:
    """Lower limit of a share of which all trials so far were hits, artists being the trials: (a/2)^(1/n)."""
    trials = len(np.unique(cases.artists[chosen]))
    return float((_OUTSIDE / 2) ** (1 / trials)) if trials else 0.0
