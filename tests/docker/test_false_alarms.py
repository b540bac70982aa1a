"""How often EvenmatchAdverseImpact cries wolf: months of groups that are decided about alike."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erfc

from tests.docker.promtool import ALERTS

pytestmark = pytest.mark.slow

Booleans = NDArray[np.bool_]

STEPS = 96
"""A day: one every quarter of an hour."""
HELD = 9
"""Steps that an alarm must hold: the rules' `for`."""
DAYS, WEEK, MONTHS = 37, 7, 150


def levels() -> set[float]:
    """The significance levels of the alert's rules."""
    rules = [rule["expr"] for rule in ALERTS if rule["alert"] == "EvenmatchAdverseImpact"]
    return {
        float(found)
        for rule in rules
        for found in re.findall(r"p_value\{.*\} < ([0-9.]+)$", rule, re.MULTILINE)
    }


def alarms(
    rng: np.random.Generator, *, groups: int, a_day: float, rate: float, window: int, level: float
) -> tuple[Booleans, Booleans]:
    """Whether each step of a month has an alarm by the rules, and by four fifths alone: (T,) each."""
    people = rng.poisson(a_day / STEPS, (groups, DAYS * STEPS))
    selected = rng.binomial(people, rate)
    n, s = (_last(counts, window * STEPS) for counts in (people, selected))  # (G, T)
    enough = n >= 30
    rates = np.where(enough, s / np.maximum(n, 1), -1.0)
    best, steps = rates.argmax(axis=0), np.arange(n.shape[1])
    n_best, s_best, rate_best = (of[best, steps] for of in (n, s, rates))
    below = enough & (rate_best > 0) & (rates < (0.8 - 1e-12) * rate_best)
    pooled = (s + s_best) / np.maximum(n + n_best, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (rate_best - rates) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_best))
    compared = enough.sum(axis=0)
    p = compared * (compared - 1) / 2 * erfc(z / np.sqrt(2))
    expected = np.minimum(n, n_best) * np.minimum(pooled, 1 - pooled)
    return (below & (expected >= 5) & (p < level)).any(axis=0), below.any(axis=0)


def _last(counts: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Sums over the window before each step of the last 30 days."""
    sums = np.cumsum(counts, axis=1)
    ends = sums[:, -30 * STEPS :]
    return ends - sums[:, -30 * STEPS - window : -window]


def months_with_an_alarm(
    level: float, groups: int, a_day: float, rate: float, window: int
) -> tuple[float, float]:
    """Shares of months with an alarm that holds, by the rules and by four fifths alone. `window`: days."""
    rng = np.random.default_rng(11)
    found = np.zeros(2)
    for _ in range(MONTHS):
        both = alarms(rng, groups=groups, a_day=a_day, rate=rate, window=window, level=level)
        found += [(np.convolve(of, np.ones(HELD), "valid") == HELD).any() for of in both]
    return float(found[0] / MONTHS), float(found[1] / MONTHS)


CASES = [(2, 100, 0.3), (7, 100, 0.3), (21, 30, 0.3), (7, 300, 0.05)]


def test_both_windows_have_one_level_and_wait_two_hours() -> None:
    assert levels() == {0.001}
    waits = {rule["for"] for rule in ALERTS if rule["alert"] == "EvenmatchAdverseImpact"}
    assert waits == {f"{(HELD - 1) * 24 // STEPS}h"}


@pytest.mark.parametrize(("groups", "a_day", "rate"), CASES)
@pytest.mark.parametrize("window", [1, WEEK])
def test_equal_groups_alarm_in_few_months(groups: int, a_day: float, rate: float, window: int) -> None:
    (level,) = levels()
    by_rules, by_four_fifths = months_with_an_alarm(level, groups, a_day, rate, window)
    assert by_rules <= 0.15
    assert by_four_fifths >= (0.1 if groups == 2 and window == WEEK else 0.8)


def test_at_the_level_of_a_report_nearly_every_month_would_have_one() -> None:
    by_rules, _ = months_with_an_alarm(0.05, 7, 100, 0.3, 1)
    assert by_rules > 0.9
