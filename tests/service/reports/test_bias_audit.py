from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from service.core.errors import AuditOptionsError
from service.core.fairness.counts import GroupCounts, OutcomeCounts
from service.core.fairness.findings import FairnessOptions
from service.reports.bias_audit import (
    BiasAudit,
    BiasAuditData,
    BiasAuditStatement,
    conclusion,
    make_bias_audit,
)
from service.reports.bias_audit_html import bias_audit_html
from service.reports.bias_audit_records import bias_audit_csv, bias_audit_json

Counts = Mapping[str, Mapping[str, GroupCounts]]

PLANTED = {
    "sex": {
        "female": GroupCounts(1000, 200, above_median=300),
        "male": GroupCounts(1000, 400, above_median=500),
        "nonbinary": GroupCounts(15, 3, above_median=5),
        "unknown": GroupCounts(40, 9, above_median=10),
    }
}
LEVEL = {"sex": {"female": GroupCounts(1000, 395), "male": GroupCounts(1000, 400)}}


def make(
    counts: Counts = PLANTED,
    statement: BiasAuditStatement | None = None,
    options: FairnessOptions | None = None,
    data: BiasAuditData | None = None,
) -> BiasAudit:
    people = sum(group.n for group in next(iter(counts.values())).values())
    return make_bias_audit(
        counts,
        data or BiasAuditData(people),
        statement or BiasAuditStatement(),
        options or FairnessOptions(),
        datetime(2026, 4, 1, 12, 0, tzinfo=UTC),
    )


def as_json(audit: BiasAudit) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bias_audit_json(audit))
    return document


def as_rows(audit: BiasAudit) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bias_audit_csv(audit))))


def conclusions(audit: BiasAudit) -> dict[str, str]:
    comparison = audit.attributes[0].selection
    return {result.group: conclusion(comparison, result) for result in comparison.groups}


def test_a_planted_disparity_is_reported() -> None:
    audit = make()
    assert conclusions(audit) == {
        "female": "indicated",
        "male": "reference",
        "nonbinary": "too few people",
    }
    assert audit.findings[0].startswith(
        "Sex, selection rates: Adverse impact is indicated: Female 20.0% (200 of 1,000) against Male 40.0%"
    )
    assert "Sex, selection rates: Too few people for a conclusion: Nonbinary." in audit.findings
    assert any(
        f.startswith("Sex, scoring rates: Adverse impact is indicated: Female") for f in audit.findings
    )


def test_its_absence_is_not_reported_as_proof() -> None:
    audit = make(LEVEL)
    assert conclusions(audit) == {"female": "not below 4/5", "male": "reference"}
    assert audit.findings == [
        "Sex, selection rates: No adverse-impact finding among the 2 groups with enough people, which is no "
        "proof that there is none: see the intervals."
    ]


def test_below_four_fifths_by_chance_is_named_as_such() -> None:
    audit = make({"sex": {"female": GroupCounts(100, 12), "male": GroupCounts(100, 18)}})
    assert conclusions(audit)["female"] == "not significant"
    assert audit.findings[1] == "Sex, selection rates: Below four fifths, but not significantly: Female."


def test_a_tiny_group_with_the_highest_rate_is_not_what_others_are_tested_against() -> None:
    audit = make({"sex": {**LEVEL["sex"], "nonbinary": GroupCounts(1, 1)}})
    assert conclusions(audit) == {
        "female": "not below 4/5: 0.988",
        "male": "reference of the tests",
        "nonbinary": "too few people",
    }
    assert audit.findings[0].startswith(
        "Sex, selection rates: Conclusions are against Male, the highest rate"
    )
    assert "Tests and conclusions are against Male" in " ".join(bias_audit_html(audit).split())
    selection = as_json(audit)["attributes"][0]["selection"]
    assert (selection["reference"], selection["tested_against"]) == ("nonbinary", "male")


