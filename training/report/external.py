"""An `ExternalEvaluation` as one HTML file without outside resources."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.html import Scale
from training.evaluation.external import operating_point, probabilities, ranking
from training.evaluation.external.schema import ExternalEvaluation, Figure, Interval, SystemReport
from training.evaluation.schema import Estimate
from training.report.html import TEMPLATES
from training.report.plots import HEIGHT, ROW, WIDTH, Curve, Range, ranges, reliability_line

_PLOTTED = ("roc_auc", "average_precision", "macro_average_precision")
_GROUP_FIGURES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


@dataclass(frozen=True, slots=True)
class _Plot:
    title: str
    rows: list[Range]
    scale: Scale
    zero: float | None


def external_html(found: ExternalEvaluation) -> str:
    """The report with plots: all systems, what bundles decide, probabilities, categories, errors, groups."""
    bundles = [system for system in found.systems if system.kind == "bundle"]
    return TEMPLATES.get_template("external.html.j2").render(
        e=found,
        bundles=bundles,
        first=found.systems[0],
        ranking_names=ranking.FIGURES,
        point_names=operating_point.FIGURES,
        probability_names=probabilities.FIGURES,
        group_figures=_GROUP_FIGURES,
        plots=[plot for name in _PLOTTED for plot in _plots(found, name)],
        reliabilities=[(system, _reliabilities(system)) for system in bundles],
        unit=Scale.even(0.0, 1.0, WIDTH),
        value=value_of,
        interval=interval_of,
        width=WIDTH,
        height=HEIGHT,
        row=ROW,
    )


def _plots(found: ExternalEvaluation, name: str) -> list[_Plot]:
    """A figure of every system, and how far the others are from the first bundle."""
    title = ranking.FIGURES[name]
    values = [(system.name, _estimate(system.ranking[name])) for system in found.systems]
    unit = Scale.even(0.0, 1.0, WIDTH)
    plots = [_Plot(title, ranges(values, unit), unit, None)]
    others = [(system.name, _estimate(system.differences[name])) for system in found.systems[1:]]
    ends = [abs(end) for _, of in others for end in (of.value, of.low, of.high) if end is not None]
    if ends:
        largest = max(0.01, *ends)
        scale = Scale.even(-largest, largest, WIDTH, 3)
        plots.append(_Plot(f"{title}, less {found.systems[0].name}", ranges(others, scale), scale, WIDTH / 2))
    return plots


def _reliabilities(system: SystemReport) -> list[Curve]:
    of = system.calibration
    if of is None:
        return []
    return [
        reliability_line(f"as shipped, for {of.as_shipped.prevalence:.1%}", of.as_shipped.reliability, 0),
        reliability_line(f"shifted to {of.at_prevalence.prevalence:.1%}", of.at_prevalence.reliability, 1),
    ]


def value_of(figure: Figure, decimals: int = 3) -> str:
    """The number with its interval by resumes and postings, or why there is none."""
    if figure.value is None:
        return f"not computable: {figure.reason}"
    interval = interval_of(figure.by_both, decimals)
    return f"{figure.value:.{decimals}f} ({interval})" if interval else f"{figure.value:.{decimals}f}"


def interval_of(interval: Interval | None, decimals: int = 3) -> str:
    """`0.100 to 0.150`; nothing without an interval."""
    return "" if interval is None else f"{interval.low:.{decimals}f} to {interval.high:.{decimals}f}"


def _estimate(figure: Figure) -> Estimate:
    """The figure with its interval by both, as plots take it."""
    both = figure.by_both
    return Estimate(
        value=figure.value,
        low=None if both is None else both.low,
        high=None if both is None else both.high,
        n=figure.n,
        reason=figure.reason,
    )
