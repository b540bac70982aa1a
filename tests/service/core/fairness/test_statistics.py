from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from service.core.fairness.counts import Share
from service.core.fairness.statistics import _fisher_exact, holm, significance
from tests.service.core.fairness.test_rates import shares


def table(first: Share, second: Share) -> list[list[int]]:
    return [[share.count, share.n - share.count] for share in (first, second)]


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (Share(4, 10), Share(6, 10), "two_proportion_z"),  # expected: 5 in every cell
        (Share(4, 10), Share(5, 10), "fisher_exact"),  # expected: 4.5 selected
        (Share(0, 500), Share(9, 500), "fisher_exact"),
        (Share(200, 1000), Share(400, 1000), "two_proportion_z"),
    ],
)
def test_small_cells_get_the_exact_test(first: Share, second: Share, name: str) -> None:
    assert significance(first, second).name == name


@settings(deadline=None)
@given(shares(), shares())
def test_the_p_value_is_scipys(first: Share, second: Share) -> None:
    test = significance(first, second)
    assert 0 < test.p_value <= 1
    if test.name == "fisher_exact":
        expected = stats.fisher_exact(table(first, second)).pvalue
    else:  # z squared is the chi-square of the table
        expected = stats.chi2_contingency(table(first, second), correction=False).pvalue
    assert test.p_value == pytest.approx(max(expected, 2.3e-308), rel=1e-6)


@pytest.mark.parametrize("n", [(5, 7), (12, 12), (40, 3)])
def test_the_exact_test_is_scipys_for_every_table(n: tuple[int, int]) -> None:
    for a in range(n[0] + 1):
        for b in range(n[1] + 1):
            first, second = Share(a, n[0]), Share(b, n[1])
            expected = stats.fisher_exact(table(first, second)).pvalue
            assert _fisher_exact(first, second) == pytest.approx(expected, rel=1e-9)


def test_fishers_tea_by_hand() -> None:
    # 3 of 4 against 1 of 4: (16 + 1) / 70 on each side
    assert significance(Share(3, 4), Share(1, 4)).p_value == pytest.approx(34 / 70)


@settings(deadline=None)
@given(shares(), shares())
def test_the_order_of_the_groups_does_not_matter(first: Share, second: Share) -> None:
    assert significance(first, second).p_value == pytest.approx(significance(second, first).p_value, rel=1e-9)


def test_p_values_are_uniform_under_the_null_in_large_samples() -> None:
    rng = np.random.default_rng(11)
    drawn = rng.binomial([20_000, 30_000], 0.3, size=(1_500, 2))
    p_values = [significance(Share(int(a), 20_000), Share(int(b), 30_000)).p_value for a, b in drawn]
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_p_values_of_small_samples_do_not_cry_wolf() -> None:
    rng = np.random.default_rng(12)
    drawn = rng.binomial([30, 40], 0.1, size=(1_500, 2))
    p_values = np.array([significance(Share(int(a), 30), Share(int(b), 40)).p_value for a, b in drawn])
    for level in (0.01, 0.05, 0.2):
        assert (p_values <= level).mean() <= level + 2.6 * np.sqrt(level * (1 - level) / 1_500)


def test_holm_by_hand() -> None:
    # 0.01 * 4, 0.02 * 3, 0.03 * 2 = 0.06, 0.5
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert max(adjusted) <= 1
    order = np.argsort(p_values, kind="stable")
    assert list(np.array(adjusted)[order]) == sorted(adjusted)
