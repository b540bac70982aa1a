"""A `RedactionReport` as one HTML file without outside resources."""

from __future__ import annotations

from service.core.html import Scale
from training.evaluation.redaction.schema import GroupedRecall, RedactionReport
from training.evaluation.schema import DecisionEffect, Estimate
from training.report.html import TEMPLATES
from training.report.plots import ROW, WIDTH, Range, ranges

_EFFECTS = (
    ("differ", "decided differently"),
    ("lost", "selected by the first text only"),
    ("gained", "selected by ours only"),
)


def redaction_html(report: RedactionReport) -> str:
    """The report with plots: recall by category and by group of names, words lost, decisions."""
    shares = [of.whole for of in report.recall.values()]
    grouped = [_share(g.share, g.low, g.high, g.n) for of in report.groups for g in of.groups]
    recall = _upper_scale([*shares, *grouped])
    lost = report.words_lost
    highest = [
        end
        for e in (lost.work, lost.share, *lost.by_label.values())
        for end in (e.value, e.high)
        if end is not None
    ]
    losses = Scale.even(0.0, max([0.01, *highest]), WIDTH, 3)
    return TEMPLATES.get_template("redaction_report.html.j2").render(
        r=report,
        width=WIDTH,
        row=ROW,
        recall_scale=recall,
        recall_rows=ranges([(c, of.whole) for c, of in report.recall.items()], recall),
        groups=[(grouped, _group_rows(grouped, recall)) for grouped in report.groups],
        lost_scale=losses,
        lost_rows=ranges(
            [
                ("work: skills, tools, titles, employers", lost.work),
                ("all that must stay", lost.share),
                *lost.by_label.items(),
            ],
            losses,
        ),
        effects=_EFFECTS,
        compared=_compared(report),
    )


def _compared(report: RedactionReport) -> list[tuple[str, DecisionEffect]]:
    if report.decisions is None:
        return []
    return [
        ("bare text", report.decisions.against_bare),
        ("exactly the annotated clues hidden", report.decisions.against_annotation),
        (
            "annotated clues hidden, and ours of categories that the data does not annotate",
            report.decisions.against_completed_annotation,
        ),
    ]


def _group_rows(grouped: GroupedRecall, scale: Scale) -> list[Range]:
    figures = [(g.group.replace("_", " "), _share(g.share, g.low, g.high, g.n)) for g in grouped.groups]
    return ranges(figures, scale)


def _share(value: float, low: float, high: float, n: int) -> Estimate:
    return Estimate(value=value, low=low, high=high, n=n)


def _upper_scale(figures: list[Estimate]) -> Scale:
    """From below the lowest value or end of an interval, by tenths, up to 1."""
    ends = [end for f in figures for end in (f.value, f.low) if end is not None]
    lowest = min([0.9, *ends])
    return Scale.even(int(lowest * 10) / 10, 1.0, WIDTH)
