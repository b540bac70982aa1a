"""What a cohort changes: decisions before and after it, as a whole, by posting and by group.

Everything is counted over pairs of a posting and a resume. A resume that stands in many pairs is not as many
people: intervals of groups are too narrow where there are several postings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.core.fairness.counts import GroupCounts
from service.core.fairness.figure import Figure, Reason, not_computable
from service.core.fairness.rates import impact_ratio, selection_rate
from service.core.groups import UNKNOWN

Decisions = NDArray[np.bool_]
"""Selected or not, (postings, resumes)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected on one side. `empty`: postings for which nobody is.

    `precision`, `recall` and `recall_quartiles` (25, 50, 75 % of the postings with a match) need labels;
    None without, and precision also if nobody is selected.
    """

    selected: int
    empty: int
    precision: float | None = None
    recall: float | None = None
    recall_quartiles: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class GroupEffect:
    """One group: its pairs, its selection rate, and that rate over the highest group's, before and after."""

    group: str
    pairs: int
    rate_before: Figure
    rate_after: Figure
    ratio_before: Figure
    ratio_after: Figure


@dataclass(frozen=True, slots=True)
class CohortEffects:
    """`flips_up`: pairs that are selected with the cohort only; `flips_down`: without it only.

    `uncovered`: postings that the cohort does not cover. `groups`: by attribute.
    """

    postings: int
    resumes: int
    pairs: int
    uncovered: int
    labelled: bool
    flips_up: int
    flips_down: int
    before: Selection
    after: Selection
    groups: Mapping[str, Sequence[GroupEffect]]


def effects_of(
    before: Decisions,
    after: Decisions,
    *,
    uncovered: int,
    groups: Mapping[str, Sequence[str]],
    labels: Decisions | None = None,
) -> CohortEffects:
    """Compare two sets of decisions on the same pairs.

    Args:
        before: without the cohort, (postings, resumes).
        after: with it, the same shape.
        uncovered: postings that the cohort does not cover.
        groups: by attribute, the group of each resume; `unknown` is counted and not compared.
        labels: which pairs are matches, the same shape.
    """
    return CohortEffects(
        postings=before.shape[0],
        resumes=before.shape[1],
        pairs=before.size,
        uncovered=uncovered,
        labelled=labels is not None,
        flips_up=int((after & ~before).sum()),
        flips_down=int((before & ~after).sum()),
        before=_selection(before, labels),
        after=_selection(after, labels),
        groups={name: _groups(before, after, of_resumes) for name, of_resumes in groups.items()},
    )


def _selection(decisions: Decisions, labels: Decisions | None) -> Selection:
    selected, empty = int(decisions.sum()), int((~decisions.any(axis=1)).sum())
    if labels is None or not labels.any():
        return Selection(selected, empty)
    hits = decisions & labels
    matches = labels.sum(axis=1)
    by_posting = hits.sum(axis=1)[matches > 0] / matches[matches > 0]
    low, middle, high = (float(q) for q in np.quantile(by_posting, [0.25, 0.5, 0.75]))
    precision = int(hits.sum()) / selected if selected else None
    return Selection(selected, empty, precision, float(hits.sum() / labels.sum()), (low, middle, high))


def _groups(before: Decisions, after: Decisions, of_resumes: Sequence[str]) -> list[GroupEffect]:
    names = np.array(of_resumes)
    there = sorted(set(of_resumes), key=lambda name: (name == UNKNOWN, name))
    sides = [{name: _counts(side[:, names == name]) for name in there} for side in (before, after)]
    effects = []
    for name in there:
        rates = [selection_rate(side[name]) for side in sides]
        ratios = [_ratio(side, name) for side in sides]
        effects.append(GroupEffect(name, sides[0][name].n, rates[0], rates[1], ratios[0], ratios[1]))
    return effects


def _counts(decisions: Decisions) -> GroupCounts:
    return GroupCounts(n=int(decisions.size), selected=int(decisions.sum()))


def _ratio(side: Mapping[str, GroupCounts], name: str) -> Figure:
    compared = {group: counts.selection for group, counts in side.items() if group != UNKNOWN}
    if name not in compared:
        return not_computable(Reason.ONLY_UNKNOWN)
    highest = max(compared.values(), key=lambda share: share.exact)
    return impact_ratio(compared[name], highest)
