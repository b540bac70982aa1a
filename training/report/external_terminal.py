"""An evaluation on data from elsewhere as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from service.core.printable import one_line, shortened
from training.evaluation.external import operating_point, probabilities, ranking
from training.evaluation.external.schema import (
    ExternalAttribute,
    ExternalEvaluation,
    Figure,
    Interval,
    SystemReport,
)

_SHOWN_ERRORS = 10
_SHOWN_CATEGORIES = 40
_GROUP_FIGURES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


def external_tables(found: ExternalEvaluation) -> list[Table]:
    """All systems side by side, then of each bundle decisions, probabilities, categories, groups, errors."""
    data = found.data
    pooled = [name for name in ranking.FIGURES if name in ranking.POOLED]
    by_posting = [name for name in ranking.FIGURES if name not in ranking.POOLED]
    first, *others = found.systems
    tables = [
        *(_systems(found.systems, names) for names in (pooled, by_posting)),
        *(_differences(first.name, others, names) for names in (pooled, by_posting)),
        _intervals(first),
        _operating(
            f"one threshold at precision {found.precision:g}, chosen on these labels",
            [(system.name, system.at_precision.figures) for system in found.systems if system.at_precision],
        ),
    ]
    bundles = [system for system in found.systems if system.kind == "bundle"]
    tables.append(
        _operating(
            "at the bundle's threshold",
            [
                (f"{system.name}, {system.at_threshold.threshold:.4f}", system.at_threshold.figures)
                for system in bundles
                if system.at_threshold
            ],
        )
    )
    tables += [_calibration(system) for system in bundles if system.calibration is not None]
    for system in bundles:
        if system.categories:
            tables.append(_categories(system))
        tables += [_groups(system, attribute) for attribute in system.groups]
    tables += [_errors(found.systems[0], kind) for kind in ("missed", "false") if found.systems[0].errors]
    tables[0].title = (
        f"{data.pairs:,} pairs, {data.matches:,} matches ({data.matches / data.pairs:.1%}), "
        f"{data.resumes:,} resumes, {data.postings:,} postings; redaction {'on' if found.redact else 'off'}; "
        "95 % intervals over resumes and postings"
    )
    return [table for table in tables if table.row_count]


def _systems(systems: Sequence[SystemReport], names: Sequence[str]) -> Table:
    table = _table("means over postings", "scores", *names)
    for system in systems:
        table.add_row(one_line(system.name), *(figure_text(system.ranking[name]) for name in names))
    table.add_row("n", *(f"{systems[0].ranking[name].n:,}" for name in names))
    return table


def _differences(first: str, others: Sequence[SystemReport], names: Sequence[str]) -> Table:
    table = _table(f"less {one_line(first)}, on the same resamples", "scores", *names)
    for system in others:
        table.add_row(
            one_line(system.name), *(figure_text(system.differences[name], signed=True) for name in names)
        )
    return table


def _intervals(system: SystemReport) -> Table:
    table = _table(
        f"{one_line(system.name)}, intervals by what is drawn",
        "figure",
        "value",
        "resumes",
        "postings",
        "both",
    )
    for key, name in ranking.FIGURES.items():
        of = system.ranking[key]
        if of.value is not None:
            ways = (interval_text(way).strip(" ()") for way in (of.by_resume, of.by_posting, of.by_both))
            table.add_row(name, f"{of.value:.3f}", *ways)
    return table


def _operating(title: str, points: Sequence[tuple[str, Mapping[str, Figure]]]) -> Table:
    table = _table(title, "figure", *(one_line(name) for name, _ in points), "n")
    if points:
        for key, name in operating_point.FIGURES.items():
            counts = key == "postings_without_selection"
            cells = [figure_text(figures[key], 0 if counts else 3) for _, figures in points]
            table.add_row(name, *cells, f"{points[0][1][key].n:,}")
    return table


def _calibration(system: SystemReport) -> Table:
    of = system.calibration
    assert of is not None
    table = _table(
        f"probabilities of {one_line(system.name)}",
        "figure",
        f"as shipped, for {of.as_shipped.prevalence:.1%} matches",
        f"shifted to {of.at_prevalence.prevalence:.1%}",
    )
    for key, name in probabilities.FIGURES.items():
        cells = [figure_text(part.figures[key], 4) for part in (of.as_shipped, of.at_prevalence)]
        table.add_row(name, *cells)
    for shipped, shifted in zip(of.as_shipped.reliability, of.at_prevalence.reliability, strict=True):
        cells = [
            "-"
            if bin_.mean_probability is None or bin_.match_rate is None
            else f"said {bin_.mean_probability:.3f}, matched {bin_.match_rate:.3f} of {bin_.n:,}"
            for bin_ in (shipped, shifted)
        ]
        table.add_row(f"  {shipped.low:.1f} to {shipped.high:.1f}", *cells)
    return table


def _categories(system: SystemReport) -> Table:
    table = _table(
        f"by category of the posting, {one_line(system.name)}",
        "category",
        "postings",
        "resumes",
        "matches",
        "pairs",
        "roc_auc",
        "average_precision",
    )
    for of in system.categories[:_SHOWN_CATEGORIES]:
        counts = (f"{n:,}" for n in (of.postings, of.resumes, of.matches, of.pairs))
        table.add_row(
            one_line(shortened(of.category, 40)),
            *counts,
            figure_text(of.roc_auc),
            figure_text(of.average_precision),
        )
    return table


def _groups(system: SystemReport, attribute: ExternalAttribute) -> Table:
    title = f"{one_line(attribute.attribute)}, {one_line(system.name)} at its threshold"
    table = _table(title, "group", "pairs", "resumes", "matches", *_GROUP_FIGURES)
    for group in attribute.groups:
        counts = (f"{n:,}" for n in (group.pairs, group.resumes, group.matches))
        figures = (figure_text(group.figures[name]) for name in _GROUP_FIGURES)
        table.add_row(one_line(group.group), *counts, *figures)
    return table


def _errors(system: SystemReport, kind: str) -> Table:
    titles = {"missed": "matches of the lowest probability", "false": "others of the highest probability"}
    table = _table(
        f"{titles[kind]}, {one_line(system.name)}",
        "resume",
        "of",
        "posting",
        "of",
        "raw_score",
        "probability",
        "rank",
    )
    for error in [error for error in system.errors if error.kind == kind][:_SHOWN_ERRORS]:
        table.add_row(
            one_line(shortened(error.resume_id, 40)),
            one_line(shortened("; ".join(error.resume_categories), 40)),
            one_line(shortened(error.posting_id, 40)),
            one_line(shortened("; ".join(error.posting_categories), 40)),
            f"{error.raw_score:.4f}",
            f"{error.calibrated_probability:.4f}",
            f"{error.rank:,} of {error.candidates:,}",
        )
    return table


def figure_text(figure: Figure, decimals: int = 3, *, signed: bool = False) -> str:
    """`0.123 (0.100 to 0.150)` by resumes and postings, or why there is no number."""
    if figure.value is None:
        return f"not computable: {figure.reason}"
    sign = "+" if signed else ""
    return f"{figure.value:{sign}.{decimals}f}{interval_text(figure.by_both, decimals, signed=signed)}"


def interval_text(interval: Interval | None, decimals: int = 3, *, signed: bool = False) -> str:
    """` (0.100 to 0.150)`; nothing without an interval."""
    if interval is None:
        return ""
    sign = "+" if signed else ""
    return f" ({interval.low:{sign}.{decimals}f} to {interval.high:{sign}.{decimals}f})"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
