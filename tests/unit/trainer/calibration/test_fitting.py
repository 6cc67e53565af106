"""Curves against scikit-learn's, and against probabilities that are known because the cases are simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from trainer.calibration import fitting
from trainer.calibration.curve import CalibrationCurve, CalibrationMethod
from trainer.calibration.fitting import fit_curve, fit_logistic, isotonic_knots, limits
from trainer.calibration.reliability import cross_fitted, reliability, share_interval
from trainer.calibration.scored_cases import ScoredCases

if TYPE_CHECKING:
    import numpy.typing as npt


def cases(scores: object, truth: object, weights: object = None, artists: object = None) -> ScoredCases:
    one = np.asarray(scores, dtype=np.float64)
    return ScoredCases(
        scores=one,
        truth=np.asarray(truth, dtype=np.bool_),
        weights=np.ones(len(one)) if weights is None else np.asarray(weights, dtype=np.float64),
        artists=np.arange(len(one)) if artists is None else np.asarray(artists, dtype=np.int64),
    )


def simulated(count: int, artists: int, seed: int, *, spread: float = 0.0) -> ScoredCases:
    """Scores whose truth has the probability expit(6 (s - 0.5)), an artist's own shift aside."""
    rng = np.random.default_rng(seed)
    scores, artist = rng.uniform(-0.2, 1.2, count), rng.integers(artists, size=count)
    shift = rng.normal(0, spread, artists)[artist]
    return cases(scores, rng.random(count) < expit(6 * (scores - 0.5) + shift), artists=artist)


def true_probability(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = expit(6 * (scores - 0.5))
    return found


def test_the_isotonic_curve_is_scikit_learns() -> None:
    given_cases = simulated(1500, 40, 0)
    weights = np.random.default_rng(1).uniform(0.2, 2, 1500)
    low, high = limits(given_cases)
    expected = IsotonicRegression(y_min=low, y_max=high, out_of_bounds="clip")
    expected.fit(given_cases.scores, given_cases.truth, sample_weight=weights)

    knots = isotonic_knots(given_cases, weights, (low, high))

    at = np.linspace(-0.5, 1.5, 300)
    assert np.interp(at, *knots) == pytest.approx(expected.predict(at), abs=1e-9)


def test_the_logistic_curve_is_scikit_learns_on_smoothed_targets() -> None:
    few = simulated(60, 10, 3)
    weights = np.random.default_rng(1).uniform(0.2, 2, 60)
    targets = limits(few)
    t = np.where(few.truth, targets[1], targets[0])
    twice = LogisticRegression(C=1e9, tol=1e-10, max_iter=10_000).fit(
        np.tile(few.scores, 2)[:, None], np.repeat([1, 0], 60), sample_weight=np.concatenate([weights * t, weights * (1 - t)])
    )

    coefficients, intercept = fit_logistic(few.scores[:, None], few.truth, weights, targets)

    assert coefficients[0] == pytest.approx(twice.coef_[0, 0], rel=1e-3)
    assert intercept == pytest.approx(twice.intercept_[0], rel=1e-3, abs=1e-3)
    curve = fit_curve(cases(few.scores, few.truth, weights), seed=0, method=CalibrationMethod.PLATT)
    at = np.linspace(few.scores.min(), few.scores.max(), 97)
    assert curve.probability(at) == pytest.approx(expit(coefficients[0] * at + intercept).clip(*targets), abs=1e-3)


@pytest.mark.parametrize(("method", "mean", "most"), [(CalibrationMethod.ISOTONIC, 0.03, 0.15), (CalibrationMethod.PLATT, 0.02, 0.05)])
def test_calibrated_probabilities_are_those_by_which_the_cases_were_drawn(method: CalibrationMethod, mean: float, most: float) -> None:
    curve = fit_curve(simulated(4000, 50, 5), seed=0, method=method)

    at = np.linspace(0, 1, 41)
    errors = np.abs(curve.probability(at) - true_probability(at))
    assert (errors.mean() < mean, errors.max() < most) == (True, True)


@pytest.mark.parametrize(
    ("method", "count"), [(CalibrationMethod.ISOTONIC, 1200), (CalibrationMethod.ISOTONIC, 400), (CalibrationMethod.PLATT, 200)]
)
def test_intervals_hold_the_true_probability_about_as_often_as_they_say(
    method: CalibrationMethod, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "RESAMPLES", 100)
    at = np.linspace(0.1, 0.9, 17)
    held = []
    for seed in range(24):
        low, high = fit_curve(simulated(count, 30, seed), seed=seed, method=method).interval(at)
        held.append((low <= true_probability(at)) & (true_probability(at) <= high))

    assert 0.88 <= np.mean(held) <= 0.995


def test_cases_of_one_artist_that_agree_widen_the_interval() -> None:
    alone, bound = simulated(400, 400, 2), simulated(400, 12, 2, spread=2.5)
    at = np.array([0.5])

    low, high = fit_curve(alone, seed=0, method=CalibrationMethod.PLATT).interval(at)
    wide_low, wide_high = fit_curve(bound, seed=0, method=CalibrationMethod.PLATT).interval(at)

    assert (wide_high - wide_low)[0] > 1.5 * (high - low)[0]


@pytest.mark.parametrize("method", CalibrationMethod)
def test_separable_cases_claim_no_certainty(method: CalibrationMethod) -> None:
    curve = fit_curve(cases([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1]), seed=0, method=method)

    p = curve.probability(np.array([0.0, 1.0]))
    low, high = curve.interval(np.array([0.0, 1.0]))
    assert 0.2 <= p[0] <= p[1] <= 0.8  # limits of three cases: 1/5 and 4/5
    assert high[0] >= 1 - 0.025 ** (1 / 3) - 1e-9
    assert low[1] <= 0.025 ** (1 / 3) + 1e-9


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40),
    st.sampled_from(list(CalibrationMethod)),
)
def test_a_curve_rises_and_its_interval_holds_it_whatever_the_cases(
    drawn: list[tuple[float, bool, int]], method: CalibrationMethod
) -> None:
    truth = [one[1] for one in drawn]
    if all(truth) or not any(truth):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "RESAMPLES", 10)
        curve = fit_curve(cases([one[0] for one in drawn], truth, artists=[one[2] for one in drawn]), seed=0, method=method)

    at = np.linspace(-2, 2, 81)
    p, (low, high) = curve.probability(at), curve.interval(at)
    assert (np.diff(p) >= -1e-12).all()
    assert ((low <= p + 1e-12) & (p <= high + 1e-12)).all()
    assert CalibrationCurve.model_validate_json(curve.model_dump_json()) == curve


