"""What live monitoring counts of an audit: gaps and flips by attribute, the control arm beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.core.counterfactual_audit.plan import AuditPlan
from service.core.counterfactual_audit.report import AuditReport
from service.core.matching import Match


@dataclass(frozen=True, slots=True)
class Arm:
    """Pairs of a variant and its reference: counterfactual_score_gap of each, and how many were flipped."""

    gaps: tuple[float, ...]
    flips: int


Arms = Mapping[str, Arm]
"""By attribute; `control` holds the benign edits."""


def arms_of_report(report: AuditReport) -> Arms:
    """The arms of an audit that was summarised."""
    arms: dict[str, Arm] = {
        result.attribute: Arm(
            tuple(gap for group in result.groups for gap in group.summary.gaps),
            sum(group.summary.flips for group in result.groups),
        )
        for result in report.attributes
    }
    if report.control is None:
        return arms
    return {**arms, "control": Arm(report.control.gaps, report.control.flips)}


def arms_of_scores(plan: AuditPlan, matches: Sequence[Match]) -> Arms:
    """The same without the report's tests, which say nothing of one resume. `matches` are of `plan.texts`."""
    gaps: dict[str, list[float]] = {}
    flips: dict[str, int] = {}
    for _, variant in plan.variants:
        after, before = matches[plan.rows[variant.text]], matches[plan.rows[variant.reference]]
        gaps.setdefault(variant.attribute, []).append(after.raw_score - before.raw_score)
        flips[variant.attribute] = flips.get(variant.attribute, 0) + (after.selected != before.selected)
    return {attribute: Arm(tuple(of), flips[attribute]) for attribute, of in gaps.items()}
