"""A counterfactual audit as JSON and as one HTML file that needs nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import metadata

from service.core.counterfactual_audit.results import AuditReport, GapSummary
from service.reports.templating import template

WIDTH = 640
"""Plot width in SVG units; the labels' column is beside it."""

_ROW = 22
_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class AuditSubject:
    """What was audited. `created`: ISO 8601 date and time, UTC."""

    bundle: str
    version: str
    digest: str
    engine: str
    precision: str
    threshold: float
    job: str
    created: str


def audit_json(report: AuditReport, subject: AuditSubject) -> str:
    """The whole report as JSON: numbers and ids, no text of a resume."""
    document = {
        "evenmatch": metadata.version("evenmatch"),
        "subject": asdict(subject),
        "report": asdict(report),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def audit_html(report: AuditReport, subject: AuditSubject) -> str:
    """The report with plots: gap distributions beside the control arm, group means with intervals."""
    arms = _arms(report)
    scale = _Scale(max([summary.max_absolute_gap for _, summary in arms], default=0.0))
    return template("audit.html.j2").render(
        report=report,
        subject=subject,
        version=metadata.version("evenmatch"),
        width=WIDTH,
        row=_ROW,
        scale=scale,
        strips=[_strip(name, summary, scale) for name, summary in arms],
        band=_band(report.control, scale),
    )


class _Scale:
    """Gaps to x positions, symmetric around 0."""

    def __init__(self, largest: float) -> None:
        self.limit = largest * 1.05 or 0.001

    def x(self, gap: float) -> float:
        return round(WIDTH / 2 * (1 + gap / self.limit), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        return [
            (self.x(share * self.limit), f"{share * self.limit:+.4f}")
            for share in (-0.9, -0.45, 0, 0.45, 0.9)
        ]


@dataclass(frozen=True, slots=True)
class _Strip:
    label: str
    n: int
    points: list[tuple[float, float]]


def _arms(report: AuditReport) -> list[tuple[str, GapSummary]]:
    arms = [(f"{a.attribute}: {g.group}", g.summary) for a in report.attributes for g in a.groups]
    return [("control: benign edits", report.control), *arms] if report.control is not None else arms


def _strip(label: str, summary: GapSummary, scale: _Scale) -> _Strip:
    # Every k-th of the sorted gaps keeps the shape; heights spread points that lie on each other.
    gaps = sorted(summary.gaps)
    step = max(1, -(-len(gaps) // _MOST_POINTS))
    points = [(scale.x(gap), _ROW / 2 + ((i * 7) % 11 - 5)) for i, gap in enumerate(gaps[::step])]
    return _Strip(label, summary.n, points)


def _band(control: GapSummary | None, scale: _Scale) -> tuple[float, float] | None:
    """X and width of the control arm's central 95 % by absolute gap."""
    if control is None:
        return None
    left, right = scale.x(-control.p95_absolute_gap), scale.x(control.p95_absolute_gap)
    return left, right - left
