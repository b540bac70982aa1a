"""A counterfactual audit as a value, a table and a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenmatch.frames import data_frame
from service.core.counterfactual_audit.results import CounterfactualReport, GapSummary
from service.core.errors import InputError
from service.core.files import write_private
from service.core.group_titles import attribute_title, group_title
from service.reports.counterfactual_audit import (
    CounterfactualSubject,
    counterfactual_audit_html,
    counterfactual_audit_json,
)

_COLUMNS = [
    "attribute", "group", "n", "mean_gap", "low", "high", "mean_absolute_gap", "flips", "flip_rate",
    "effect_size", "adjusted_p_value", "beyond_noise", "top_share",
]  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """What the scores of some resumes depend on. It holds numbers and ids, no text.

    Attributes:
        report: Everything that was found; gaps are `raw_score` of a variant less that of its reference.
        subject: Bundle, engine and job.
    """

    report: CounterfactualReport
    subject: CounterfactualSubject

    @property
    def findings(self) -> list[str]:
        """What it comes to, as sentences with sample sizes."""
        return list(self.report.findings)

    def to_frame(self) -> Any:
        """A pandas DataFrame with a row for each group, the control arm of benign edits first.

        `mean_gap` with its 95 % interval `low` to `high`; `adjusted_p_value` (Holm) of gaps beyond those of
        the control arm; `top_share`: how often the group's variant scored highest of its set.
        """
        rows = []
        if self.report.control is not None:
            rows.append({"attribute": "control", "group": "benign edits", **_of(self.report.control)})
        for attribute in self.report.attributes:
            for group in attribute.groups:
                rows.append(
                    {
                        "attribute": attribute_title(attribute.attribute),
                        "group": group_title(group.group),
                        **_of(group.summary),
                        "effect_size": group.effect_size,
                        "adjusted_p_value": group.adjusted_p_value,
                        "beyond_noise": group.beyond_noise,
                        "top_share": group.top_share,
                    }
                )
        return data_frame(rows, _COLUMNS)

    def to_json(self) -> str:
        """The whole report as JSON."""
        return counterfactual_audit_json(self.report, self.subject)

    def to_html(self) -> str:
        """The report with plots, one HTML file that needs nothing else."""
        return counterfactual_audit_html(self.report, self.subject)

    def save(self, path: str | Path) -> Path:
        """Write the report, readable by its owner only: HTML or JSON, by the ending of `path`."""
        return save_report(path, html=self.to_html, json=self.to_json)


def save_report(path: str | Path, **made_by: Any) -> Path:
    """Write what the function of the file's ending makes. Raises `InputError` for another ending."""
    file = Path(path)
    make = made_by.get(file.suffix.lower().lstrip("."))
    if make is None:
        endings = " or ".join(f".{kind}" for kind in made_by)
        raise InputError(f"{file} must end in {endings}", field="path")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, make())
    return file


def _of(summary: GapSummary) -> dict[str, Any]:
    interval = summary.mean_interval
    return {
        "n": summary.n,
        "mean_gap": summary.mean_gap,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "mean_absolute_gap": summary.mean_absolute_gap,
        "flips": summary.flips,
        "flip_rate": summary.flip_rate,
    }