@pytest.mark.parametrize(
    ("counts", "code", "text"),
    [
        (
            {"a": GroupCounts(50, 0), "b": GroupCounts(40, 0)},
            "nobody_selected",
            "nobody of those compared was",
        ),
        ({"a": GroupCounts(50, 9), "b": GroupCounts(0, 0)}, "one_group", "there is one group only"),
        (
            {"a": GroupCounts(0, 0), "unknown": GroupCounts(9, 4)},
            "only_unknown",
            "everybody's group is unknown",
        ),
        ({"a": GroupCounts(0, 0), "b": GroupCounts(0, 0)}, "no_decisions", "there are no decisions"),
    ],
)
def test_what_cannot_be_computed_says_why_in_every_form(
    counts: dict[str, GroupCounts], code: str, text: str
) -> None:
    audit = make({"sex": counts})
    assert audit.findings[0].startswith(f"Sex, selection rates: Impact ratios are not computable: {text}")
    document = as_json(audit)["attributes"][0]
    assert document["selection"]["reason"] == code
    for group in document["groups"]:
        assert group["selection"]["impact_ratio"] is None
        assert group["selection"]["adverse_impact"] is None
    assert document["differences"]["demographic_parity_difference"]["value"] is None
    assert {row["selection_impact_ratio"] for row in as_rows(audit)} == {""}
    html = bias_audit_html(audit)
    assert text.replace("'", "&#39;") in html
    assert ">not below 4/5<" not in html


def test_small_groups_are_left_out_with_count_rate_and_justification() -> None:
    audit = make(options=FairnessOptions(leave_out_small=True))
    assert conclusions(audit)["nonbinary"] == "left out"
    assert audit.justification is not None
    assert audit.justification.startswith("Under 2 % of the people whose group is known")
    html = " ".join(bias_audit_html(audit).split())
    assert "Nonbinary (3 of 15 selected, 20.0 %)" in html
    assert audit.justification in html
    given = make(
        statement=BiasAuditStatement(justification="Fifteen people."),
        options=FairnessOptions(leave_out_small=True),
    )
    assert given.justification == "Fifteen people."
    assert as_json(given)["method"]["justification"] == "Fifteen people."
    assert make(statement=BiasAuditStatement(justification="Fifteen people.")).justification is None


def test_json_csv_and_html_agree() -> None:
    audit = make()
    document = as_json(audit)
    groups = {group["group"]: group for group in document["attributes"][0]["groups"]}
    rows = {row["group"]: row for row in as_rows(audit)}
    assert set(rows) == {*groups, "unknown"}
    assert rows["unknown"]["people"] == str(document["attributes"][0]["unknown"]) == "40"
    for name, group in groups.items():
        assert rows[name]["people"] == str(group["people"])
        for kind in ("selection", "scoring"):
            for field, value in group[kind].items():
                assert rows[name][f"{kind}_{field}"] == ("" if value is None else str(value))
    html = bias_audit_html(audit)
    for group in groups.values():
        for kind in ("selection", "scoring"):
            one = group[kind]
            rate = f"{one['rate']:.3f} ({one['rate_low']:.3f} to {one['rate_high']:.3f})"
            assert html.count(f"{rate}, {one['count']:,} of {one['n']:,}</text>") == 1
            assert f"<td>{one['count']:,} of {one['n']:,}</td><td>{rate}</td>" in html
    female = groups["female"]["selection"]
    ratio = (
        f"{female['impact_ratio']:.3f} "
        f"({female['impact_ratio_low']:.3f} to {female['impact_ratio_high']:.3f})"
    )
    assert f"{ratio}, n = 1,000 against 1,000</text>" in html
    for finding in document["findings"]:
        assert finding.split(": ", 1)[1] in html
    for sentence in (*document["limitations"], *document["citations"]):
        assert sentence in html


def test_the_json_keeps_its_shape() -> None:
    document = as_json(make())
    assert document["schema_version"] == 1
    assert list(document) == [
        "schema_version", "evenmatch", "title", "created", "distribution_date", "data", "method", "findings",
        "attributes", "limitations", "citations",
    ]  # fmt: skip
    attribute = document["attributes"][0]
    assert list(attribute) == [
        "attribute", "label", "people", "unknown", "selection", "scoring", "groups", "differences",
    ]  # fmt: skip
    assert list(attribute["groups"][0]) == [
        "group", "people", "share_of_known", "small", "left_out", "label", "selection", "scoring",
    ]  # fmt: skip
    assert list(attribute["groups"][0]["selection"]) == [
        "count", "n", "rate", "rate_low", "rate_high", "impact_ratio", "impact_ratio_low",
        "impact_ratio_high", "reason", "test", "p_value", "adjusted_p_value", "tested_ratio",
        "adverse_impact",
    ]  # fmt: skip
    assert attribute["groups"][0]["selection"]["impact_ratio"] == 0.5


