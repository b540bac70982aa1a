"""Rows of the fairness dashboard: outcomes and counterfactual audits."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from dashboards import panels as p
from dashboards.panels import Query
from dashboards.variables import CHOSEN


def outcomes() -> p.Row:
    """Rates of people whose outcome is known, and their gaps beside the training report's."""
    rates = (
        (
            "True positive rate",
            "true_positive_rate",
            "Selected / people who did well. Its gap is equal opportunity's difference.",
        ),
        ("False positive rate", "false_positive_rate", "Selected / people who did not do well."),
        (
            "Precision",
            "positive_predictive_value",
            "Did well / selected. Its gap is predictive parity's difference.",
        ),
    )
    selective = (
        " Only people whose outcome was told in the last 7 days count: where outcomes are known of selected people only, "
        "this says little about the others."
    )
    return dashboard.Row("Outcomes by $attribute, last 7 days"), [
        *(
            p.lines(
                title,
                text + selective,
                Query(f'evenmatch:rate:7d{{rate="{rate}", {CHOSEN[1:]}', "{{group}}"),
                unit="percentunit",
                width=8,
                top=1,
            )
            for title, rate, text in rates
        ),
        p.lines(
            "People with an outcome",
            "By rate and group. Below 30 nothing is concluded about a group.",
            Query(
                f'evenmatch:rate_sample_size:7d{{rate!="selection_rate", {CHOSEN[1:]}', "{{rate}}: {{group}}"
            ),
            mark=p.line(30),
        ),
        p.lines(
            "Gap beyond the training report's",
            "How far each group's rate lies below the highest group's, minus the largest gap on the bundle's test data. Above "
            "the line and beyond the error of both rates is an alert. The report's own error is not counted.",
            Query(f"evenmatch:parity_excess:7d{CHOSEN}", "{{rate}}: {{group}}"),
            unit="percentunit",
            mark=p.above(0.05),
        ).min(-1),
    ]


def counterfactuals() -> p.Row:
    """Flips and gaps when one attribute of a resume changes, beside those of edits without meaning."""
    audits = '{redact!="false"}'
    mean = "sum by (attribute) (increase(evenmatch_counterfactual_score_gap_%s" + audits + "[7d]))"
    return dashboard.Row("Counterfactual audits, last 7 days"), [
        p.lines(
            "Decisions that flip",
            "Share of pairs decided differently when one attribute of a resume changes. control: edits without meaning, the "
            "noise floor; only what exceeds it counts. Audits with redaction switched off are left out.",
            Query("evenmatch:flip_rate:7d", "{{attribute}}"),
            unit="percentunit",
            width=8,
        ),
        p.lines(
            "Mean absolute gap",
            "Of raw_score between a variant and its reference. It shrinks when all scores move together, so read flips with it.",
            Query(f"{mean % 'sum'} / ({mean % 'count'} > 0)", "{{attribute}}"),
            width=8,
        ),
        p.lines(
            "Pairs",
            "Of a resume and its variant. Below the line (30 resumes with 8 variants each) nothing is concluded.",
            Query("evenmatch:counterfactual_pairs:7d", "{{attribute}}"),
            width=8,
            mark=p.line(240),
        ),
    ]