def test_brier_score_and_calibration_error_are_those_worked_out_by_hand() -> None:
    four = cases([0, 0, 0, 0], [1, 0, 1, 1], weights=[1, 1, 1, 3], artists=[0, 1, 2, 3])

    found = reliability(four, np.array([0.9, 0.2, 0.25, 1.0]), seed=0)

    assert found is not None
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.5625 + 0) / 6)
    # Bins: {0.2, 0.25} with share 1/2, and {0.9, 1.0} with share 1 and mean (0.9 + 3) / 4.
    assert found.expected_calibration_error == pytest.approx(2 / 6 * abs(0.5 - 0.225) + 4 / 6 * abs(1 - 0.975))
    assert [(one.start, one.cases) for one in found.bins] == [(0.2, 2), (0.9, 2)]
    assert found.bins[1].interval == pytest.approx((0.025**0.5, 1.0))


def test_cross_fitted_probabilities_of_well_drawn_cases_are_reliable() -> None:
    drawn = simulated(3000, 60, 8)

    found = reliability(drawn, cross_fitted(drawn, seed=0, method=CalibrationMethod.ISOTONIC), seed=0)

    assert found is not None
    assert found.expected_calibration_error < 0.04
    assert found.brier == pytest.approx(np.mean(true_probability(drawn.scores) * (1 - true_probability(drawn.scores))), abs=0.01)


def test_an_artist_is_judged_by_a_curve_that_did_not_see_it() -> None:
    drawn = simulated(300, 20, 1)
    spoilt = cases(drawn.scores, np.where(drawn.artists == 7, ~drawn.truth, drawn.truth), artists=drawn.artists)

    before = cross_fitted(drawn, seed=0, method=CalibrationMethod.PLATT)
    after = cross_fitted(spoilt, seed=0, method=CalibrationMethod.PLATT)

    assert (before[drawn.artists == 7] == after[drawn.artists == 7]).all()
    assert (before != after).any()


def test_the_interval_of_a_share_draws_whole_artists() -> None:
    rng = np.random.default_rng(0)
    artist = np.repeat(np.arange(10), 50)
    truth = (artist < 6) ^ (rng.random(500) < 0.02)

    low, high = share_interval(cases(np.zeros(500), truth, artists=artist), seed=0)

    assert high - low > 0.4  # ten artists, not 500 cases
