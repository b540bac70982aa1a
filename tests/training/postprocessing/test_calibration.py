from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from service.core.calibration import IsotonicCurve, PlattCurve, TemperatureCurve
from service.core.calibration_fit import fit_platt
from service.core.errors import CalibrationError
from training.evaluation.scored_pairs import Flags, Floats, Labels, ScoredPairs
from training.evaluation.utility import proper_losses
from training.postprocessing.calibration import (
    CalibrationOptions,
    fit_calibration,
    fit_isotonic,
    fit_temperature,
)

FITS = [fit_platt, fit_temperature, fit_isotonic]


def scores(n: int = 400, seed: int = 3) -> tuple[Floats, Labels]:
    """Raw scores of N pairs whose label follows a known logistic curve."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0, 0.6, n)
    labels = (rng.uniform(size=n) < expit(20 * raw - 7)).astype(np.int64)
    return raw, labels


def pairs_of(raw: Floats, labels: Labels, titled: Flags | None = None) -> ScoredPairs:
    n = len(raw)
    return ScoredPairs(
        raw,
        labels,
        jobs=[str(i // 10) for i in range(n)],
        resumes=[str(i) for i in range(n)],
        titled=np.arange(n) % 20 < 10 if titled is None else titled,
    )


def test_platt_maximises_the_likelihood() -> None:
    raw, labels = scores()

    def loss(parameters: Floats) -> float:
        logits = parameters[0] * raw + parameters[1]
        return float(np.mean(np.logaddexp(0, logits) - labels * logits))

    oracle = minimize(loss, x0=[1.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    curve = fit_platt(raw, labels)
    assert curve.slope == pytest.approx(oracle.x[0], rel=1e-3)
    assert curve.intercept == pytest.approx(oracle.x[1], rel=1e-3)


def test_platt_finds_a_known_curve_again() -> None:
    curve = fit_platt(*scores(50_000))
    assert curve.slope == pytest.approx(20, rel=0.05)
    assert curve.intercept == pytest.approx(-7, rel=0.05)


def test_the_temperature_maximises_the_likelihood_around_the_centre() -> None:
    raw, labels = scores()
    curve = fit_temperature(raw, labels)
    assert curve.centre == pytest.approx((raw[labels == 1].mean() + raw[labels == 0].mean()) / 2, abs=1e-6)
    assert expit(curve.prior_log_odds) == pytest.approx(labels.mean(), abs=1e-5)

    def loss(temperature: float) -> float:
        return float(log_loss(labels, expit((raw - curve.centre) / temperature + curve.prior_log_odds)))

    oracle = minimize_scalar(loss, bounds=(0.001, 1), method="bounded", options={"xatol": 1e-7})
    assert curve.temperature == pytest.approx(oracle.x, rel=1e-3)


def test_the_temperature_curve_is_exact_for_two_normal_distributions_of_equal_spread() -> None:
    # Bayes: log odds = (m1 - m0) / s^2 * (x - midpoint) + prior, so T = s^2 / (m1 - m0) = 0.01 / 0.2.
    rng = np.random.default_rng(0)
    labels = (rng.uniform(size=100_000) < 0.25).astype(np.int64)
    curve = fit_temperature(rng.normal(0.3 + 0.2 * labels, 0.1), labels)
    assert curve.temperature == pytest.approx(0.05, rel=0.03)
    assert curve.centre == pytest.approx(0.4, abs=0.003)


def test_classes_without_overlap_reach_the_sharpest_temperature() -> None:
    curve = fit_temperature(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
    assert curve.temperature == 1e-4
    assert (curve.probability(0.2), curve.probability(0.8)) == (0.0, 1.0)


def test_isotonic_agrees_with_scikit_learn() -> None:
    raw, labels = scores(2_000)
    raw = raw.round(4)
    curve = fit_isotonic(raw, labels)
    oracle = IsotonicRegression(y_min=1 / 2_002, y_max=2_001 / 2_002, out_of_bounds="clip").fit(raw, labels)
    tried = np.linspace(-0.1, 0.7, 500)
    ours = [curve.probability(float(x)) for x in tried]
    np.testing.assert_allclose(ours, oracle.predict(tried), atol=2e-6)
    assert min(ours) > 0
    assert max(ours) < 1


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("labels", [np.zeros(4, np.int64), np.ones(4, np.int64), np.empty(0, np.int64)])
def test_one_class_cannot_be_calibrated(fit: object, labels: Labels) -> None:
    with pytest.raises(CalibrationError, match="both classes are needed"):
        fit(np.linspace(0, 1, len(labels)), labels)  # type: ignore[operator]


@pytest.mark.parametrize("fit", FITS)
def test_scores_that_run_backwards_cannot_be_calibrated(fit: object) -> None:
    raw = np.linspace(0, 1, 40)
    with pytest.raises(CalibrationError, match="do not score higher"):
        fit(raw, (raw < 0.5).astype(np.int64))  # type: ignore[operator]


def test_proper_losses_agree_with_scikit_learn() -> None:
    raw, labels = scores()
    probabilities = expit(20 * raw - 7)
    assert proper_losses(probabilities, labels, "log_loss").mean() == pytest.approx(
        log_loss(labels, probabilities)
    )
    assert proper_losses(probabilities, labels, "brier").mean() == pytest.approx(
        brier_score_loss(labels, probabilities)
    )


def test_the_method_is_the_one_with_the_better_score_on_jobs_left_out() -> None:
    # Two thirds of the labels of high scores are noise: no logistic curve levels off at 0.7.
    rng = np.random.default_rng(1)
    raw = rng.uniform(0, 1, 6_000)
    labels = (rng.uniform(size=6_000) < np.where(raw > 0.5, 0.7, 0.02)).astype(np.int64)
    options = CalibrationOptions(methods=("temperature", "platt", "isotonic"))
    fitted = fit_calibration(pairs_of(raw, labels), options)
    assert fitted.calibration.method == "isotonic"
    assert isinstance(fitted.calibration.with_title, IsotonicCurve)
    assert fitted.scores["isotonic"] == min(fitted.scores.values())
    smooth = fit_calibration(pairs_of(*scores(2_000)), options)
    assert smooth.calibration.method in ("temperature", "platt")
    assert smooth.scores["isotonic"] > min(smooth.scores.values())
    assert smooth.notes == ()


def test_one_method_needs_no_comparison_and_no_second_job() -> None:
    raw, labels = scores(10)
    fitted = fit_calibration(
        pairs_of(raw, labels, np.ones(10, np.bool_)), CalibrationOptions(methods=("platt",))
    )
    assert fitted.scores == {}
    with pytest.raises(CalibrationError, match="two jobs at least; name one method"):
        fit_calibration(pairs_of(raw, labels, np.ones(10, np.bool_)))


def test_without_jobs_of_one_kind_the_other_curve_serves_and_is_said_to() -> None:
    raw, labels = scores()
    fitted = fit_calibration(
        pairs_of(raw, labels, np.ones(400, np.bool_)), CalibrationOptions(methods=("temperature",))
    )
    assert isinstance(fitted.calibration.with_title, TemperatureCurve)
    assert fitted.calibration.with_title == fitted.calibration.without_title
    assert fitted.notes == (
        "no curve of its own for jobs without title: 0 pairs with 0 matches; the other curve is used",
    )


def test_each_kind_of_job_gets_its_own_curve() -> None:
    raw, labels = scores()
    pairs = pairs_of(raw, labels)
    calibration = fit_calibration(pairs, CalibrationOptions(methods=("platt",))).calibration
    assert calibration.with_title == fit_platt(raw[pairs.titled], labels[pairs.titled])
    assert calibration.without_title == fit_platt(raw[~pairs.titled], labels[~pairs.titled])
    assert isinstance(calibration.with_title, PlattCurve)
    assert (calibration.pairs, calibration.prevalence) == (400, round(float(labels.mean()), 6))
    applied = pairs.probabilities(calibration)
    assert applied[0] == calibration.with_title.probability(float(raw[0]))
    assert applied[10] == calibration.without_title.probability(float(raw[10]))


@pytest.mark.parametrize("untitled_jobs", [1, 2])
def test_a_handful_of_pairs_gets_no_curve_of_its_own(untitled_jobs: int) -> None:
    raw, labels = scores()
    titled = np.ones(400, np.bool_)
    titled[-10 * untitled_jobs :] = False
    pairs = pairs_of(raw, labels, titled)
    matches = int(labels[~titled].sum())
    assert 0 < matches < 10 * untitled_jobs  # both classes, so that a curve could be drawn
    fitted = fit_calibration(pairs)
    assert fitted.calibration.with_title == fitted.calibration.without_title
    assert fitted.notes == (
        f"no curve of its own for jobs without title: {10 * untitled_jobs} pairs with {matches} matches; "
        "the other curve is used",
    )


def test_classes_that_do_not_overlap_are_noted() -> None:
    raw = np.linspace(0, 1, 40)
    fitted = fit_calibration(
        pairs_of(raw, (raw > 0.5).astype(np.int64), np.ones(40, np.bool_)),
        CalibrationOptions(methods=("temperature",)),
    )
    assert "surer than 40 pairs can show" in fitted.notes[-1]


def test_a_fold_that_cannot_be_fitted_is_said_to_be_one() -> None:
    # All the order there is comes from the last job; without it matches score lower.
    raw = np.array([0.5, 0.4, 0.5, 0.4, 0.1, 0.9])
    pairs = ScoredPairs(
        raw,
        np.array([0, 1, 0, 1, 0, 1]),
        jobs=["a", "a", "b", "b", "c", "c"],
        resumes=list("abcdef"),
        titled=np.ones(6, np.bool_),
    )
    with pytest.raises(CalibrationError, match=r"without one fold of 3 jobs, .* name one method"):
        fit_calibration(pairs)
    assert fit_calibration(pairs, CalibrationOptions(methods=("platt",))).calibration.method == "platt"
