"""Evaluation by variants: the counterfactual audit of `service.core` for many jobs, pooled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.core.counterfactual_audit.plan import (
    AuditResume,
    CounterfactualOptions,
    CounterfactualPlan,
    PlannedResume,
    plan_audit,
)
from service.core.counterfactual_audit.results import AttributeGaps, GapSummary
from service.core.counterfactual_audit.summary import summarise
from service.core.documents import MAX_TEXT_CHARACTERS
from service.core.engines.loading import LoadedModel
from service.core.errors import CountError
from service.core.matching import Match, Matcher, TokenizedResume
from training.evaluation.resampling import estimate
from training.evaluation.schema import Estimate, VariantEvaluation, VariantGroup, VariedAttribute
from training.evaluation.scored_pairs import Floats
from training.evaluation.scoring import encode_distinct

_BINS = 41
_NO_SETS = "in every set all groups tied, or there was none"


@dataclass(frozen=True, slots=True)
class VariantSet:
    """One job and the resumes that are varied for it. A resume belongs to one job only."""

    job_id: str
    title: str | None
    description: str
    resumes: tuple[AuditResume, ...]


@dataclass(frozen=True, slots=True)
class _Gap:
    """One variant against its reference. `tenth`: None if the job has fewer than ten audited resumes."""

    resume: str
    attribute: str
    group: str
    index: int
    gap: float
    score: float
    flipped: bool
    tenth: bool | None


def evaluate_variants(
    matcher: Matcher,
    loaded: LoadedModel,
    sets: Sequence[VariantSet],
    options: CounterfactualOptions,
    *,
    rounds: int,
    rng: np.random.Generator,
) -> VariantEvaluation:
    """Score the variants of every set and pool them; intervals by bootstrap over the varied resumes.

    Tests, the control arm and findings are those of `service.core.counterfactual_audit`, over all sets
    together.
    Raises what `plan_audit` raises, and `CountError` for no sets.
    """
    if not sets:
        raise CountError("an audit needs one job with resumes at least", field="sets", limit=1, actual=0)
    plans = [
        plan_audit(
            matcher,
            one.description,
            one.title,
            [AuditResume(f"{one.job_id}/{resume.id}", resume.text) for resume in one.resumes],
            options,
            max_resumes=len(one.resumes),
            max_characters=MAX_TEXT_CHARACTERS,
            max_texts=1_000_000,
        )
        for one in sets
    ]
    matches = [_matches(matcher, loaded, plan) for plan in plans]
    report = summarise(*_pooled(plans, matches))
    gaps = [gap for plan, of in zip(plans, matches, strict=True) for gap in _gaps(plan, of)]
    limit = max((abs(gap.gap) for gap in gaps), default=0.0) or 1e-6  # a histogram needs some width
    edges = np.linspace(-limit, limit, _BINS + 1)
    resumes = [resume.id for plan in plans for resume in plan.resumes]
    draws = [np.ones(len(resumes))]
    if len(resumes) > 1:
        draws += [
            np.bincount(rng.integers(0, len(resumes), len(resumes)), minlength=len(resumes)).astype(float)
            for _ in range(rounds)
        ]
    pool = _Pool(gaps, {resume: i for i, resume in enumerate(resumes)}, np.stack(draws), report.score_sd)
    return VariantEvaluation(
        redact=options.redact,
        seed=options.seed,
        jobs=len(sets),
        resumes=len(resumes),
        distinct_texts=report.distinct_texts,
        score_sd=report.score_sd,
        gap_edges=[round(float(edge), 8) for edge in edges],
        control=None
        if report.control is None
        else VariantGroup(
            group="control",
            figures=pool.figures("control", None),
            adjusted_p_value=None,
            beyond_noise=False,
            gap_histogram=_histogram(report.control, edges),
        ),
        attributes=[_attribute(result, pool, edges) for result in report.attributes],
        findings=report.findings,
    )


@dataclass(frozen=True, slots=True)
class _Pool:
    gaps: Sequence[_Gap]
    row: dict[str, int]
    weights: Floats
    """(1 + rounds, R): how often each resume is in each resample; row 0 holds ones."""
    score_sd: float | None

    def figures(self, attribute: str, group: str | None) -> dict[str, Estimate]:
        """Of the gaps of an attribute's group (None: of all its groups); `n` counts variants."""
        of = [g for g in self.gaps if g.attribute == attribute and group in (None, g.group)]
        rows = np.array([self.row[g.resume] for g in of])
        signed, flipped = np.array([g.gap for g in of]), np.array([g.flipped for g in of], dtype=float)
        absolute = np.abs(signed)
        tenths = np.array([np.nan if g.tenth is None else g.tenth for g in of], dtype=float)
        judged = np.isfinite(tenths)
        sd = self.score_sd or np.nan  # makes the quotient NaN, which becomes "not computable" with a reason
        mean = self._each(lambda w: float(np.average(absolute, weights=w)), rows)
        found = {
            "mean_signed_shift": self._each(lambda w: float(np.average(signed, weights=w)), rows),
            "mean_shift": mean,
            "p95_shift": self._each(lambda w: float(np.quantile(np.repeat(absolute, w), 0.95)), rows),
            "shift_over_sd": mean / sd,
            "flip_rate": self._each(lambda w: float(np.average(flipped, weights=w)), rows),
            "flip_rate_top_tenth_per_job": self._each(
                lambda w: float(np.average(tenths[judged], weights=w[judged])) if w[judged].any() else np.nan,
                rows,
            ),
        }
        reasons = {
            "shift_over_sd": "fewer than three resumes, or equal scores",
            "flip_rate_top_tenth_per_job": "no job with ten audited resumes",
        }
        counts = {"flip_rate_top_tenth_per_job": int(judged.sum())}
        return {
            name: estimate(samples, counts.get(name, len(of)), reasons.get(name, "no variants"))
            for name, samples in found.items()
        }

    def min_max_ratio(self, attribute: str, groups: Sequence[str]) -> Estimate:
        """Lowest over highest share of first places; 1 if all groups come first equally often."""
        tables: dict[tuple[str, int], dict[str, float]] = {}
        for g in self.gaps:
            if g.attribute == attribute:
                tables.setdefault((g.resume, g.index), {})[g.group] = g.score
        whole = [
            (key[0], [of[group] for group in groups]) for key, of in tables.items() if len(of) == len(groups)
        ]
        scores = np.array([of for _, of in whole]).reshape(len(whole), len(groups))
        telling = np.ptp(scores, axis=1) > 0 if len(whole) and len(groups) > 1 else np.zeros(len(whole), bool)
        if not telling.any():
            return estimate(np.array([np.nan]), 0, _NO_SETS)
        scores = scores[telling]
        top = scores == scores.max(axis=1, keepdims=True)
        wins = top / top.sum(axis=1, keepdims=True)
        rows = np.array([self.row[resume] for resume, _ in whole])[telling]

        def statistic(weights: NDArray[np.int64]) -> float:
            total = weights @ wins
            return float(total.min() / total.max()) if total.max() > 0 else float("nan")

        return estimate(self._each(statistic, rows), len(scores), _NO_SETS)

    def _each(self, statistic: Callable[[NDArray[np.int64]], float], rows: NDArray[np.int64]) -> Floats:
        counts = self.weights[:, rows].astype(np.int64)
        return np.array([statistic(w) if w.any() else np.nan for w in counts])


