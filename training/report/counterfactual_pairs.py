"""A `PairsReport` as one HTML file without outside resources."""

from __future__ import annotations

from service.core.html import Scale
from training.evaluation.schema import PairsReport
from training.report.html import TEMPLATES
from training.report.plots import HEIGHT, ROW, WIDTH, density_lines, ranges, scale_of, upper_limit

_SCORES = {
    "mean_shift": "mean |shift|",
    "p95_shift": "95th percentile of |shift|",
    "max_shift": "largest |shift|",
    "mean_signed_shift": "mean shift, signed",
    "shift_over_sd": "mean |shift| / sd of the original scores",
}
_FLIPS = {
    "flip_rate": "at the threshold",
    "flip_rate_top_tenth": "at the top tenth of all scores",
    "flip_rate_top_tenth_per_job": "at the top tenth of each job",
}


def counterfactual_pairs_html(report: PairsReport) -> str:
    """The report with plots: how far scores move, and which decisions flip."""
    decided = [(words, report.figures[name]) for name, words in _FLIPS.items() if name in report.figures]
    shares = Scale.even(0.0, min(1.0, upper_limit([figure for _, figure in decided], 0.1)), WIDTH)
    scale = scale_of(report.shift_edges, 3)
    return TEMPLATES.get_template("counterfactual_pairs.html.j2").render(
        r=report,
        width=WIDTH,
        height=HEIGHT,
        row=ROW,
        scores=[(words, report.figures[name]) for name, words in _SCORES.items()],
        lines=density_lines([("shift", report.shift_histogram)]),
        scale=scale,
        zero=scale.at(0.0),
        flips=ranges(decided, shares),
        shares=shares,
        decided=decided,
    )
