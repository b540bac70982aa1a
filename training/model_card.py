"""The bundle's README.md: what it is, what it was fitted on, what it must not be used for."""

from __future__ import annotations

from typing import Any

from service.core.calibration import Calibration
from service.core.manifest import DecisionRule, Manifest


def model_card(
    name: str,
    version: str,
    manifest: Manifest,
    calibration: Calibration,
    rule: DecisionRule,
    metrics: dict[str, Any],
) -> str:
    """Markdown, generated from the figures themselves."""
    base = manifest.base_model
    low, high = rule.borderline
    lines = [
        f"# {name} {version}",
        "",
        f"The encoder `{base.id}` ({base.dimensions} dimensions, {manifest.pooling} pooling) **without an "
        "adapter**, for resume-to-job matching by late interaction over passages. It is a baseline: nothing "
        "was done in it against differences between groups of people, and no fairness was measured.",
        "",
        "## Intended use",
        "",
        "To support a person who compares resumes with a job. A score is a recommendation; it must not "
        "reject anybody by itself.",
        "",
        "## Data",
        "",
        f"{metrics['data'].capitalize()}. Calibration on {calibration.pairs:,} pairs, of which "
        f"{100 * calibration.prevalence:.0f} % match: probabilities hold for pools with that share, and "
        "for text like the synthetic text. On real resumes they order candidates well, but have not been "
        "shown to be calibrated.",
        "",
        "## Threshold",
        "",
        f"{rule.threshold:.3f} for everybody ({rule.rule}). Borderline: {low:.3f} to {high:.3f}. "
        f"Constraint: {rule.constraint}.",
        "",
        "## Utility on the test split (95 % bootstrap interval over jobs)",
        "",
        "| figure | job with title | job without title |",
        "|---|---|---|",
    ]
    with_title, without_title = metrics["with_title"], metrics["without_title"]
    lines.append(f"| pairs (matches) | {_count(with_title)} | {_count(without_title)} |")
    for key in ("roc_auc", "pr_auc", "f1", "selection_rate", "ece"):
        lines.append(f"| {key} | {_interval(with_title[key])} | {_interval(without_title[key])} |")
    return "\n".join(lines) + "\n"


def _count(report: dict[str, Any]) -> str:
    return f"{report['pairs']:,} ({report['matches']:,})"


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
