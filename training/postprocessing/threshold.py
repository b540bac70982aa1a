"""The one threshold: the best utility that a parity constraint allows, and the band around it.

Every distinct probability is tried as the lowest one selected. Differences between groups are between
observed rates on the threshold split, so a limit that holds there holds for other people only within
the intervals that the evaluation reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.core.calibration_fit import check_two_classes
from service.core.errors import CalibrationError
from service.core.manifest import DecisionRule
from service.core.scoring import SCORE_DECIMALS
from training.evaluation.scored_pairs import Flags, Floats, Labels, PairGroups

Utility = Literal["f_beta", "accuracy", "balanced_accuracy"]
ParityMeasure = Literal["selection_rate", "true_positive_rate", "false_positive_rate"]

_STEP = 10.0**-SCORE_DECIMALS
"""Probabilities are multiples of this, and so are thresholds."""

PARITY_MEASURES: tuple[ParityMeasure, ...] = ("selection_rate", "true_positive_rate", "false_positive_rate")


@dataclass(frozen=True, slots=True)
class ParityConstraint:
    """Differences of `measures` between the groups of each attribute must not exceed `limit`.

    A group takes part in a rate if the rate stands on `minimum` pairs or more: all pairs for
    selection_rate, matches for true_positive_rate, the others for false_positive_rate.
    `attributes` None: all that are known. Only thresholds that keep `utility_share` of the best utility
    are considered: where nearly nobody is selected, no rates differ, and nothing is decided either.
    """

    limit: float = 0.05
    utility_share: float = 0.9
    measures: tuple[ParityMeasure, ...] = PARITY_MEASURES
    minimum: int = 30
    attributes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ThresholdOptions:
    """`beta` weighs recall against precision in `f_beta`; 1 is F1. `rounds`: of the bootstrap over jobs.

    `pairs`: in words, what the threshold is chosen on.
    """

    utility: Utility = "f_beta"
    beta: float = 1.0
    constraint: ParityConstraint | None = None
    rounds: int = 500
    pairs: str = "the threshold split"

    @property
    def utility_name(self) -> str:
        return f"F{self.beta:g}" if self.utility == "f_beta" else self.utility.replace("_", " ")


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """`feasible`: the constraint holds on the threshold split. Without one, both halves are equal.

    `largest_difference`: over all measures, attributes and groups that took part; None if none could.
    """

    rule: DecisionRule
    feasible: bool
    utility: float
    largest_difference: float | None
    unconstrained_threshold: float
    unconstrained_utility: float
    unconstrained_difference: float | None
    compared_groups: dict[str, tuple[str, ...]]


def choose_threshold(
    probabilities: Floats,
    labels: Labels,
    jobs: Sequence[str],
    *,
    rng: np.random.Generator,
    groups: PairGroups | None = None,
    options: ThresholdOptions | None = None,
) -> ThresholdChoice:
    """The threshold of the best utility among those that meet the constraint, and its borderline band.

    If none meets it, the one with the smallest violation, which `rule.constraint` then says. The band is the
    central 95 % of the thresholds that resamples of the jobs would have given: jobs, not pairs, since the
    pairs of one job stand or fall together. The default utility is F1, because those who are not selected
    are many and those who are matter. Raises `CalibrationError` if one class is missing, from the pairs
    or from every resample, or if all probabilities are 0.
    """
    options = options or ThresholdOptions()
    check_two_classes(labels)
    if not (probabilities > 0).any():
        raise CalibrationError(f"all {len(probabilities):,} probabilities are 0: no threshold parts them")
    constraint = options.constraint
    memberships = _memberships(labels, groups or {}, constraint) if constraint else []
    search = _Search(probabilities, labels, memberships, options)
    best = search.best()
    free = search.best(constrained=False)

    _, job_index = np.unique(np.asarray(jobs), return_inverse=True)
    members = [np.flatnonzero(job_index == j) for j in range(job_index.max() + 1)]
    drawn = []
    for _ in range(options.rounds):
        rows = np.concatenate([members[j] for j in rng.integers(0, len(members), len(members))])
        if 0 < labels[rows].sum() < len(rows):
            drawn.append(search.taking(rows).best().threshold)
    if not drawn:
        raise CalibrationError(
            f"none of {options.rounds} resamples of {len(members)} jobs holds both classes: "
            "the borderline band cannot be estimated"
        )
    low, high = np.quantile(drawn, [0.025, 0.975])
    threshold = best.threshold
    rule = DecisionRule(
        threshold=round(threshold, SCORE_DECIMALS),
        borderline=(
            round(min(float(low), threshold), SCORE_DECIMALS),
            round(max(float(high), threshold), SCORE_DECIMALS),
        ),
        rule=f"best {options.utility_name} on {options.pairs}; the borderline band is its 95 % bootstrap "
        "interval over jobs",
        constraint=_described(options, best, free),
    )
    return ThresholdChoice(
        rule=rule,
        feasible=constraint is None or best.excess <= 0,
        utility=best.utility,
        largest_difference=best.difference,
        unconstrained_threshold=round(free.threshold, SCORE_DECIMALS),
        unconstrained_utility=free.utility,
        unconstrained_difference=free.difference,
        compared_groups={m.attribute: tuple(m.names) for m in memberships},
    )


@dataclass(frozen=True, slots=True)
class _Membership:
    """(G, N) flags of an attribute's groups; (M, G) whether a group takes part in each measure."""

    attribute: str
    names: list[str]
    flags: Flags
    takes_part: Flags

    def taking(self, rows: NDArray[np.int64]) -> _Membership:
        return _Membership(self.attribute, self.names, self.flags[:, rows], self.takes_part)