def _matches(matcher: Matcher, loaded: LoadedModel, plan: CounterfactualPlan) -> list[Match]:
    encoded = encode_distinct(loaded, [plan.job], plan.texts)
    job_vectors = encoded.of(plan.job.texts)
    return [matcher.match(plan.job, job_vectors, encoded.of(text.texts)) for text in plan.texts]


def _pooled(
    plans: Sequence[CounterfactualPlan], matches: Sequence[list[Match]]
) -> tuple[CounterfactualPlan, list[Match]]:
    """One plan of all: every resume's texts become its own, so that jobs may share a text."""
    resumes: list[PlannedResume] = []
    rows: dict[str, int] = {}
    texts: list[TokenizedResume] = []
    pooled: list[Match] = []
    for number, (plan, of) in enumerate(zip(plans, matches, strict=True)):
        mark = f"{number}:"
        for resume in plan.resumes:
            variants = resume.variants
            marked = [replace(v, text=mark + v.text, reference=mark + v.reference) for v in variants.variants]
            own = replace(variants, original=mark + variants.original, variants=marked)
            resumes.append(replace(resume, variants=own))
        rows |= {mark + text: len(pooled) + row for text, row in plan.rows.items()}
        texts += plan.texts
        pooled += of
    return CounterfactualPlan(plans[0].options, plans[0].job, resumes, texts, rows), pooled


def _gaps(plan: CounterfactualPlan, matches: Sequence[Match]) -> list[_Gap]:
    originals = [matches[plan.rows[r.variants.original]].raw_score for r in plan.resumes]
    cut = float(np.quantile(originals, 0.9)) if len(originals) >= 10 else None
    found = []
    for resume, variant in plan.variants:
        after, before = matches[plan.rows[variant.text]], matches[plan.rows[variant.reference]]
        found.append(
            _Gap(
                resume,
                variant.attribute,
                variant.group,
                variant.index,
                after.raw_score - before.raw_score,
                after.raw_score,
                after.selected != before.selected,
                None if cut is None else (after.raw_score >= cut) != (before.raw_score >= cut),
            )
        )
    return found


def _attribute(result: AttributeGaps, pool: _Pool, edges: Floats) -> VariedAttribute:
    groups = []
    for group in result.groups:
        figures = pool.figures(result.attribute, group.group)
        sets = 0 if result.top is None else result.top.sets
        top = float("nan") if group.top_share is None else group.top_share
        figures["top_share"] = estimate(np.array([top]), sets, _NO_SETS)
        groups.append(
            VariantGroup(
                group=group.group,
                figures=figures,
                adjusted_p_value=group.adjusted_p_value,
                beyond_noise=group.beyond_noise,
                gap_histogram=_histogram(group.summary, edges),
            )
        )
    return VariedAttribute(
        attribute=result.attribute,
        applicable=result.applicable,
        figures=pool.figures(result.attribute, None),
        groups=groups,
        min_max_ratio=pool.min_max_ratio(result.attribute, [group.group for group in result.groups]),
        top_p_value=None if result.top is None else result.top.p_value,
        sets=0 if result.top is None else result.top.sets,
        difference_p_value=result.adjusted_difference_p_value,
    )


def _histogram(summary: GapSummary, edges: Floats) -> list[int]:
    return [int(count) for count in np.histogram(summary.gaps, edges)[0]]
