"""Figures as tables for a terminal: every one with its interval and what it stands on."""

from __future__ import annotations

from rich.table import Table

from service.core.printable import one_line
from training.evaluation.comparison import BundleComparison
from training.evaluation.schema import Estimate, Evaluation
from training.report.plots import value_text

_UTILITY = {
    "macro_roc_auc": "jobs",
    "macro_pr_auc": "jobs",
    "ndcg_at_10": "jobs",
    "roc_auc": "pairs",
    "pr_auc": "pairs",
    "f1": "pairs",
    "ece": "pairs",
}
"""What the figures of a run's own table stand on."""

_GROUP_FIGURES = ("selection_rate", "true_positive_rate", "false_positive_rate")

_COMPARED = (
    "utility/roc_auc",
    "utility/pr_auc",
    "utility/macro_roc_auc",
    "utility/macro_pr_auc",
    "utility/f1",
    "utility/ndcg_at_10",
    "utility/ece",
    "parity/fairness_score",
    "parity/balanced_fairness_score",
)
_COMPARED_ENDS = ("demographic_parity_difference", "equalized_odds_difference", "min_max_ratio")


def evaluation_tables(evaluation: Evaluation) -> list[Table]:
    """What an evaluation came to: utility and differences, then one table of groups for each attribute."""
    judged, data = evaluation.judgements[-1], evaluation.data
    jobs = f"{data.jobs:,} job" if data.jobs == 1 else f"{data.jobs:,} jobs"
    overall = _table(
        f"{data.pairs:,} pairs of {jobs} and {data.resumes:,} resumes", "figure", "95 % interval"
    )
    for name, counted in _UTILITY.items():
        if (figure := judged.utility.get(name)) is not None:
            overall.add_row(name, value_text(figure), f"{figure.n:,} {counted}")
    overall.add_row("fairness_score", value_text(judged.fairness_score), f"{judged.fairness_score.n:,} pairs")
    for attribute in judged.attributes:
        for name in ("demographic_parity_difference", "equalized_odds_difference"):
            if (figure := attribute.differences.get(name)) is not None:
                overall.add_row(one_line(f"{attribute.attribute} {name}"), value_text(figure), _n(figure))
    tables = [overall]
    for attribute in judged.attributes:
        named = [name for name in _GROUP_FIGURES if any(name in group.figures for group in attribute.groups)]
        groups = _table(one_line(attribute.attribute), "group", "pairs", "resumes", "matches", *named)
        for group in attribute.groups:
            counts = (f"{group.pairs:,}", f"{group.resumes:,}", f"{group.matches:,}")
            figures = (value_text(group.figures[name]) if name in group.figures else "-" for name in named)
            groups.add_row(one_line(group.group), *counts, *figures)
        tables.append(groups)
    return tables


def comparison_table(comparison: BundleComparison) -> Table:
    """Bundles side by side, and how far each is from the first where they share pairs."""
    table = Table(box=None, pad_edge=False)
    table.add_column("figure", overflow="fold")
    for bundle in comparison.bundles:
        table.add_column(one_line(f"{bundle.name} {bundle.version}"))
    first, *others = comparison.bundles
    compared = any(figure.differences for figure in comparison.figures)
    for bundle in others if compared else ():
        table.add_column(one_line(f"{bundle.name} less {first.name}"))
    table.add_column("n")
    for name in ("pairs", "jobs", "resumes"):
        counts = [getattr(bundle, name) for bundle in comparison.bundles]
        blank = [""] * (len(others) + 1 if compared else 1)
        table.add_row(name, *(f"{count:,}" for count in counts), *blank)
    for figure in comparison.figures:
        if figure.name in _COMPARED or figure.name.endswith(_COMPARED_ENDS):
            values = ["-" if value is None else value_text(value) for value in figure.values]
            differences = [value_text(of) for of in figure.differences] or [""] * (len(others) * compared)
            known = [value.n for value in figure.values if value is not None]
            table.add_row(one_line(figure.name), *values, *differences, f"{max(known, default=0):,}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _n(figure: Estimate) -> str:
    return f"{figure.n:,} pairs"