@dataclass(frozen=True, slots=True)
class _Cut:
    """`excess`: largest difference minus the limit."""

    threshold: float
    utility: float
    difference: float | None
    excess: float


@dataclass(frozen=True, slots=True)
class _Search:
    probabilities: Floats
    labels: Labels
    memberships: list[_Membership]
    options: ThresholdOptions

    def taking(self, rows: NDArray[np.int64]) -> _Search:
        return _Search(
            self.probabilities[rows],
            self.labels[rows],
            [membership.taking(rows) for membership in self.memberships],
            self.options,
        )

    def best(self, *, constrained: bool = True) -> _Cut:
        """The midpoint between the last probability selected at the best cut and the next one below.

        A threshold lies between 0 and 1 and comes rounded: it must not select by that what the cut does not.
        """
        order = np.argsort(-self.probabilities, kind="stable")
        p, y = self.probabilities[order], self.labels[order]
        below = np.append(p[1:], 0.0)
        # Equal probabilities are selected together or not at all.
        ends = (p > below) & (below < 1 - 1.5 * _STEP)
        utilities = np.where(ends, self._utilities(y), -np.inf)
        differences = self._differences(order, y)
        constraint = self.options.constraint
        allowed = ends
        if constrained and constraint is not None and differences is not None:
            candidates = utilities >= constraint.utility_share * utilities.max()
            excess = np.where(candidates, differences - constraint.limit, np.inf)
            # Floating point must not turn 0.05 into 0.05000000000000002.
            allowed = candidates & (excess <= max(float(excess.min()), 0.0) + 1e-12)
        best = int(np.argmax(np.where(allowed, utilities, -np.inf)))
        threshold = round(float(p[best] + below[best]) / 2, SCORE_DECIMALS)
        if best + 1 == len(p) or not below[best] < threshold <= p[best]:
            threshold = p[best]  # none below, or a neighbour, to which the midpoint is rounded
        difference = None if differences is None else float(differences[best])
        limit = 0.0 if constraint is None else constraint.limit
        return _Cut(
            float(min(threshold, 1 - _STEP)),
            float(utilities[best]),
            difference,
            0.0 if difference is None or difference <= limit + 1e-12 else difference - limit,
        )

    def _utilities(self, y: Labels) -> Floats:
        """Utility of selecting the first k + 1, (N,)."""
        hits, matches, selected = np.cumsum(y), int(y.sum()), np.arange(1, len(y) + 1)
        others = len(y) - matches
        match self.options.utility:
            case "f_beta":
                square = self.options.beta**2
                return np.asarray((1 + square) * hits / (selected + square * matches))
            case "accuracy":
                return np.asarray((hits + others - (selected - hits)) / len(y))
            case "balanced_accuracy":
                return np.asarray((hits / matches + 1 - (selected - hits) / others) / 2)

    def _differences(self, order: NDArray[np.int64], y: Labels) -> Floats | None:
        """Largest difference between groups at each cut, (N,); None if no two groups can be compared."""
        constraint = self.options.constraint
        if constraint is None:
            return None
        largest: Floats | None = None
        for membership in self.memberships:
            flags = membership.flags[:, order]
            for measure, takes_part in zip(constraint.measures, membership.takes_part, strict=True):
                counted = flags[takes_part] & _counted(measure, y)
                totals = counted.sum(axis=1, keepdims=True)
                # A resample can leave a group empty: it then says nothing about the difference.
                counted, totals = counted[totals[:, 0] > 0], totals[totals[:, 0] > 0]
                if len(counted) < 2:
                    continue
                # Pairs are in descending order: the sum of the first k is what a cut below the k-th selects.
                rates = np.cumsum(counted, axis=1) / totals
                difference = rates.max(axis=0) - rates.min(axis=0)
                largest = difference if largest is None else np.maximum(largest, difference)
        return largest


