"""What a cohort changes, as JSON and as one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata

from service.core.cohort_effects import CohortEffects, Selection
from service.core.fairness.figure import Figure
from service.core.fairness.rates import ratio_text
from service.core.group_titles import attribute_title, group_title
from service.core.html import Scale
from service.reports import TEMPLATES

WIDTH = 430
"""Width of a plot's area in SVG units; names stand left of it, numbers right."""

ROW = 34
"""Height of a group's row: a bar without the cohort above one with it."""


@dataclass(frozen=True, slots=True)
class CohortSubject:
    """What was compared. Digests are those of cohort and bundle. `created`: ISO 8601 date and time, UTC.

    `warnings`: what is to be said of the cohort itself, in words.
    """

    cohort: str
    bundle: str
    version: str
    digest: str
    threshold: float
    created: str
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PostingEffect:
    """How many a posting selects without the cohort and with it. `covered`: whether its scores change."""

    job_id: str
    covered: bool
    selected_before: int
    selected_after: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate with its interval on one row, in SVG units."""

    label: str
    at: float | None
    low: float | None
    high: float | None


def cohort_json(subject: CohortSubject, effects: CohortEffects, postings: Sequence[PostingEffect]) -> str:
    """All of it: numbers and ids, no text."""
    document = {
        "cohort": subject.cohort,
        "bundle": subject.digest,
        "threshold": subject.threshold,
        **asdict(effects),
        "by_posting": [asdict(one) for one in postings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def cohort_html(subject: CohortSubject, effects: CohortEffects, postings: Sequence[PostingEffect]) -> str:
    """The report with a plot of each attribute's selection rates, sample sizes beside every number."""
    axis = Scale.even(0.0, _longest_axis(effects), WIDTH)
    return TEMPLATES.get_template("cohort.html.j2").render(
        subject=subject,
        effects=effects,
        postings=postings,
        version=metadata.version("evenmatch"),
        sides=(("without", effects.before), ("with the cohort", effects.after)),
        axis=axis,
        bars={
            attribute: [(_bar(one.rate_before, axis), _bar(one.rate_after, axis)) for one in groups]
            for attribute, groups in effects.groups.items()
        },
        width=WIDTH,
        row=ROW,
        figure=figure_text,
        number=_number,
        share=_share,
        quartiles=quartiles_text,
        group_title=group_title,
        attribute_title=attribute_title,
    )


def figure_text(figure: Figure) -> str:
    """A rate or ratio with its 95 % interval, or that there is none."""
    if figure.value is None:
        return "n/a"
    interval = figure.interval
    said = ratio_text(figure.value)
    return said if interval is None else f"{said} ({interval.low:.3f} to {interval.high:.3f})"


def quartiles_text(side: Selection) -> str:
    """Quartiles of recall by posting, or that there are none."""
    quartiles = side.recall_quartiles
    return "n/a" if quartiles is None else " / ".join(f"{value:.2f}" for value in quartiles)


def _bar(figure: Figure, axis: Scale) -> Bar:
    if figure.value is None:
        return Bar(figure_text(figure), None, None, None)
    low = high = None
    if figure.interval is not None:
        low, high = axis.at(figure.interval.low), axis.at(figure.interval.high)
    return Bar(figure_text(figure), axis.at(figure.value), low, high)


def _longest_axis(effects: CohortEffects) -> float:
    """The end of the rates' axis: what the highest interval reaches, rounded up to tenths."""
    reached = [0.05]
    for groups in effects.groups.values():
        for one in groups:
            for rate in (one.rate_before, one.rate_after):
                reached.append(rate.value or 0.0)
                if rate.interval is not None:
                    reached.append(rate.interval.high)
    return min(1.0, -(-max(reached) // 0.1) / 10)


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" + (f" ({part / whole:.1%})" if whole else "")
