"""`evenmatch-train compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.cli.console import exit_codes, say

_HEADLINES = (
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
_HEADLINE_ENDS = ("demographic_parity_difference", "equalized_odds_difference", "min_max_ratio")


def compare(
    bundles: Annotated[list[Path], typer.Argument(help="Folders of two bundles or more.")],
    html: Annotated[Path | None, typer.Option(help="Write the whole comparison as HTML here.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the whole comparison as JSON here.")] = None,
) -> None:
    """Put the evaluations of bundles side by side: their metrics.json, with intervals."""
    from training.comparison import compare_metrics
    from training.report.compare_html import comparison_html
    from training.report.plots import value_text

    with exit_codes():
        comparison = compare_metrics(bundles)
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for bundle in comparison.bundles:
        table.add_column(f"{bundle.name} {bundle.version}")
    for figure in comparison.figures:
        if figure.name in _HEADLINES or figure.name.endswith(_HEADLINE_ENDS):
            values = ["-" if value is None else value_text(value) for value in figure.values]
            table.add_row(figure.name, *values)
    Console(markup=False, highlight=False).print(table)
    for note in comparison.notes:
        say(note)
    for path, content in (
        (html, comparison_html(comparison)),
        (json, comparison.model_dump_json(indent=2) + "\n"),
    ):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
            say(f"wrote {path}")
