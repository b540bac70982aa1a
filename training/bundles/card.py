"""The README.md of a bundle that was evaluated: every figure with its sample size and interval."""

from __future__ import annotations

import html
from collections.abc import Mapping

from service.core.calibration import Calibration
from service.core.manifest import Manifest
from training.evaluation.schema import AuditSummary, Evaluation, Figure, Judgement
from training.report.plots import value_text

_INTENDED_USE = """\
To support a person who compares resumes with a job. A score is a recommendation; it must not reject anybody
by itself. Not for decisions without such a person, and not for text other than resumes and postings."""

_LIMITS = """\
Figures hold for data like those above: other occupations, languages, names and layouts may show others. A
difference that was not found may still be there, above all in small groups. Groups behind names and schools
are those of lists of the United States and the United Kingdom. Plots and all figures:
`fairness_report.html`, `metrics.json`."""


def evaluated_model_card(
    manifest: Manifest, calibration: Calibration, evaluation: Evaluation, *, training: str
) -> str:
    """Markdown. `training` says in a sentence or two what was trained, on what, and how to repeat it."""
    base, subject, data = manifest.base_model, evaluation.subject, evaluation.data
    kind = "with a LoRA adapter (PEFT)" if manifest.has_adapter else "without an adapter"
    lines = [
        f"# {subject.bundle} {subject.version}",
        "",
        f"The encoder `{base.id}` ({base.dimensions} dimensions, {manifest.pooling} pooling) {kind}, for "
        "resume-to-job matching by late interaction over passages.",
        *_section("Intended use", _INTENDED_USE),
        *_section("Training", training),
        *_section(
            "Evaluation data",
            f"{_plain(data.description)}. {data.pairs:,} pairs of {data.jobs:,} jobs and {data.resumes:,} "
            f"resumes, {evaluation.judgements[0].matches:,} matches; redaction "
            f"{'on' if subject.redact else 'off'}. Brackets hold 95 % intervals from "
            f"{evaluation.rounds:,} bootstrap resamples of jobs.",
        ),
        *_section(
            "Calibration and threshold",
            f"Method {calibration.method}, fitted on {calibration.pairs:,} pairs, of which "
            f"{100 * calibration.prevalence:.0f} % match: probabilities hold for pools with that share. One "
            f"threshold, {subject.threshold:.4f}, for everybody. Constraint: {_plain(subject.constraint)}.",
        ),
    ]
    for judgement in evaluation.judgements:
        lines += _judgement(judgement, evaluation.minimum)
    for audit in evaluation.audits:
        lines += _audit(audit)
    for name, shift in evaluation.shifts.items():
        lines += [*_section(f"Counterfactual pairs: {name.replace('_', ' ')}"), *_table(shift.figures, 4)]
    if evaluation.notes:
        lines += [*_section("Notes"), *(f"- {_plain(note)}" for note in evaluation.notes)]
    lines += _section("Limits", _LIMITS)
    return "\n".join(lines) + "\n"


def _section(title: str, text: str = "") -> list[str]:
    return ["", f"## {title}", "", *([text] if text else [])]


def _plain(text: str) -> str:
    """Names of groups and files as they are: they must not become markup, or another cell of a table."""
    return html.escape(" ".join(text.split()), quote=False).replace("|", r"\|")


def _table(figures: Mapping[str, Figure], decimals: int = 3) -> list[str]:
    rows = [f"| {name} | {_plain(value_text(of, decimals))} | {of.n:,} |" for name, of in figures.items()]
    return ["| figure | value | n |", "|---|---|---|", *rows]


def _judgement(judgement: Judgement, minimum: int) -> list[str]:
    lines = [*_section(f"Utility against {judgement.labels} labels"), *_table(judgement.utility)]
    lines += _section(f"Differences between groups against {judgement.labels} labels")
    if not judgement.attributes:
        return [*lines, "No groups were known in these data: nothing can be said about differences."]
    lines.append(
        f"Groups take part in a rate that stands on {minimum} of their pairs. Chance alone makes a "
        "difference positive, in resamples even more so: an interval can lie above its value."
    )
    for attribute in judgement.attributes:
        figures = attribute.differences | {
            "fairness_score": attribute.fairness_score,
            "balanced_fairness_score": attribute.balanced_fairness_score,
        }
        lines += ["", f"### {_plain(attribute.attribute)}", "", *_table(figures), ""]
        lines.append(
            "| group | pairs | selection_rate | true positive rate | calibration error | "
            "share of first places over share of candidates |"
        )
        lines.append("|---|---|---|---|---|---|")
        for group in attribute.groups:
            shown = [group.figures[key] for key in ("selection_rate", "true_positive_rate", "ece")]
            shown.append(group.exposure["top_1_ratio"])
            cells = [_plain(value_text(of)) for of in shown]
            lines.append(f"| {_plain(group.group)} | {group.pairs:,} | {' | '.join(cells)} |")
    return lines


def _audit(audit: AuditSummary) -> list[str]:
    lines = [
        *_section(
            f"Counterfactual audit, redaction {'on' if audit.redact else 'off'}",
            f"{audit.resumes:,} resumes of {audit.jobs:,} jobs; intervals are drawn over resumes.",
        ),
        "",
        "| attribute | group | n | mean shift | p95 | shift / sd | flip_rate | beyond benign edits |",
        "|---|---|---|---|---|---|---|---|",
    ]
    arms = [(a.attribute, group) for a in audit.attributes for group in a.groups]
    if audit.control is not None:
        arms = [("benign edits", audit.control), *arms]
    for attribute, arm in arms:
        keys = ("mean_shift", "p95_shift", "shift_over_sd", "flip_rate")
        cells = [_plain(value_text(arm.figures[key], 4)) for key in keys]
        lines.append(
            f"| {attribute} | {arm.group} | {arm.figures['mean_shift'].n:,} | {' | '.join(cells)} | "
            f"{'yes' if arm.beyond_noise else 'no'} |"
        )
    lines.append("")
    for a in audit.attributes:
        ratio = value_text(a.min_max_ratio)
        lines.append(f"- {a.attribute}: first places, lowest share / highest share {ratio}, {a.sets:,} sets")
    return lines
