from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    false_positive_rate_difference,
    true_positive_rate_difference,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, fbeta_score

from service.core.errors import CalibrationError
from tests.training.postprocessing.test_calibration import scores
from training.postprocessing.threshold import (
    ParityConstraint,
    ThresholdChoice,
    ThresholdOptions,
    choose_threshold,
)


def choose(
    probabilities: Any, labels: Any, jobs: Any = None, *, groups: Any = None, **options: Any
) -> ThresholdChoice:
    jobs = jobs if jobs is not None else [str(i % 3) for i in range(len(labels))]
    return choose_threshold(
        np.asarray(probabilities, dtype=float),
        np.asarray(labels),
        jobs,
        groups=groups,
        rng=np.random.default_rng(0),
        options=ThresholdOptions(**{"rounds": 60, **options}),
    )


@pytest.mark.parametrize("labels", [np.zeros(4, np.int64), np.ones(4, np.int64), np.empty(0, np.int64)])
def test_one_class_has_no_threshold(labels: Any) -> None:
    with pytest.raises(CalibrationError, match="both classes are needed"):
        choose(np.linspace(0, 1, len(labels)), labels)


def test_a_band_that_no_resample_can_show_is_refused() -> None:
    with pytest.raises(CalibrationError, match="none of 0 resamples of 2 jobs holds both classes"):
        choose([0.9, 0.1], [1, 0], ["a", "b"], rounds=0)


UTILITIES: dict[str, tuple[dict[str, Any], Callable[..., float]]] = {
    "f1": ({"utility": "f_beta"}, f1_score),
    "f2": ({"utility": "f_beta", "beta": 2.0}, lambda y, s: fbeta_score(y, s, beta=2)),
    "accuracy": ({"utility": "accuracy"}, accuracy_score),
    "balanced": ({"utility": "balanced_accuracy"}, balanced_accuracy_score),
}


@pytest.mark.parametrize("name", UTILITIES)
@settings(max_examples=30)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from([0.1, 0.3, 0.35, 0.6, 0.9]), st.booleans()), min_size=2, max_size=30
    )
)
def test_the_threshold_has_the_best_utility_of_all(name: str, rows: list[tuple[float, bool]]) -> None:
    options, oracle = UTILITIES[name]
    probabilities = np.array([p for p, _ in rows])
    labels = np.array([y for _, y in rows], dtype=np.int64)
    if labels.min() == labels.max():
        return
    choice = choose(probabilities, labels, **options)
    best = max(oracle(labels, probabilities >= t) for t in np.unique(probabilities))
    assert oracle(labels, probabilities >= choice.rule.threshold) == pytest.approx(best)
    assert choice.utility == pytest.approx(best)
    assert choice.rule.borderline[0] <= choice.rule.threshold <= choice.rule.borderline[1]


def test_the_rule_is_named() -> None:
    assert choose([0.9, 0.1], [1, 0], ["a", "a"], utility="f_beta", beta=0.5).rule.rule.startswith(
        "best F0.5 on"
    )
    rule = choose([0.9, 0.1], [1, 0], ["a", "a"], utility="balanced_accuracy").rule
    assert rule.rule.startswith("best balanced accuracy on the threshold split")
    assert rule.constraint == "none"


