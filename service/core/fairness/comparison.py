"""The groups of one attribute side by side: rates, impact ratios, tests, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

from service.core.fairness.counts import GroupCounts, Share, check_counts, known
from service.core.fairness.differences import Difference, parity_differences
from service.core.fairness.figure import Figure, Reason, not_computable
from service.core.fairness.findings import FairnessOptions, Finding
from service.core.fairness.rates import RateKind, impact_ratio
from service.core.fairness.statistics import RateTest, holm, significance
from service.core.groups import UNKNOWN


@dataclass(frozen=True, slots=True)
class GroupSize:
    """`share`: of the people whose group is known. `small`: so few that it may be left out."""

    group: str
    n: int
    share: float | None
    small: bool
    left_out: bool


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One group under one kind of rate. The reference of `test` and `finding` has no test of its own."""

    group: str
    share: Share
    rate: Figure
    impact_ratio: Figure
    test: RateTest | None = None
    adjusted_p_value: float | None = None
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class RateComparison:
    """All groups under one kind of rate.

    `reference` has the highest rate of the compared groups; impact ratios are against it. `tested_against`
    has the highest rate of those with the minimum of people; tests and findings are against it, since one
    lucky group of three people would otherwise keep every difference between large groups from being
    found. The two are almost always the same. Both are None where `reason` says why nothing is compared.
    """

    kind: RateKind
    reference: str | None
    tested_against: str | None
    reason: Reason | None
    groups: tuple[GroupRate, ...]

    @property
    def findings(self) -> list[Finding]:
        """Every group's finding, of adverse impact or not."""
        return [result.finding for result in self.groups if result.finding is not None]


@dataclass(frozen=True, slots=True)
class AttributeComparison:
    """`people` holds the `unknown` ones too; they are in no ratio, test or difference."""

    attribute: str
    people: int
    unknown: int
    groups: tuple[GroupSize, ...]
    selection: RateComparison
    scoring: RateComparison
    differences: Mapping[str, Difference]

    @property
    def rates(self) -> tuple[RateComparison, RateComparison]:
        return self.selection, self.scoring


def compare_groups(
    attribute: str, groups: Mapping[str, GroupCounts], options: FairnessOptions | None = None
) -> AttributeComparison:
    """Compare the groups of one attribute or intersection; a group named `unknown` is counted and set aside.

    Raises `ImpossibleCountsError` and `AuditOptionsError`.
    """
    options = options or FairnessOptions()
    options.check()
    check_counts(groups, attribute)
    there = known(groups)
    people = sum(counts.n for counts in groups.values())
    sizes = tuple(_size(group, counts.n, there, options) for group, counts in there.items())
    left_out = {size.group for size in sizes if size.left_out}
    return AttributeComparison(
        attribute=attribute,
        people=people,
        unknown=groups[UNKNOWN].n if UNKNOWN in groups else 0,
        groups=sizes,
        selection=_compare(RateKind.SELECTION, groups, left_out, options),
        scoring=_compare(RateKind.SCORING, groups, left_out, options),
        differences=_differences(groups, left_out, options),
    )


def _size(group: str, n: int, there: Mapping[str, GroupCounts], options: FairnessOptions) -> GroupSize:
    # Unknown people are not in the denominator: who says nothing must not decide who is compared.
    total = sum(counts.n for counts in there.values())
    share = n / total if total else None
    small = share is not None and 0 < share < options.small_share
    return GroupSize(group, n, share, small, small and options.leave_out_small)


def _differences(
    groups: Mapping[str, GroupCounts], left_out: set[str], options: FairnessOptions
) -> dict[str, Difference]:
    differences = parity_differences(groups, minimum=options.minimum, apart=left_out)
    kept = (counts for group, counts in known(groups).items() if group not in left_out)
    if left_out and sum(counts.n > 0 for counts in kept) < 2:
        why = Reason.OTHERS_LEFT_OUT
        return {
            name: replace(one, value=None, interval=None, reason=why) for name, one in differences.items()
        }
    return differences


