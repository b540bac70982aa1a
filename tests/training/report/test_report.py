from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from service.core.html import Scale
from tests.support.scored_pairs import SUBJECT, random_pairs
from training.evaluation.evaluate import EvaluationOptions, evaluate_pairs
from training.evaluation.schema import Estimate
from training.report.html import report_html
from training.report.plots import HEIGHT, WIDTH, density_lines, ranges, value_text

VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def page() -> str:
    pairs = random_pairs()
    return report_html(
        evaluate_pairs(
            pairs,
            pairs.raw_scores,
            SUBJECT,
            data="random <pairs>",
            options=EvaluationOptions(rounds=20),
        )
    )


class _Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<line .../>` opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"p", "li", "tr", "td", "th"}:
            while self.open[-1] in {"p", "li", "tr", "td", "th"}:
                self.open.pop()
        assert self.open.pop() == tag


def test_the_report_is_whole_and_needs_nothing_else(page: str) -> None:
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    assert not re.search(r"(?:src|href)=|url\(|@import|https?:", page)
    assert "nan" not in re.findall(r'points="([^"]*)"', page)
    assert "random &lt;pairs&gt;" in page


def test_every_group_and_difference_is_drawn(page: str) -> None:
    for word in ("female", "hispanic_or_latino", "equalized_odds_difference", "raw_score by sex"):
        assert word in page
    for plot in ("Calibration, all pairs", "Calibration by sex", "Exposure by race_ethnicity"):
        assert f'aria-label="{plot}"' in page


def test_no_verdict_is_printed(page: str) -> None:
    text = re.sub(r"<[^>]*>", " ", page)
    assert not re.search(r"\b(?:un)?fair\b", text, re.IGNORECASE)


def test_outlines_of_groups_of_any_size_have_the_same_area() -> None:
    small, large = density_lines([("a", [1, 3]), ("b", [100, 300]), ("empty", [0, 0])])[:2]
    assert small.points == large.points
    assert small.points == f"0.0,{HEIGHT * 2 / 3:.1f} 260.0,{HEIGHT * 2 / 3:.1f} 260.0,0.0 520.0,0.0"
    assert len(density_lines([("empty", [0, 0])])) == 0


def test_what_cannot_be_computed_has_no_mark() -> None:
    figure = Estimate(value=None, n=3, reason="no matches")
    (row,) = ranges([("x", figure)], Scale.even(0, 1, WIDTH))
    assert (row.at, row.low, row.text) == (None, None, "not computable")
    assert value_text(figure) == "not computable: no matches"
    assert value_text(Estimate(value=0.5, n=3)) == "0.500"
    assert Scale.even(0, 1, WIDTH).at(2) == WIDTH
