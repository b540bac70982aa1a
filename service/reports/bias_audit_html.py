"""A bias audit as one HTML file that needs nothing else. Positions are computed here; the template draws."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from service.core.fairness.comparison import AttributeComparison, GroupRate, GroupSize, RateComparison
from service.core.fairness.figure import Figure, number_text, percent_text
from service.core.fairness.rates import ratio_text
from service.core.fairness.statistics import Interval
from service.core.group_titles import attribute_title, group_title
from service.core.html import Scale
from service.reports import TEMPLATES
from service.reports.bias_audit import BiasAudit, conclusion

WIDTH = 430
"""Width of a plot's area in SVG units; names stand left of it, numbers right."""

ROW = 24


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval on one row. `cut`: the interval goes on beyond the plot."""

    group: str
    text: str
    at: float | None
    low: float | None
    high: float | None
    cut: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, ready to print."""

    size: GroupSize
    result: GroupRate
    counted: str
    rate: str
    impact_ratio: str
    conclusion: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class RateView:
    comparison: RateComparison
    rows: list[Row]
    rate_axis: Scale
    rates: list[Mark]
    ratio_axis: Scale
    ratios: list[Mark]


@dataclass(frozen=True, slots=True)
class AttributeView:
    comparison: AttributeComparison
    empty: list[str]
    left_out: list[Row]
    rates: list[RateView]
    differences: list[tuple[list[str], str]]


def bias_audit_html(audit: BiasAudit) -> str:
    """The report with plots of rates and of impact ratios, sample sizes beside every number."""
    return TEMPLATES.get_template("bias_audit.html.j2").render(
        audit=audit,
        version=metadata.version("evenmatch"),
        attributes=[_attribute(attribute, audit.options.minimum) for attribute in audit.attributes],
        percent=percent_text,
        group_title=group_title,
        attribute_title=attribute_title,
        width=WIDTH,
        row=ROW,
    )


def figure_text(figure: Figure) -> str:
    """`0.123 (0.100 to 0.150)`, or why there is no number."""
    if figure.value is None:
        return f"not computable: {figure.reason.text}" if figure.reason else "not computable"
    interval = "" if figure.interval is None else f" ({_interval_text(figure.interval)})"
    return f"{ratio_text(figure.value)}{interval}"


def _attribute(attribute: AttributeComparison, minimum: int) -> AttributeView:
    views = [_rates(attribute, comparison, minimum) for comparison in attribute.rates]
    return AttributeView(
        comparison=attribute,
        empty=[group_title(size.group) for size in attribute.groups if size.n == 0],
        left_out=[row for row in views[0].rows if row.size.left_out],
        rates=views,
        differences=_differences(attribute),
    )


def _rates(attribute: AttributeComparison, comparison: RateComparison, minimum: int) -> RateView:
    rows = [
        _row(comparison, size, result)
        for size, result in zip(attribute.groups, comparison.groups, strict=True)
        if size.n
    ]
    rate_axis = _rate_axis(rows, minimum)
    ratio_axis = _ratio_axis([row.result.impact_ratio for row in rows])
    return RateView(
        comparison=comparison,
        rows=rows,
        rate_axis=rate_axis,
        rates=[_mark(row, row.result.rate, f"{row.rate}, {row.counted}", rate_axis) for row in rows],
        ratio_axis=ratio_axis,
        ratios=[
            _mark(row, row.result.impact_ratio, f"{row.impact_ratio}, {_sizes(comparison, row)}", ratio_axis)
            for row in rows
        ],
    )


def _row(comparison: RateComparison, size: GroupSize, result: GroupRate) -> Row:
    concluded = conclusion(comparison, result)
    share = result.share
    return Row(
        size=size,
        result=result,
        counted=f"{share.count:,} of {share.n:,}",
        rate=figure_text(result.rate),
        impact_ratio=_ratio(comparison, result, concluded),
        conclusion=concluded,
        flagged=result.finding is not None and result.finding.adverse_impact,
    )


def _ratio(comparison: RateComparison, result: GroupRate, concluded: str) -> str:
    if result.impact_ratio.value is None:
        return concluded
    return "1 (highest rate)" if result.group == comparison.reference else figure_text(result.impact_ratio)


def _differences(attribute: AttributeComparison) -> list[tuple[list[str], str]]:
    """Names and what is said of them; those that cannot be computed for the same reason stand together."""
    said: dict[str, list[str]] = {}
    for name, figure in attribute.differences.items():
        text = figure_text(figure)
        if figure.value is not None:
            text += f", n = {figure.n:,}"
        if figure.left_out:
            left_out = (f"{group_title(group)} ({n:,})" for group, n in figure.left_out.items())
            text += f"; left out: {', '.join(left_out)}"
        said.setdefault(text, []).append(name)
    return [(names, text) for text, names in said.items()]


def _sizes(comparison: RateComparison, row: Row) -> str:
    """How many people a ratio stands on: those of the group, and those of the reference."""
    own = f"n = {row.result.share.n:,}"
    if row.result.impact_ratio.value is None or row.size.group == comparison.reference:
        return own
    reference = next(other for other in comparison.groups if other.group == comparison.reference)
    return f"{own} against {reference.share.n:,}"


def _mark(row: Row, figure: Figure, text: str, axis: Scale) -> Mark:
    interval = figure.interval
    return Mark(
        group=group_title(row.size.group),
        text=text,
        at=None if figure.value is None else axis.at(figure.value),
        low=None if interval is None else axis.at(interval.low),
        high=None if interval is None else axis.at(interval.high),
        cut=interval is not None and interval.high > axis.high,
        flagged=row.flagged,
    )


def _rate_axis(rows: list[Row], minimum: int) -> Scale:
    """All rates are inside; the wide intervals of a few people may go on beyond."""
    ends = [row.result.rate.value or 0.0 for row in rows]
    told = [row for row in rows if row.result.share.n >= minimum] or rows
    ends += [row.result.rate.interval.high for row in told if row.result.rate.interval is not None]
    high = max(ends, default=1.0)
    return next(
        _axis(end, 5) for end in (0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0) if high <= end or end == 1.0
    )


def _ratio_axis(ratios: list[Figure]) -> Scale:
    """0.8 is always a tick, and 1 always inside."""
    high = max([ratio.interval.high for ratio in ratios if ratio.interval is not None], default=1.0)
    return next(_axis(end, round(end / 0.2)) for end in (1.2, 1.6, 2.0) if high <= end or end == 2.0)


def _axis(high: float, steps: int) -> Scale:
    return Scale(0.0, high, WIDTH, tuple(i * (high / steps) for i in range(steps + 1)), _tick_text)


def _tick_text(value: float) -> str:
    text = f"{value:.4f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def _interval_text(interval: Interval) -> str:
    return f"{number_text(interval.low)} to {number_text(interval.high)}"