def _memberships(labels: Labels, groups: PairGroups, constraint: ParityConstraint) -> list[_Membership]:
    """Attributes with two groups or more that are large enough for one measure at least."""
    wanted = constraint.attributes if constraint.attributes is not None else tuple(groups)
    missing = [attribute for attribute in wanted if attribute not in groups]
    if missing:
        raise CalibrationError(
            f"the parity constraint names {', '.join(missing)}; "
            f"known attributes are {', '.join(groups) or 'none'}"
        )
    found = []
    for attribute in wanted:
        names = sorted({group for group in groups[attribute] if group is not None})
        flags = np.array([[group == name for group in groups[attribute]] for name in names], dtype=np.bool_)
        if len(names) < 2:
            continue
        takes_part = np.array(
            [(flags & _counted(m, labels)).sum(axis=1) >= constraint.minimum for m in constraint.measures]
        )
        if (takes_part.sum(axis=1) >= 2).any():
            kept = np.flatnonzero(takes_part.any(axis=0))
            found.append(_Membership(attribute, [names[i] for i in kept], flags[kept], takes_part[:, kept]))
    return found


def _counted(measure: ParityMeasure, labels: Labels) -> Flags:
    """The pairs that a rate stands on."""
    match measure:
        case "selection_rate":
            return np.ones(len(labels), dtype=np.bool_)
        case "true_positive_rate":
            return np.equal(labels, 1)
        case "false_positive_rate":
            return np.equal(labels, 0)


def _described(options: ThresholdOptions, best: _Cut, free: _Cut) -> str:
    constraint = options.constraint
    if constraint is None:
        return "none"
    asked = (
        f"largest difference in {', '.join(constraint.measures)} between groups <= {constraint.limit:g} "
        f"(rates on {constraint.minimum} pairs or more), keeping {constraint.utility_share:.0%} of the best "
        f"{options.utility_name}"
    )
    if best.difference is None or free.difference is None:
        return f"{asked}: not computable, no two groups are large enough; the threshold is unconstrained"
    name = options.utility_name
    cost = (
        f"{name} {best.utility:.4f}; without the constraint {name} {free.utility:.4f} and "
        f"{free.difference:.4f} at {free.threshold:.4f}"
    )
    if best.excess > 0:
        return f"{asked}: NOT MET by any threshold; the least violation is {best.difference:.4f} at {cost}"
    return f"{asked}: met on {options.pairs} with {best.difference:.4f} at {cost}"