def test_the_statement_stands_in_the_report_and_is_escaped() -> None:
    statement = BiasAuditStatement(
        title="Audit <of> us",
        source="ATS & co",
        explanation="All of 2025",
        distribution_date=date(2025, 1, 2),
        citations=("Only this one",),
        limitations=("One more",),
    )
    data = BiasAuditData(2055, date(2025, 3, 1), date(2025, 9, 30), scored=2055, median_score=0.41)
    audit = make(statement=statement, data=data)
    html = bias_audit_html(audit)
    assert "<h1>Audit &lt;of&gt; us</h1>" in html
    for text in ("ATS &amp; co", "All of 2025", "2025-01-02", "2025-03-01", "2025-09-30", "0.41", "One more"):
        assert text in html
    document = as_json(audit)
    assert document["citations"] == ["Only this one"]
    assert document["limitations"][-1] == "One more"
    assert not any("not stated" in limitation for limitation in audit.limitations)
    assert document["data"]["first_decision"] == "2025-03-01"


def test_what_the_data_lack_is_a_limitation() -> None:
    lacking = " ".join(make(LEVEL).limitations)
    for text in ("not stated", "There are no scores", "When the decisions were made is not known"):
        assert text in lacking
    data = BiasAuditData(2055, date(2025, 3, 1), date(2025, 9, 30), without_time=1, scored=2000)
    some = " ".join(make(data=data).limitations)
    assert "1 person of 2,055 have no decision time" in some
    assert "55 people of 2,055 have no score" in some
    assert "Sex: 40 people of 2,055 are of unknown group" in some


def test_the_line_at_four_fifths_is_labelled_as_no_part_of_the_law() -> None:
    html = bias_audit_html(make())
    assert html.count("0.8: a rule of thumb (29 CFR 1607.4(D)), not of Local Law 144") == 2
    assert html.count('<line class="fifths"') == 2
    assert "sets no line" in html


def test_the_page_needs_nothing_else_and_gives_no_verdict() -> None:
    html = bias_audit_html(make())
    assert "<script" not in html
    assert not re.search(r"(src|href)=|url\(|@import", html)
    for text in (html, bias_audit_json(make()), bias_audit_csv(make())):
        assert not re.search(r"\b(un)?fair\b", text, re.IGNORECASE)


def test_leaving_out_more_than_the_rule_allows_is_a_limitation() -> None:
    counts = {
        "sex": {
            "female": GroupCounts(20, 2),
            "male": GroupCounts(900, 300),
            "nonbinary": GroupCounts(19, 1),
            "unknown": GroupCounts(61, 9),
        }
    }

    def said(share: float) -> list[str]:
        options = FairnessOptions(small_share=share, leave_out_small=True)
        return [text for text in make(counts, options=options).limitations if "5-301(d)" in text]

    # 20 of all 1,000 are 2 %, which is not under it; 19 are.
    assert said(0.05) == [
        "Sex: Female left out of the ratios, of 2 % of the data or more. 6 RCNY 5-301(d) lets only "
        "categories under it be left out."
    ]
    assert said(0.021) == said(0.0) == []
    assert "Sex: Female left out" in bias_audit_html(
        make(counts, options=FairnessOptions(small_share=0.05, leave_out_small=True))
    )


def test_outcomes_open_the_other_differences() -> None:
    outcomes = OutcomeCounts(150, 50, 250, 550)
    with_outcomes = replace(PLANTED["sex"]["female"], outcomes=outcomes)
    audit = make({"sex": {"female": with_outcomes, "male": replace(with_outcomes, selected=200)}})
    difference = as_json(audit)["attributes"][0]["differences"]["equal_opportunity_difference"]
    assert (difference["value"], difference["n"]) == (0.0, 800)
    assert "equal_opportunity_difference" in bias_audit_html(audit)


def test_without_attributes_there_is_nothing_to_compare() -> None:
    with pytest.raises(AuditOptionsError, match="no attributes"):
        make_bias_audit({}, BiasAuditData(0), BiasAuditStatement(), FairnessOptions(), datetime.now(UTC))
