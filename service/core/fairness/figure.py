"""A number with its interval, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from service.core.fairness.statistics import Interval


class Reason(StrEnum):
    """Why something cannot be computed. The values are stable codes, `text` is for people."""

    NO_DECISIONS = "no_decisions"
    NO_SCORES = "no_scores"
    NO_OUTCOMES = "no_outcomes"
    ONLY_UNKNOWN = "only_unknown"
    ONE_GROUP = "one_group"
    TOO_FEW_PEOPLE = "too_few_people"
    NOBODY_SELECTED = "nobody_selected"
    NOBODY_ABOVE_MEDIAN = "nobody_above_median"
    NO_PEOPLE = "no_people"
    LEFT_OUT = "left_out"
    OTHERS_LEFT_OUT = "others_left_out"

    @property
    def text(self) -> str:
        return _TEXTS[self]


_TEXTS = {
    Reason.NO_DECISIONS: "there are no decisions",
    Reason.NO_SCORES: "there are no scores",
    Reason.NO_OUTCOMES: "no outcome is known of those whom the rate is about",
    Reason.ONLY_UNKNOWN: "everybody's group is unknown",
    Reason.ONE_GROUP: "there is one group only, and nothing to compare it with",
    Reason.TOO_FEW_PEOPLE: "fewer than two groups have enough people",
    Reason.NOBODY_SELECTED: "nobody of those compared was selected",
    Reason.NOBODY_ABOVE_MEDIAN: "nobody of those compared scored above the median",
    Reason.NO_PEOPLE: "nobody is in this group",
    Reason.LEFT_OUT: "the group is small and was left out",
    Reason.OTHERS_LEFT_OUT: "fewer than two groups are left; the others are small and were left out",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` with its 95 % interval, from `n` people.

    `value` is None where `reason` says why. `interval` is None where no sound one exists.
    """

    value: float | None
    n: int
    interval: Interval | None = None
    reason: Reason | None = None


def number_text(value: float, decimals: int = 3) -> str:
    """`decimals` decimals; more, up to 6, of a small number, so that its first two digits are seen.

    A rate of 3 in 10,000 is not 0, and half of it is not the same.
    """
    if value > 0:
        decimals = max(decimals, min(6, 1 - math.floor(math.log10(value))))
    return f"{value:.{decimals}f}"


def percent_text(share: float) -> str:
    """A share in percent, as number without its sign: one decimal, more of a small one."""
    return number_text(100 * share, 1)


def not_computable(reason: Reason, n: int = 0) -> Figure:
    """No number, and why."""
    return Figure(None, n, reason=reason)