def test_the_band_narrows_with_more_data() -> None:
    widths = []
    for n in (100, 5_000):
        raw, labels = scores(n)
        band = choose(
            expit(20 * raw - 7), labels, [str(i // 10) for i in range(n)], rounds=200
        ).rule.borderline
        widths.append(band[1] - band[0])
    assert widths[1] < widths[0]


def test_the_same_seed_gives_the_same_rule() -> None:
    raw, labels = scores()
    rules = [choose(raw, labels, [str(i // 8) for i in range(len(raw))]).rule for _ in range(2)]
    assert rules[0] == rules[1]


def biased(n: int = 1_200, shift: float = 0.12) -> tuple[Any, Any, dict[str, list[str | None]]]:
    """Group b scores lower than group a at the same label; every 40th pair is of unknown group."""
    rng = np.random.default_rng(5)
    labels = (rng.uniform(size=n) < 0.4).astype(np.int64)
    groups: list[str | None] = [None if i % 40 == 0 else "ab"[i % 2] for i in range(n)]
    lower = np.array([shift if group == "b" else 0.0 for group in groups])
    return np.clip(rng.normal(0.35 + 0.3 * labels, 0.15) - lower, 0.01, 0.99), labels, {"sex": groups}


def largest_difference(p: Any, y: Any, groups: list[str | None], threshold: float) -> float:
    known = np.array([g is not None for g in groups])
    features = np.array([g or "" for g in groups])[known]
    arguments = {"y_true": y[known], "y_pred": (p >= threshold)[known], "sensitive_features": features}
    return max(
        float(metric(**arguments))
        for metric in (
            demographic_parity_difference,
            true_positive_rate_difference,
            false_positive_rate_difference,
        )
    )


def by_hand(p: Any, y: Any, groups: list[str | None], threshold: float) -> float:
    """The same, of two groups a and b, for many thresholds."""
    a, b = (np.array([g == name for g in groups]) for name in "ab")
    differences = [
        abs((p[a & of] >= threshold).mean() - (p[b & of] >= threshold).mean())
        for of in (np.ones(len(y), np.bool_), y == 1, y == 0)
    ]
    return float(max(differences))


def test_a_constraint_is_met_and_its_price_is_said() -> None:
    p, y, groups = biased()
    free = choose(p, y)
    constraint = ParityConstraint(limit=0.2)
    choice = choose(p, y, groups=groups, constraint=constraint)
    assert choice.feasible
    assert choice.unconstrained_threshold == free.rule.threshold
    assert choice.largest_difference == pytest.approx(
        largest_difference(p, y, groups["sex"], choice.rule.threshold)
    )
    assert choice.unconstrained_difference == pytest.approx(
        largest_difference(p, y, groups["sex"], free.rule.threshold)
    )
    assert choice.largest_difference is not None
    assert choice.unconstrained_difference is not None
    assert choice.largest_difference <= 0.2 < choice.unconstrained_difference
    assert choice.utility < choice.unconstrained_utility
    assert f"{choice.unconstrained_difference:.4f}" in choice.rule.constraint
    assert "met on the threshold split" in choice.rule.constraint
    # No other threshold within the limit is better.
    others = [t for t in np.unique(p) if by_hand(p, y, groups["sex"], t) <= 0.2]
    assert choice.utility == pytest.approx(max(f1_score(y, p >= t) for t in others))


@pytest.mark.slow
def test_a_constraint_out_of_reach_takes_the_smallest_violation_and_says_so() -> None:
    p, y, groups = biased(shift=0.3)
    choice = choose(p, y, groups=groups, constraint=ParityConstraint(limit=0.02))
    assert not choice.feasible
    assert "NOT MET by any threshold" in choice.rule.constraint
    kept = [t for t in np.unique(p) if f1_score(y, p >= t) >= 0.9 * choice.unconstrained_utility]
    smallest = min(by_hand(p, y, groups["sex"], t) for t in kept)
    assert choice.largest_difference == pytest.approx(smallest)
    assert f"{smallest:.4f}" in choice.rule.constraint


def test_a_constraint_that_already_holds_changes_nothing() -> None:
    p, y, groups = biased(shift=0.0)
    choice = choose(p, y, groups=groups, constraint=ParityConstraint(limit=0.3))
    assert choice.rule.threshold == choose(p, y).rule.threshold
    assert choice.feasible


def test_small_groups_take_no_part() -> None:
    p, y, groups = biased()
    groups["sex"][1:9:2] = ["nonbinary"] * 4
    choice = choose(p, y, groups=groups, constraint=ParityConstraint(limit=0.5, minimum=30))
    assert choice.compared_groups == {"sex": ("a", "b")}
    alone = choose(p[:12], y[:12], groups={"sex": groups["sex"][:12]}, constraint=ParityConstraint())
    assert alone.compared_groups == {}
    assert "not computable" in alone.rule.constraint
    assert alone.largest_difference is None


def test_a_rate_counts_only_where_it_stands_on_enough_pairs() -> None:
    # Group b has 40 pairs but only two matches: its TPR of 0 says nothing.
    p = np.array([0.9] * 40 + [0.1] * 40)
    y = np.array([1] * 38 + [0] * 40 + [1] * 2)
    groups = {"g": ["a"] * 38 + ["b"] * 42}
    constraint = ParityConstraint(measures=("true_positive_rate",), minimum=30)
    assert choose(p, y, groups=groups, constraint=constraint).largest_difference is None


def test_an_unknown_attribute_is_named() -> None:
    p, y, groups = biased()
    with pytest.raises(CalibrationError, match="names age; known attributes are sex"):
        choose(p, y, groups=groups, constraint=ParityConstraint(attributes=("age",)))


@pytest.mark.parametrize(
    "neighbours", [(0.500002, 0.500001), (0.500001, 0.5), (0.000002, 0.000001), (0.999999, 0.999998)]
)
def test_rounding_selects_nobody_below_the_cut(neighbours: tuple[float, float]) -> None:
    upper, lower = neighbours
    p, y = np.array([upper] * 5 + [lower] * 5), np.array([1] * 5 + [0] * 5)
    choice = choose(p, y)
    assert choice.utility == 1.0
    assert (p >= choice.rule.threshold).tolist() == [True] * 5 + [False] * 5


def test_probabilities_of_0_and_1_have_a_threshold_between_them() -> None:
    # Selecting everybody would be best; a threshold of 0 is none.
    low = choose([0.9] * 9 + [0.0, 0.0], [1] * 10 + [0])
    assert low.rule.threshold == pytest.approx(0.45)
    p, y = np.array([1.0] * 5 + [0.999999] * 5 + [0.2] * 5), np.array([1] * 5 + [0] * 10)
    high = choose(p, y)
    assert high.utility == pytest.approx(f1_score(y, p >= high.rule.threshold))
    assert choose([1.0] * 6, [1, 0] * 3).rule.threshold < 1
    with pytest.raises(CalibrationError, match="all 6 probabilities are 0"):
        choose([0.0] * 6, [1, 0] * 3)
