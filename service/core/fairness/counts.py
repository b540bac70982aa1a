"""Decisions of one attribute's groups, counted: what every function of fairness takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from service.core.errors import ImpossibleCountsError
from service.core.groups import UNKNOWN


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n` people."""

    count: int
    n: int

    @property
    def rate(self) -> float:
        """`n` must not be 0."""
        return self.count / self.n

    @property
    def exact(self) -> Fraction:
        """The rate without rounding; `n` must not be 0."""
        return Fraction(self.count, self.n)


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Decision x outcome, of the people whose outcome became known.

    `positive`: the person did well, or was judged a match by somebody who did not see the decision.
    """

    selected_positive: int
    selected_negative: int
    not_selected_positive: int
    not_selected_negative: int

    def __add__(self, other: OutcomeCounts) -> OutcomeCounts:
        return OutcomeCounts(
            self.selected_positive + other.selected_positive,
            self.selected_negative + other.selected_negative,
            self.not_selected_positive + other.not_selected_positive,
            self.not_selected_negative + other.not_selected_negative,
        )

    @property
    def known(self) -> int:
        """How many people's outcome is known."""
        return self.positive.n + self.negative.n

    @property
    def positive(self) -> Share:
        """Selected among those with a positive outcome: the true positive rate."""
        return Share(self.selected_positive, self.selected_positive + self.not_selected_positive)

    @property
    def negative(self) -> Share:
        """Selected among those with a negative outcome: the false positive rate."""
        return Share(self.selected_negative, self.selected_negative + self.not_selected_negative)

    @property
    def selected(self) -> Share:
        """Positive outcomes among the selected: the precision."""
        return Share(self.selected_positive, self.selected_positive + self.selected_negative)


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """One group's people.

    `above_median`: scored strictly above the sample's median; None if there are no scores. `scored`: people
    with a score; None for all of them.
    """

    n: int
    selected: int
    above_median: int | None = None
    scored: int | None = None
    outcomes: OutcomeCounts | None = None

    def __add__(self, other: GroupCounts) -> GroupCounts:
        """Counts of both; scores and outcomes stay known only if both know them."""
        return GroupCounts(
            self.n + other.n,
            self.selected + other.selected,
            above_median=_sum(self.above_median, other.above_median),
            scored=_sum(self.scored, other.scored),
            outcomes=_sum(self.outcomes, other.outcomes),
        )

    @property
    def selection(self) -> Share:
        return Share(self.selected, self.n)

    @property
    def scoring(self) -> Share:
        if self.above_median is None:
            return Share(0, 0)
        return Share(self.above_median, self.n if self.scored is None else self.scored)


def check_counts(groups: Mapping[str, GroupCounts], field: str = "counts") -> None:
    """Raise `ImpossibleCountsError` for counts below 0 or above the people that they are of.

    The error names the field (`counts.female.selected`), the limit and the value.
    """
    for group, counts in groups.items():
        for name, value, limit in _limits(counts):
            path = f"{field}.{group}.{name}"
            if value < 0:
                raise ImpossibleCountsError(
                    f"{path} is {value}; a count is at least 0", field=path, limit=0, actual=value
                )
            if limit is not None and value > limit:
                raise ImpossibleCountsError(
                    f"{path} is {value}; at most {limit} is possible", field=path, limit=limit, actual=value
                )


def known(groups: Mapping[str, GroupCounts]) -> dict[str, GroupCounts]:
    """The groups without `unknown`, whose people are stated but never compared."""
    return {group: counts for group, counts in groups.items() if group != UNKNOWN}


_Count = TypeVar("_Count", int, OutcomeCounts)


def _sum(one: _Count | None, other: _Count | None) -> _Count | None:
    return None if one is None or other is None else one + other


def _limits(counts: GroupCounts) -> Iterator[tuple[str, int, int | None]]:
    """Every count with the largest value that it can have."""
    yield "n", counts.n, None
    yield "selected", counts.selected, counts.n
    if counts.scored is not None:
        # People with scores and nobody counted above the median: the counting forgot something.
        yield "scored", counts.scored, counts.n if counts.above_median is not None else 0
    if counts.above_median is not None:
        yield "above_median", counts.above_median, counts.scoring.n
    if counts.outcomes is not None:
        outcomes, not_selected = counts.outcomes, counts.n - counts.selected
        for name, value, limit in (
            ("selected_positive", outcomes.selected_positive, counts.selected),
            ("selected_negative", outcomes.selected_negative, counts.selected - outcomes.selected_positive),
            ("not_selected_positive", outcomes.not_selected_positive, not_selected),
            (
                "not_selected_negative",
                outcomes.not_selected_negative,
                not_selected - outcomes.not_selected_positive,
            ),
        ):
            yield f"outcomes.{name}", value, limit
