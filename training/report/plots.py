"""Numbers to positions in SVG. Templates draw; nothing is computed in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.core.html import Scale
from training.evaluation.schema import Estimate, ReliabilityBin

WIDTH, HEIGHT = 520, 200
"""Size of a plot's area in SVG units, without its axes."""

ROW = 24

GROUP_COLOURS = 8
"""How many colours the style sheet has; groups beyond it repeat them with other dashes."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot as SVG `points`, with its legend and the number of its colour."""

    label: str
    n: int
    points: str
    colour: int


@dataclass(frozen=True, slots=True)
class Range:
    """A value with its interval on one row; `text` stands beside it."""

    label: str
    text: str
    n: int
    at: float | None
    low: float | None
    high: float | None


def scale_of(edges: Sequence[float], decimals: int = 2) -> Scale:
    """The horizontal scale of a histogram."""
    return Scale.even(edges[0], edges[-1], WIDTH, decimals)


def density_lines(arms: Sequence[tuple[str, Sequence[int]]]) -> list[Curve]:
    """Histograms of different sizes as outlines of equal area, the highest peak filling the height."""
    counted = [(label, counts, sum(counts)) for label, counts in arms if sum(counts)]
    peak = max((max(counts) / total for _, counts, total in counted), default=1.0)
    lines = []
    for number, (label, counts, total) in enumerate(counted):
        width = WIDTH / len(counts)
        corners = []
        for i, count in enumerate(counts):
            y = round(HEIGHT * (1 - count / total / peak), 1)
            corners += [f"{i * width:.1f},{y}", f"{(i + 1) * width:.1f},{y}"]
        lines.append(Curve(label, total, " ".join(corners), number % GROUP_COLOURS))
    return lines


def reliability_line(label: str, bins: Sequence[ReliabilityBin], colour: int) -> Curve:
    """Match rate over mean calibrated_probability of the bins that hold ten pairs or more."""
    points = [
        f"{b.mean_probability * WIDTH:.1f},{(1 - b.match_rate) * HEIGHT:.1f}"
        for b in bins
        if b.n >= 10 and b.mean_probability is not None and b.match_rate is not None
    ]
    return Curve(label, sum(b.n for b in bins), " ".join(points), colour % GROUP_COLOURS)


def ranges(figures: Sequence[tuple[str, Estimate]], scale: Scale) -> list[Range]:
    """One row a figure; why one cannot be computed is too long for a plot and belongs below it."""
    return [
        Range(
            label,
            "not computable" if f.value is None else value_text(f),
            f.n,
            None if f.value is None else scale.at(f.value),
            None if f.low is None else scale.at(f.low),
            None if f.high is None else scale.at(f.high),
        )
        for label, f in figures
    ]


def upper_limit(figures: Sequence[Estimate], floor: float) -> float:
    """The largest value or end of an interval, `floor` at least."""
    ends = [end for f in figures for end in (f.value, f.high) if end is not None]
    return max([floor, *ends])


def value_text(figure: Estimate, decimals: int = 3) -> str:
    """`0.123 (0.100 to 0.150)`, or why there is no number."""
    if figure.value is None:
        return f"not computable: {figure.reason}"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.{decimals}f}"
    return f"{figure.value:.{decimals}f} ({figure.low:.{decimals}f} to {figure.high:.{decimals}f})"
