"""`comparison.html` of several bundles."""

from __future__ import annotations

from importlib import metadata

from training.evaluation.comparison import ComparedFigure, Comparison
from training.report.html import environment
from training.report.plots import ROW, WIDTH, Range, Scale, ranges


def comparison_html(comparison: Comparison) -> str:
    """The comparison as one HTML file without outside resources."""
    differing = [f for f in comparison.figures if f.differences]
    ends = [abs(end) for f in differing for d in f.differences for end in (d.low, d.high, d.value) if end]
    largest = max([0.01, *ends])
    scale = Scale(-largest, largest, WIDTH, 3)
    return (
        environment()
        .get_template("comparison.html.j2")
        .render(
            c=comparison,
            best_of=best_of,
            version=metadata.version("evenmatch"),
            width=WIDTH,
            row=ROW,
            scale=scale,
            plots=[
                (bundle, _rows(differing, position, scale))
                for position, bundle in enumerate(comparison.bundles[1:])
            ]
            if differing
            else [],
        )
    )


def best_of(figure: ComparedFigure) -> set[int]:
    """Positions of the bundles with the best value; none where no direction is better, or all are equal."""
    known = {i: f.value for i, f in enumerate(figure.values) if f is not None and f.value is not None}
    if figure.better == "neither" or len(set(known.values())) < 2:
        return set()
    best = max(known.values()) if figure.better == "higher" else min(known.values())
    return {i for i, value in known.items() if value == best}


def _rows(figures: list[ComparedFigure], position: int, scale: Scale) -> list[Range]:
    return ranges([(f"{f.name} ({f.better})", f.differences[position]) for f in figures], scale)
