"""Scores of an audit's texts -> gaps, flips and tests by attribute and group, beside the control arm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from service.core.counterfactual.variants import Attribute, Reason
from service.core.counterfactual_audit.findings import findings_of
from service.core.counterfactual_audit.plan import CounterfactualPlan
from service.core.counterfactual_audit.results import (
    ALPHA,
    AttributeGaps,
    CounterfactualReport,
    GapSummary,
    GroupGaps,
    WorstPair,
)
from service.core.counterfactual_audit.statistics import (
    Floats,
    compare_with_control,
    difference_between_groups,
    mean_interval,
    top_shares,
)
from service.core.fairness.statistics import holm
from service.core.language import is_foreign
from service.core.matching import Match


@dataclass(frozen=True, slots=True)
class _Pair:
    resume: str
    variant_id: str
    index: int
    gap: float
    score: float
    probability_gap: float
    flipped: bool


def summarise(plan: CounterfactualPlan, matches: Sequence[Match]) -> CounterfactualReport:
    """Compare every variant with its reference. `matches` belong to `plan.texts`, in order."""
    rng = np.random.default_rng(plan.options.seed)
    originals = np.array([matches[plan.rows[r.variants.original]].raw_score for r in plan.resumes])
    sd = float(originals.std(ddof=1)) if len(originals) >= 3 else None
    sd = sd if sd else None
    pairs = _pairs(plan, matches)
    control = [pair for (attribute, _), of in pairs.items() if attribute == "control" for pair in of]
    attributes = [
        _attribute(attribute, pairs, control, plan, sd, rng)
        for attribute in plan.options.attributes
        if any(key[0] == attribute for key in pairs)
    ]
    attributes = _adjusted(attributes)
    missing: dict[Attribute, dict[Reason, int]] = {}
    for resume in plan.resumes:
        for attribute in resume.variants.not_applicable:
            missing[attribute] = _reasons(plan, attribute)
    report = CounterfactualReport(
        redact=plan.options.redact,
        seed=plan.options.seed,
        resumes=len(plan.resumes),
        distinct_texts=len(plan.texts),
        control=_summary(control, sd) if control else None,
        attributes=attributes,
        missing=missing,
        names_placed=[r.id for r in plan.resumes if r.variants.name_placed],
        several_people=[r.id for r in plan.resumes if r.variants.other_people],
        not_english=[r.id for r in plan.resumes if is_foreign(r.language) or r.non_latin_script],
        warnings={r.id: list(r.warnings) for r in plan.resumes if r.warnings},
        score_sd=sd,
        findings=[],
    )
    report.findings.extend(findings_of(report))
    return report


def _pairs(plan: CounterfactualPlan, matches: Sequence[Match]) -> dict[tuple[str, str], list[_Pair]]:
    pairs: dict[tuple[str, str], list[_Pair]] = {}
    for resume_id, variant in plan.variants:
        after, before = matches[plan.rows[variant.text]], matches[plan.rows[variant.reference]]
        pairs.setdefault((variant.attribute, variant.group), []).append(
            _Pair(
                resume_id,
                variant.id,
                variant.index,
                after.raw_score - before.raw_score,
                after.raw_score,
                after.calibrated_probability - before.calibrated_probability,
                after.selected != before.selected,
            )
        )
    return pairs


def _summary(pairs: Sequence[_Pair], sd: float | None) -> GapSummary:
    gaps = np.array([pair.gap for pair in pairs])
    absolute = np.abs(gaps)
    resumes = [pair.resume for pair in pairs]
    flips = sum(pair.flipped for pair in pairs)
    return GapSummary(
        n=len(pairs),
        mean_gap=float(gaps.mean()),
        mean_interval=mean_interval(gaps, resumes),
        interval_unit="resume" if len(set(resumes)) > 1 else "variant",
        mean_absolute_gap=float(absolute.mean()),
        p95_absolute_gap=float(np.quantile(absolute, 0.95)),
        max_absolute_gap=float(absolute.max()),
        shift_over_sd=float(absolute.mean()) / sd if sd else None,
        mean_probability_gap=float(np.mean([pair.probability_gap for pair in pairs])),
        flips=flips,
        flip_rate=flips / len(pairs),
        gaps=tuple(gaps.tolist()),
    )


def _attribute(
    attribute: Attribute,
    pairs: dict[tuple[str, str], list[_Pair]],
    control: Sequence[_Pair],
    plan: CounterfactualPlan,
    sd: float | None,
    rng: np.random.Generator,
) -> AttributeGaps:
    ids = [resume.id for resume in plan.resumes]
    by_group = {group: of for (name, group), of in pairs.items() if name == attribute}
    noise = _by_resume(control, ids)
    sets = _sets(list(by_group.values()))
    top = top_shares(sets, rng)
    results = []
    for position, (group, of) in enumerate(by_group.items()):
        compared = compare_with_control(_by_resume(of, ids), noise, rng)
        worst = max(of, key=lambda pair: abs(pair.gap))
        results.append(
            GroupGaps(
                group=group,
                summary=_summary(of, sd),
                effect_size=compared.effect_size if compared else None,
                p_value=compared.p_value if compared else None,
                adjusted_p_value=None,
                beyond_noise=False,
                top_share=top.shares[position] if top else None,
                worst=WorstPair(worst.resume, worst.variant_id, worst.gap),
            )
        )
    reasons = _reasons(plan, attribute)
    return AttributeGaps(
        attribute,
        results,
        difference_p_value=difference_between_groups(sets, rng),
        adjusted_difference_p_value=None,
        top=top,
        applicable=len(plan.resumes) - sum(reasons.values()),
        not_applicable=reasons,
    )


def _reasons(plan: CounterfactualPlan, attribute: Attribute) -> dict[Reason, int]:
    """Resumes in which the attribute could not be changed, by reason."""
    given = (resume.variants.not_applicable.get(attribute) for resume in plan.resumes)
    return dict(Counter(reason for reason in given if reason is not None))


def _by_resume(pairs: Sequence[_Pair], ids: Sequence[str]) -> list[Floats]:
    gaps: dict[str, list[float]] = {resume: [] for resume in ids}
    for pair in pairs:
        gaps[pair.resume].append(pair.gap)
    return [np.array(gaps[resume]) for resume in ids]


def _sets(groups: Sequence[Sequence[_Pair]]) -> Floats:
    """Scores (S, G) of the sets that hold one variant of every group: the same resume, the same draw."""
    tables = [{(pair.resume, pair.index): pair.score for pair in of} for of in groups]
    shared = [key for key in tables[0] if all(key in table for table in tables)]
    return np.array([[table[key] for table in tables] for key in shared]).reshape(len(shared), len(groups))


def _adjusted(attributes: list[AttributeGaps]) -> list[AttributeGaps]:
    """Holm over all groups of all attributes, and apart from them over the attributes' own tests."""
    tested = [g for a in attributes for g in a.groups if g.p_value is not None]
    adjusted = iter(holm([g.p_value for g in tested if g.p_value is not None]))
    differences = [a.difference_p_value for a in attributes if a.difference_p_value is not None]
    adjusted_differences = iter(holm(differences))
    result = []
    for a in attributes:
        groups = []
        for g in a.groups:
            p = next(adjusted) if g.p_value is not None else None
            groups.append(replace(g, adjusted_p_value=p, beyond_noise=p is not None and p <= ALPHA))
        difference = next(adjusted_differences) if a.difference_p_value is not None else None
        result.append(replace(a, groups=groups, adjusted_difference_p_value=difference))
    return result


@dataclass(frozen=True, slots=True)
class Arm:
    """Pairs of a variant and its reference: counterfactual_score_gap of each, and how many were flipped."""

    gaps: tuple[float, ...]
    flips: int


Arms = Mapping[str, Arm]
"""By attribute; `control` holds the benign edits."""


def arms_of_report(report: CounterfactualReport) -> Arms:
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


def arms_of_scores(plan: CounterfactualPlan, matches: Sequence[Match]) -> Arms:
    """The same without the report's tests, which say nothing of one resume. `matches` are of `plan.texts`."""
    gaps: dict[str, list[float]] = {}
    flips: dict[str, int] = {}
    for _, variant in plan.variants:
        after, before = matches[plan.rows[variant.text]], matches[plan.rows[variant.reference]]
        gaps.setdefault(variant.attribute, []).append(after.raw_score - before.raw_score)
        flips[variant.attribute] = flips.get(variant.attribute, 0) + (after.selected != before.selected)
    return {attribute: Arm(tuple(of), flips[attribute]) for attribute, of in gaps.items()}
