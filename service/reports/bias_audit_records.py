"""A bias audit as JSON and as CSV, which hold the same records, and records of rates that need outcomes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from importlib import metadata

from service.core.fairness.comparison import AttributeComparison, GroupRate, GroupSize, RateComparison
from service.core.fairness.counts import OutcomeCounts, Share
from service.core.fairness.figure import Figure, Reason, not_computable
from service.core.fairness.rates import FOUR_FIFTHS, wilson_interval
from service.core.fairness.statistics import CONFIDENCE
from service.core.group_titles import attribute_title, group_title
from service.core.groups import UNKNOWN
from service.reports.bias_audit import BiasAudit

SCHEMA_VERSION = 1
"""Grows when a field changes its meaning or goes; new fields may come without."""

Value = str | int | float | bool | None
Record = dict[str, Value]


def bias_audit_json(audit: BiasAudit) -> str:
    """The whole report. Codes of reasons are those of `service.core.fairness.figure.Reason`."""
    statement, data = audit.statement, audit.data
    document = {
        "schema_version": SCHEMA_VERSION,
        "evenmatch": metadata.version("evenmatch"),
        "title": statement.title,
        "created": audit.created.isoformat(timespec="seconds"),
        "distribution_date": _day(statement.distribution_date),
        "data": {
            "source": statement.source,
            "explanation": statement.explanation,
            "people": data.people,
            "first_decision": _day(data.first_decision),
            "last_decision": _day(data.last_decision),
            "without_time": data.without_time,
            "scored": data.scored,
            "median_score": data.median_score,
            "window": None
            if data.window is None
            else {"from": data.window[0].isoformat(), "to": data.window[1].isoformat()},
            "bundles": dict(data.bundles),
            "ground_truth": data.ground_truth,
        },
        "method": {
            "confidence": CONFIDENCE,
            "alpha": audit.options.alpha,
            "minimum": audit.options.minimum,
            "four_fifths": float(FOUR_FIFTHS),
            "small_share": audit.options.small_share,
            "small_groups_left_out": audit.options.leave_out_small,
            "justification": audit.justification,
        },
        "findings": audit.findings,
        "attributes": [attribute_record(attribute) for attribute in audit.attributes],
        "limitations": audit.limitations,
        "citations": list(statement.citations),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def bias_audit_csv(audit: BiasAudit) -> str:
    """One row for each attribute and group, `unknown` included."""
    rows = [row for attribute in audit.attributes for row in _rows(attribute)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _rows(attribute: AttributeComparison) -> Iterator[Record]:
    columns: list[str] = []
    for size, selection, scoring in _grouped(attribute):
        row: Record = {
            "schema_version": SCHEMA_VERSION,
            "attribute": attribute.attribute,
            **_size(size),
            **_prefixed(attribute.selection, selection),
            **_prefixed(attribute.scoring, scoring),
        }
        columns = list(row)
        yield row
    row = dict.fromkeys(columns)
    yield {
        **row,
        "schema_version": SCHEMA_VERSION,
        "attribute": attribute.attribute,
        "group": UNKNOWN,
        "people": attribute.unknown,
    }


def _prefixed(comparison: RateComparison, result: GroupRate) -> Record:
    record = {
        "reference": comparison.reference,
        "tested_against": comparison.tested_against,
        **_result(result),
    }
    return {f"{comparison.kind}_{name}": value for name, value in record.items()}


def attribute_record(attribute: AttributeComparison) -> dict[str, object]:
    """One attribute with its groups, as reports and the API show it."""
    return {
        "attribute": attribute.attribute,
        "label": attribute_title(attribute.attribute),
        "people": attribute.people,
        "unknown": attribute.unknown,
        **{
            str(comparison.kind): {
                "reference": comparison.reference,
                "tested_against": comparison.tested_against,
                "reason": comparison.reason,
            }
            for comparison in attribute.rates
        },
        "groups": [
            {
                **_size(size),
                "label": group_title(size.group),
                "selection": _result(selection),
                "scoring": _result(scoring),
            }
            for size, selection, scoring in _grouped(attribute)
        ],
        "differences": {
            name: {**figure_record(figure), "left_out": dict(figure.left_out)}
            for name, figure in attribute.differences.items()
        },
    }


def _grouped(attribute: AttributeComparison) -> Iterator[tuple[GroupSize, GroupRate, GroupRate]]:
    return zip(attribute.groups, attribute.selection.groups, attribute.scoring.groups, strict=True)


def _size(size: GroupSize) -> Record:
    return {
        "group": size.group,
        "people": size.n,
        "share_of_known": size.share,
        "small": size.small,
        "left_out": size.left_out,
    }


def _result(result: GroupRate) -> Record:
    rate, ratio = result.rate, result.impact_ratio
    return {
        "count": result.share.count,
        "n": result.share.n,
        "rate": rate.value,
        "rate_low": rate.interval.low if rate.interval else None,
        "rate_high": rate.interval.high if rate.interval else None,
        "impact_ratio": ratio.value,
        "impact_ratio_low": ratio.interval.low if ratio.interval else None,
        "impact_ratio_high": ratio.interval.high if ratio.interval else None,
        "reason": ratio.reason,
        "test": result.test.name if result.test else None,
        "p_value": result.test.p_value if result.test else None,
        "adjusted_p_value": result.adjusted_p_value,
        "tested_ratio": result.finding.ratio if result.finding else None,
        "adverse_impact": result.finding.adverse_impact if result.finding else None,
    }


def figure_record(figure: Figure) -> Record:
    """A number with its interval, or the code of the reason why there is none."""
    return {
        "value": figure.value,
        "low": figure.interval.low if figure.interval else None,
        "high": figure.interval.high if figure.interval else None,
        "n": figure.n,
        "reason": figure.reason,
    }


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def outcome_record(outcomes: OutcomeCounts) -> dict[str, Value | dict[str, Value]]:
    """Counts of decision x outcome, and the three rates that parity differences compare."""
    return {
        "known": outcomes.known,
        "selected_positive": outcomes.selected_positive,
        "selected_negative": outcomes.selected_negative,
        "not_selected_positive": outcomes.not_selected_positive,
        "not_selected_negative": outcomes.not_selected_negative,
        "true_positive_rate": figure_record(_outcome_rate(outcomes.positive)),
        "false_positive_rate": figure_record(_outcome_rate(outcomes.negative)),
        "precision": figure_record(_outcome_rate(outcomes.selected)),
    }


def _outcome_rate(share: Share) -> Figure:
    if share.n == 0:
        return not_computable(Reason.NO_OUTCOMES)
    return Figure(share.rate, share.n, wilson_interval(share))
