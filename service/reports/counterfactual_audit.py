"""A counterfactual audit as JSON and as one HTML file that needs nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import metadata

from service.core.counterfactual_audit.results import CounterfactualReport, GapSummary
from service.core.group_titles import attribute_title, group_title
from service.core.html import Scale
from service.reports import TEMPLATES

WIDTH = 640
"""Plot width in SVG units; the labels' column is beside it."""

_ROW = 22
_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class CounterfactualSubject:
    """What was audited. `created`: ISO 8601 date and time, UTC. `cohort`: digest of that in use, if any."""

    bundle: str
    version: str
    digest: str
    engine: str
    precision: str
    threshold: float
    job: str
    created: str
    cohort: str | None = None


def counterfactual_audit_json(report: CounterfactualReport, subject: CounterfactualSubject) -> str:
    """The whole report as JSON: numbers and ids, no text of a resume."""
    document = {
        "evenmatch": metadata.version("evenmatch"),
        "subject": asdict(subject),
        "report": asdict(report),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def counterfactual_audit_html(report: CounterfactualReport, subject: CounterfactualSubject) -> str:
    """The report with plots: gap distributions beside the control arm, group means with intervals."""
    arms = _arms(report)
    limit = max([summary.max_absolute_gap for _, summary in arms], default=0.0) * 1.05 or 0.001
    marked = tuple(share * limit for share in (-0.9, -0.45, 0, 0.45, 0.9))
    scale = Scale(-limit, limit, WIDTH, marked, "{:+.4f}".format)
    return TEMPLATES.get_template("audit.html.j2").render(
        report=report,
        subject=subject,
        version=metadata.version("evenmatch"),
        width=WIDTH,
        row=_ROW,
        scale=scale,
        group_title=group_title,
        attribute_title=attribute_title,
        strips=[_strip(name, summary, scale) for name, summary in arms],
        band=_band(report.control, scale),
    )


@dataclass(frozen=True, slots=True)
class _Strip:
    label: str
    n: int
    points: list[tuple[float, float]]


def _arms(report: CounterfactualReport) -> list[tuple[str, GapSummary]]:
    arms = [
        (f"{attribute_title(a.attribute)}: {group_title(g.group)}", g.summary)
        for a in report.attributes
        for g in a.groups
    ]
    return [("control: benign edits", report.control), *arms] if report.control is not None else arms


def _strip(label: str, summary: GapSummary, scale: Scale) -> _Strip:
    # Every k-th of the sorted gaps keeps the shape; heights spread points that lie on each other.
    gaps = sorted(summary.gaps)
    step = max(1, -(-len(gaps) // _MOST_POINTS))
    points = [(scale.at(gap), _ROW / 2 + ((i * 7) % 11 - 5)) for i, gap in enumerate(gaps[::step])]
    return _Strip(label, summary.n, points)


def _band(control: GapSummary | None, scale: Scale) -> tuple[float, float] | None:
    """X and width of the control arm's central 95 % by absolute gap."""
    if control is None:
        return None
    left, right = scale.at(-control.p95_absolute_gap), scale.at(control.p95_absolute_gap)
    return left, right - left
