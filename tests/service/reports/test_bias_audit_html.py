"""The page: what is seen of the numbers, on a screen and on paper."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from service.core.fairness.counts import GroupCounts
from service.reports.bias_audit_html import bias_audit_html
from tests.service.reports.test_bias_audit import LEVEL, make


def test_intervals_beyond_the_plot_end_in_an_arrow() -> None:
    audit = make(
        {"sex": {"female": GroupCounts(500, 100), "male": GroupCounts(500, 150), "x": GroupCounts(2, 1)}}
    )
    html = bias_audit_html(audit)
    assert 'class="end"' in html
    assert 'class="end"' not in bias_audit_html(make(LEVEL))
    positions = [float(x) for x in re.findall(r'<circle[^>]* cx="([\d.]+)"', html)]
    assert len(positions) == 6


def test_a_rate_of_few_in_many_is_not_printed_as_zero() -> None:
    rare = {"sex": {"female": GroupCounts(1_577_388, 506), "male": GroupCounts(1_460_444, 857)}}
    audit = make(rare)
    assert "Female 0.032% (506 of 1,577,388) against Male 0.059% (857 of 1,460,444)" in audit.findings[0]
    html = bias_audit_html(audit)
    assert "<td>0.00032 (0.00029 to 0.00035)</td>" in html
    assert "0.000 (" not in html
    # They stand apart in the plot too, on an axis of their own.
    assert ">0.0008</text>" in html
    first, second = (float(x) for x in re.findall(r'<circle[^>]* cx="([\d.]+)"', html)[:2])
    assert second - first > 50


def test_no_text_beside_a_plot_is_cut_off() -> None:
    many = {
        "sex": {
            "female": GroupCounts(11_577_388, 5_300_600),
            "native_hawaiian_or_pacific_islander:nonbinary": GroupCounts(11_460_444, 5_700_100),
        }
    }
    for svg in re.findall(r"<svg.*?</svg>", bias_audit_html(make(many)), re.DOTALL):
        width = float(re.search(r'width="([\d.]+)"', svg)[1])  # type: ignore[index]
        texts = re.findall(r'<text class="[^"]*" x="([\d.]+)" y="[\d.]+">([^<]*)</text>', svg)
        assert len(texts) == 4
        plot = min(float(x) for x in re.findall(r'<line class="grid" x1="([\d.]+)"', svg))
        for x, text in texts:
            end = float(x) + 6.6 * len(text)  # a wide font's mean at 12 px
            assert end < (plot if float(x) == 0 else width), text


def test_a_group_without_scores_among_others_says_why_it_has_no_rate() -> None:
    scored = {"a": GroupCounts(50, 9, above_median=20), "b": GroupCounts(50, 9, above_median=30)}
    html = bias_audit_html(make({"sex": {**scored, "c": GroupCounts(40, 9, above_median=0, scored=0)}}))
    assert "<td>0 of 0</td><td>not computable: there are no scores</td>" in html


@pytest.mark.parametrize("template", ["bias_audit.css.j2", "audit.html.j2"])
def test_on_paper_nothing_hides_behind_a_scroll_bar(template: str) -> None:
    text = (files("service.reports") / "templates" / template).read_text()
    assert ".wide { overflow-x: auto; }" in text
    css = text.split("@media print", 1)[1]
    assert ".wide { overflow: visible; }" in css
    assert "svg { max-width: 100%; height: auto; }" in css
    assert "th, td { white-space: normal;" in css


def test_paper_repeats_the_head_of_a_table_on_every_page() -> None:
    assert bias_audit_html(make()).count("<thead><tr><th>group</th>") == 2
