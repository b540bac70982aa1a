from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.metrics import f1_score

from training.calibrate import CalibrationError, Floats, Labels, choose_threshold, fit_platt


def scores(n: int = 400, seed: int = 3) -> tuple[Floats, Labels]:
    """Raw scores of N pairs whose label follows a known logistic curve."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0, 0.6, n)
    labels = (rng.uniform(size=n) < 1 / (1 + np.exp(-(20 * raw - 7)))).astype(np.int64)
    return raw, labels


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


@pytest.mark.parametrize("labels", [np.zeros(4, np.int64), np.ones(4, np.int64), np.empty(0, np.int64)])
def test_one_class_cannot_be_calibrated(labels: Labels) -> None:
    values = np.linspace(0, 1, len(labels))
    with pytest.raises(CalibrationError, match="both classes are needed"):
        fit_platt(values, labels)
    with pytest.raises(CalibrationError, match="both classes are needed"):
        choose_threshold(values, labels, ["j"] * len(labels), rounds=2, rng=np.random.default_rng(0))


def test_scores_that_run_backwards_cannot_be_calibrated() -> None:
    raw, labels = scores()
    with pytest.raises(CalibrationError, match="do not score higher"):
        fit_platt(-raw, labels)


def test_a_band_that_no_resample_can_show_is_refused() -> None:
    probabilities, labels = np.array([0.9, 0.1]), np.array([1, 0])
    with pytest.raises(CalibrationError, match="none of 0 resamples of 2 jobs holds both classes"):
        choose_threshold(probabilities, labels, ["a", "b"], rounds=0, rng=np.random.default_rng(0))


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.35, 0.6, 0.9]), st.booleans()), min_size=2, max_size=30)
)
def test_the_threshold_has_the_best_f1_of_all(rows: list[tuple[float, bool]]) -> None:
    probabilities = np.array([p for p, _ in rows])
    labels = np.array([y for _, y in rows], dtype=np.int64)
    if labels.min() == labels.max():
        return
    jobs = [str(i % 3) for i in range(len(rows))]
    rule = choose_threshold(probabilities, labels, jobs, rounds=60, rng=np.random.default_rng(0))
    best = max(f1_score(labels, probabilities >= t) for t in np.unique(probabilities))
    assert f1_score(labels, probabilities >= rule.threshold) == pytest.approx(best)
    assert rule.borderline[0] <= rule.threshold <= rule.borderline[1]


def test_the_band_narrows_with_more_data() -> None:
    widths = []
    for n in (100, 5_000):
        raw, labels = scores(n)
        probabilities = 1 / (1 + np.exp(-(20 * raw - 7)))
        jobs = [str(i // 10) for i in range(n)]
        rule = choose_threshold(probabilities, labels, jobs, rounds=200, rng=np.random.default_rng(1))
        widths.append(rule.borderline[1] - rule.borderline[0])
    assert widths[1] < widths[0]


def test_the_same_seed_gives_the_same_rule() -> None:
    raw, labels = scores()
    jobs = [str(i // 8) for i in range(len(raw))]
    rules = [
        choose_threshold(raw, labels, jobs, rounds=50, rng=np.random.default_rng(7)).model_dump()
        for _ in range(2)
    ]
    assert rules[0] == rules[1]
