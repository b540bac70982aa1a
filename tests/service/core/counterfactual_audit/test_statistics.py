from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from service.core.counterfactual_audit.statistics import (
    compare_with_control,
    difference_between_groups,
    mean_interval,
    top_shares,
)


def test_the_interval_is_students() -> None:
    values = np.array([0.1, 0.4, -0.2, 0.3, 0.05])
    interval = mean_interval(values, ["r"] * 5)
    expected = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert interval == pytest.approx(expected)


def test_resumes_are_the_sample_where_there_are_several() -> None:
    values = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 2.0, 2.0, 2.0])
    interval = mean_interval(values, list("aaabbbccc"))
    assert interval == pytest.approx(stats.t.interval(0.95, 2, loc=1.0, scale=stats.sem([1.0, 0.0, 2.0])))


def test_one_value_has_no_interval() -> None:
    assert mean_interval(np.array([0.3]), ["a"]) is None


def test_larger_gaps_than_the_controls_are_found() -> None:
    rng = np.random.default_rng(1)
    gaps = [np.array([0.3, -0.4, 0.5, 0.35, 0.4])] * 3
    control = [np.array([0.01, 0.02, -0.01, 0.0, 0.03, 0.02])] * 3
    result = compare_with_control(gaps, control, rng)
    assert result is not None
    assert result.effect_size == 1.0
    assert result.p_value == pytest.approx(1 / 2001)


def test_no_gap_at_all_is_never_beyond_the_noise() -> None:
    result = compare_with_control([np.zeros(5)], [np.array([0.1, -0.1, 0.0])], np.random.default_rng(1))
    assert result is not None
    assert result.p_value == 1.0
    assert result.effect_size == pytest.approx(-2 / 3)


def test_without_a_control_arm_nothing_is_compared() -> None:
    assert compare_with_control([np.ones(3)], [np.empty(0)], np.random.default_rng(1)) is None


def test_a_group_that_scores_lower_is_found() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(0, 0.01, size=(40, 8))
    assert difference_between_groups(scores, rng) > 0.01  # type: ignore[operator]  # not None here
    scores[:, 3] -= 0.02
    assert difference_between_groups(scores, rng) == pytest.approx(1 / 2001)


def test_groups_that_always_tie_do_not_differ() -> None:
    scores = np.repeat(np.arange(5.0)[:, None], 4, axis=1)
    assert difference_between_groups(scores, np.random.default_rng(1)) == 1.0
    assert top_shares(scores, np.random.default_rng(1)) is None


@pytest.mark.parametrize("shape", [(0, 4), (3, 1)])
def test_nothing_to_compare_is_none(shape: tuple[int, int]) -> None:
    assert difference_between_groups(np.zeros(shape), np.random.default_rng(1)) is None
    assert top_shares(np.zeros(shape), np.random.default_rng(1)) is None


def test_top_shares_by_hand() -> None:
    scores = np.array([[3.0, 1.0, 2.0], [1.0, 3.0, 2.0], [3.0, 3.0, 1.0], [5.0, 5.0, 5.0]])
    result = top_shares(scores, np.random.default_rng(1))
    assert result is not None
    assert result.sets == 3  # the last one ties
    assert result.shares == pytest.approx((0.5, 0.5, 0.0))
    assert result.min_max_ratio == 0.0


def test_the_chi_square_p_value_is_the_monte_carlo_of_scipys() -> None:
    scores = np.zeros((60, 4))
    winners = [0] * 27 + [1] * 15 + [2] * 10 + [3] * 8
    scores[np.arange(60), winners] = 1.0
    result = top_shares(scores, np.random.default_rng(3))
    assert result is not None
    assert result.p_value == pytest.approx(stats.chisquare([27, 15, 10, 8]).pvalue, abs=0.004)


def _p_values_under_the_null(test: str) -> list[float]:
    """300 data sets in which nothing differs, with resume effects that must not matter."""
    rng = np.random.default_rng(7)
    p_values = []
    for _ in range(300):
        resumes = rng.normal(0, 1, size=(6, 1))
        if test == "control":
            gaps = [np.abs(rng.normal(0, 1 + abs(r[0]), size=5)) for r in resumes]
            control = [np.abs(rng.normal(0, 1 + abs(r[0]), size=6)) for r in resumes]
            compared = compare_with_control(gaps, control, rng)
            assert compared is not None
            p_values.append(compared.p_value)
        else:
            scores = np.repeat(resumes, 5, axis=0) + rng.normal(0, 0.3, size=(30, 8))
            difference = difference_between_groups(scores, rng)
            top = top_shares(scores, rng)
            assert difference is not None
            assert top is not None
            p_values.append(difference if test == "difference" else top.p_value)
    return p_values


@pytest.mark.slow
@pytest.mark.parametrize("test", ["control", "difference"])
def test_p_values_are_uniform_under_the_null(test: str) -> None:
    assert stats.kstest(_p_values_under_the_null(test), "uniform").pvalue > 0.01


@pytest.mark.slow
def test_the_test_of_first_places_does_not_cry_wolf() -> None:
    # Counts are discrete, so p-values are not exactly uniform: they must not be too small.
    p_values = np.array(_p_values_under_the_null("top"))
    for level in (0.05, 0.1, 0.25):
        assert (p_values <= level).mean() <= level + 2.6 * np.sqrt(level * (1 - level) / 300)