def _compare(
    kind: RateKind, groups: Mapping[str, GroupCounts], left_out: set[str], options: FairnessOptions
) -> RateComparison:
    shares = {group: kind.share(counts) for group, counts in known(groups).items()}
    compared = {group: share for group, share in shares.items() if share.n and group not in left_out}
    reason = _reason(kind, groups, compared)
    if reason is not None:
        results = (
            _incomparable(kind, group, groups[group], Reason.LEFT_OUT if group in left_out else reason)
            for group in shares
        )
        return RateComparison(kind, None, None, reason, tuple(results))
    reference = _highest(compared)
    large = {group: share for group, share in compared.items() if share.n >= options.minimum}
    # With one large group, or nobody selected in any, no pair of large groups can be set side by side.
    pairable = len(large) > 1 and any(share.count for share in large.values())
    tested = _highest(large) if pairable else reference
    adjusted = _adjusted(large, tested) if pairable else {}
    found = []
    for group, share in shares.items():
        rate = kind.rate(groups[group])
        if group not in compared:
            why = Reason.LEFT_OUT if group in left_out else (rate.reason or Reason.NO_PEOPLE)
            found.append(_incomparable(kind, group, groups[group], why))
            continue
        # The reference's own ratio is 1 by definition, so chance plays no part in it.
        ratio = Figure(1.0, share.n)
        if group != reference:
            ratio = impact_ratio(share, compared[reference], kind.nobody)
        if group == tested:
            found.append(GroupRate(group, share, rate, ratio))
            continue
        test = significance(share, compared[tested])
        p_value = adjusted.get(group)
        finding = Finding(group, share, tested, compared[tested], p_value, options)
        found.append(GroupRate(group, share, rate, ratio, test, p_value, finding))
    return RateComparison(kind, reference, tested, None, tuple(found))


def _incomparable(kind: RateKind, group: str, counts: GroupCounts, why: Reason) -> GroupRate:
    """Count and rate still stand; the ratio says why it does not."""
    share = kind.share(counts)
    return GroupRate(group, share, kind.rate(counts), not_computable(why, share.n))


def _adjusted(large: Mapping[str, Share], tested: str) -> dict[str, float]:
    """Holm's p-values of every other group against `tested`, over all pairs of groups.

    Over all pairs, since the group with the highest rate is picked from the data: with seven equal groups,
    Holm over the six comparisons with it finds a difference in 12 of 100 samples, not in 5. Groups about
    which nothing may be concluded are not in the family; they would only cost the others power.
    """
    pairs = list(combinations(large, 2))
    adjusted = holm([significance(large[first], large[second]).p_value for first, second in pairs])
    return {
        second if first == tested else first: p_value
        for (first, second), p_value in zip(pairs, adjusted, strict=True)
        if tested in (first, second)
    }


def _reason(
    kind: RateKind, groups: Mapping[str, GroupCounts], compared: Mapping[str, Share]
) -> Reason | None:
    """Why these groups cannot be compared; None if they can."""
    if not any(counts.n for counts in groups.values()):
        return Reason.NO_DECISIONS
    if not any(kind.share(counts).n for counts in groups.values()):
        return Reason.NO_SCORES
    if not any(kind.share(counts).n for counts in known(groups).values()):
        return Reason.ONLY_UNKNOWN
    if len(compared) < 2:
        would_be = sum(kind.share(counts).n > 0 for counts in known(groups).values())
        return Reason.ONE_GROUP if would_be < 2 else Reason.OTHERS_LEFT_OUT
    return None if any(share.count for share in compared.values()) else kind.nobody


def _highest(shares: Mapping[str, Share]) -> str:
    """The group with the highest rate; of several the largest, then by name, so that order never matters."""
    return min(shares, key=lambda group: (-shares[group].exact, -shares[group].n, group))
