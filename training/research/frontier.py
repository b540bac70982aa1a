"""Arms of an ablation as points: what each gains in utility against what it leaves of a gap, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.core.html import Scale
from training.evaluation.schema import Estimate
from training.report.html import TEMPLATES

_WIDTH, _HEIGHT = 460, 320


@dataclass(frozen=True, slots=True)
class Point:
    """Positions in SVG units: the value, and the ends of its interval in both directions."""

    label: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float


def frontier_svg(
    arms: Sequence[tuple[str, Estimate, Estimate]], *, title: str, x_label: str, y_label: str
) -> str:
    """`arms`: label, figure along x, figure along y. An arm of which one is not computable is left out."""
    known = [(label, x, y) for label, x, y in arms if x.value is not None and y.value is not None]
    horizontal, vertical = _scale([x for _, x, _ in known], _WIDTH), _scale([y for _, _, y in known], _HEIGHT)
    points = []
    for label, x, y in known:
        left, middle, right = _ends(x, horizontal)
        bottom, centre, top = (_HEIGHT - at for at in _ends(y, vertical))
        points.append(Point(label, middle, left, right, centre, top, bottom))
    return TEMPLATES.get_template("frontier.svg.j2").render(
        points=points,
        x=horizontal,
        y=vertical,
        width=_WIDTH,
        height=_HEIGHT,
        title=title,
        x_label=x_label,
        y_label=y_label,
    )


def _scale(figures: Sequence[Estimate], length: float) -> Scale:
    ends = [end for f in figures for end in (f.low, f.value, f.high) if end is not None] or [0.0, 1.0]
    low, high = min(ends), max(ends)
    margin = 0.05 * (high - low) or 0.01
    return Scale.even(low - margin, high + margin, length, 3)


def _ends(figure: Estimate, scale: Scale) -> tuple[float, float, float]:
    """Positions of the interval's lower end, the value and the upper end; all the same without one."""
    assert figure.value is not None
    low = figure.value if figure.low is None else figure.low
    high = figure.value if figure.high is None else figure.high
    return scale.at(low), scale.at(figure.value), scale.at(high)
