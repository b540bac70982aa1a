from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.calibration import _SigmoidCalibration
from sklearn.linear_model import LogisticRegression

from service.core.calibration import (
    Calibration,
    CalibrationCurve,
    IsotonicCurve,
    Method,
    PlattCurve,
    TemperatureCurve,
)
from service.core.calibration_fit import fit_platt, log_odds, recalibrated
from service.core.errors import CalibrationError

CURVES: dict[Method, CalibrationCurve] = {
    "platt": PlattCurve(slope=10.0, intercept=-6.0),
    "temperature": TemperatureCurve(temperature=0.05, centre=0.35, prior_log_odds=-1.0),
    "isotonic": IsotonicCurve(knots=((0.1, 0.0), (0.3, 0.2), (0.5, 1.0))),
}


def sample(n: int = 400, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(0.3, 0.1, n)
    return scores, (rng.uniform(size=n) < expit(20 * scores - 7)).astype(np.int64)


def test_platt_is_the_logistic_regression_of_scikit_learn() -> None:
    scores, labels = sample()
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(scores[:, None], labels)
    curve = fit_platt(scores, labels)
    assert curve.slope == pytest.approx(oracle.coef_[0, 0], rel=1e-4)
    assert curve.intercept == pytest.approx(oracle.intercept_[0], rel=1e-4)


def test_smoothed_targets_are_those_of_scikit_learn() -> None:
    scores, labels = sample(60)
    oracle = _SigmoidCalibration().fit(scores, labels)
    curve = fit_platt(scores, labels, smooth=True)
    assert (curve.slope, curve.intercept) == pytest.approx((-oracle.a_, -oracle.b_), rel=1e-3)


def test_a_weight_of_two_counts_as_two_pairs_and_one_of_none_as_none() -> None:
    scores, labels = sample(60)
    weights = np.arange(60) % 3
    rows = np.repeat(np.arange(60), weights)
    for smooth in (False, True):
        weighted = fit_platt(scores, labels, weights.astype(float), smooth=smooth)
        repeated = fit_platt(scores[rows], labels[rows], smooth=smooth)
        assert weighted.slope == pytest.approx(repeated.slope, abs=1e-5)
        assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-5)


@given(st.floats(1e-3, 1e3), st.floats(-50, 50), st.integers(0, 20))
def test_scores_of_another_scale_give_the_same_probabilities(scale: float, moved: float, seed: int) -> None:
    scores, labels = sample(80, seed)
    curve, other = fit_platt(scores, labels), fit_platt(scores * scale + moved, labels)
    assert other.slope * scale == pytest.approx(curve.slope, rel=1e-3, abs=1e-3)


def test_classes_that_a_cut_divides_get_a_finite_slope() -> None:
    curve = fit_platt(np.array([0.1, 0.2, 0.2, 0.8, 0.9]), np.array([0, 0, 0, 1, 1]))
    # Platt's targets: 1/5 of the three others, 3/4 of the two matches.
    assert curve.probability(0.85) == pytest.approx(0.75, abs=0.02)
    assert curve.probability(0.17) == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], []])
def test_one_class_cannot_be_fitted(labels: list[int]) -> None:
    with pytest.raises(CalibrationError, match=f"{len(labels)} pairs with {sum(labels)} matches"):
        fit_platt(np.linspace(0, 1, len(labels)), np.array(labels, dtype=np.int64))


def test_matches_that_score_lower_cannot_be_fitted() -> None:
    for scores in ([0.9, 0.8, 0.1, 0.2], [0.5, 0.4, 0.5, 0.45]):
        with pytest.raises(CalibrationError, match="do not score higher"):
            fit_platt(np.array(scores), np.array([0, 1, 1, 1]))


@pytest.mark.parametrize("method", CURVES)
def test_a_recalibrated_curve_is_the_line_of_its_log_odds(method: Method) -> None:
    curve, by = CURVES[method], PlattCurve(slope=2.2, intercept=1.5)
    old = Calibration(method=method, with_title=curve, without_title=curve, pairs=9, prevalence=0.25)
    new = recalibrated(old, by, pairs=70, prevalence=0.04)
    assert (new.method, new.pairs, new.prevalence) == (method, 70, 0.04)
    # Between its knots an isotonic curve is straight, and the line of log odds is not.
    for raw in (0.1, 0.3, 0.5) if method == "isotonic" else np.linspace(0.05, 0.6, 12):
        expected = expit(2.2 * log_odds(np.array([curve.probability(raw)])) + 1.5)[0]
        assert new.probability(raw, titled=True) == pytest.approx(expected, abs=1e-4)


def test_slope_one_and_intercept_nothing_change_no_curve() -> None:
    for method, curve in CURVES.items():
        old = Calibration(method=method, with_title=curve, without_title=curve, pairs=9, prevalence=0.25)
        same = recalibrated(old, PlattCurve(slope=1.0, intercept=0.0), pairs=9, prevalence=0.25)
        for raw in np.linspace(-1, 1, 41):
            assert same.probability(raw, titled=True) == pytest.approx(
                old.probability(raw, titled=True), abs=2e-6
            )


def test_log_odds_of_certainties_are_finite() -> None:
    np.testing.assert_allclose(log_odds(np.array([0.25, 0.0])), [-np.log(3), logit(5e-7)])
