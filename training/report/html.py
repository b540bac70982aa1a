"""`fairness_report.html` of one evaluation, and `comparison.html` of several bundles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

from service.core.html import Scale, template_environment
from training.evaluation.comparison import BundleComparison, ComparedFigure
from training.evaluation.schema import AttributeReport, Evaluation, Judgement, VariantEvaluation
from training.report.plots import (
    HEIGHT,
    ROW,
    WIDTH,
    Curve,
    Range,
    density_lines,
    ranges,
    reliability_line,
    scale_of,
    upper_limit,
    value_text,
)

TEMPLATES = template_environment("training.report")
TEMPLATES.filters["figure"] = value_text

UTILITY_NAMES = {
    "roc_auc": "ROC-AUC, pooled",
    "pr_auc": "PR-AUC, pooled",
    "macro_roc_auc": "ROC-AUC, mean over jobs",
    "macro_pr_auc": "PR-AUC, mean over jobs",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "selection_rate": "selection_rate",
    "mean_reciprocal_rank": "mean reciprocal rank",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "expected calibration error",
}
DIFFERENCE_NAMES = (
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
)


@dataclass(frozen=True, slots=True)
class _AttributeView:
    report: AttributeReport
    scores: list[Curve]
    reliability: list[Curve]
    differences: list[Range]
    exposure: list[Range]


@dataclass(frozen=True, slots=True)
class _VariantsView:
    report: VariantEvaluation
    scale: Scale
    arms: list[tuple[str, list[Curve]]]


def report_html(evaluation: Evaluation) -> str:
    """The report as one HTML file without outside resources."""
    given = evaluation.judgements[0]
    differences = [
        a.differences[name]
        for judged in evaluation.judgements
        for a in judged.attributes
        for name in DIFFERENCE_NAMES
    ]
    gaps = Scale.even(0.0, upper_limit(differences, 0.1), WIDTH)
    exposures = [f for a in given.attributes for g in a.groups for f in g.exposure.values()]
    ratios = Scale.even(0.0, min(4.0, upper_limit(exposures, 2.0)), WIDTH)
    return TEMPLATES.get_template("fairness_report.html.j2").render(
        e=evaluation,
        version=metadata.version("evenmatch"),
        width=WIDTH,
        height=HEIGHT,
        row=ROW,
        unit=Scale.even(0.0, 1.0, WIDTH),
        scores=scale_of(evaluation.score_edges),
        gaps=gaps,
        ratios=ratios,
        utility=[
            (name, [judgement.utility[key] for judgement in evaluation.judgements])
            for key, name in utility_names(given).items()
        ],
        overall=[reliability_line("all pairs", given.reliability, 0)],
        judged=[
            (judgement, [_attribute(a, gaps, ratios) for a in judgement.attributes])
            for judgement in evaluation.judgements
        ],
        audits=[_audit(audit) for audit in evaluation.audits],
        shifts={
            name: (
                shift,
                density_lines([("shift", shift.shift_histogram)]),
                scale_of(shift.shift_edges, 3),
            )
            for name, shift in evaluation.shifts.items()
        },
    )


def comparison_html(comparison: BundleComparison) -> str:
    """The comparison as one HTML file without outside resources."""
    differing = [f for f in comparison.figures if f.differences]
    ends = [abs(end) for f in differing for d in f.differences for end in (d.low, d.high, d.value) if end]
    largest = max([0.01, *ends])
    scale = Scale.even(-largest, largest, WIDTH, 3)
    return TEMPLATES.get_template("comparison.html.j2").render(
        c=comparison,
        best_of=best_of,
        version=metadata.version("evenmatch"),
        width=WIDTH,
        row=ROW,
        scale=scale,
        plots=[
            (bundle, _difference_rows(differing, position, scale))
            for position, bundle in enumerate(comparison.bundles[1:])
        ]
        if differing
        else [],
    )


def best_of(figure: ComparedFigure) -> set[int]:
    """Positions of the bundles with the best value; none where no direction is better, or all are equal."""
    known = {i: f.value for i, f in enumerate(figure.values) if f is not None and f.value is not None}
    if figure.better == "neither" or len(set(known.values())) < 2:
        return set()
    best = max(known.values()) if figure.better == "higher" else min(known.values())
    return {i for i, value in known.items() if value == best}


def utility_names(judgement: Judgement) -> dict[str, str]:
    """What each figure of utility is called in a report, in the order of a report."""
    at_depth = {
        key: key.replace("ndcg", "NDCG").replace("_at_", "@") for key in judgement.utility if "_at_" in key
    }
    return UTILITY_NAMES | at_depth


def _attribute(report: AttributeReport, gaps: Scale, ratios: Scale) -> _AttributeView:
    compared = [g for g in report.groups if g.compared]
    kinds = ("top_1_ratio", "top_5_ratio", "top_10_ratio", "discounted_ratio")
    return _AttributeView(
        report=report,
        scores=density_lines([(g.group, g.score_histogram) for g in compared]),
        reliability=[reliability_line(g.group, g.reliability, i) for i, g in enumerate(compared)],
        differences=ranges([(name, report.differences[name]) for name in DIFFERENCE_NAMES], gaps),
        exposure=ranges(
            [
                (f"{g.group}, {kind.removesuffix('_ratio').replace('_', ' ')}", g.exposure[kind])
                for g in compared
                for kind in kinds
                if g.exposure[kind].value is not None
            ],
            ratios,
        ),
    )


def _audit(report: VariantEvaluation) -> _VariantsView:
    control: Sequence[tuple[str, list[int]]] = (
        [("control: benign edits", report.control.gap_histogram)] if report.control is not None else []
    )
    return _VariantsView(
        report=report,
        scale=scale_of(report.gap_edges, 4),
        arms=[
            (
                attribute.attribute,
                density_lines([*control, *((g.group, g.gap_histogram) for g in attribute.groups)]),
            )
            for attribute in report.attributes
        ],
    )


def _difference_rows(figures: list[ComparedFigure], position: int, scale: Scale) -> list[Range]:
    return ranges([(f"{f.name} ({f.better})", f.differences[position]) for f in figures], scale)
