"""The report of what a cohort changes, as HTML: numbers by hand, and what callers gave is never markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np

from service.core.cohort_effects import CohortEffects, effects_of
from service.reports.cohort import CohortSubject, PostingEffect, cohort_html, cohort_json

SUBJECT = CohortSubject("c" * 64, "minilm-fair", "1.2.0", "b" * 64, 0.25, "2026-01-02T03:04:05+00:00")
BEFORE = np.array([[True, True, False, False], [False, False, False, False]])
AFTER = np.array([[True, False, False, False], [True, False, True, False]])
POSTINGS = [PostingEffect("<b>req-1</b>", True, 2, 1), PostingEffect("req-2", False, 0, 2)]
_VOID = {"meta", "line", "circle", "path", "br"}


class Page(HTMLParser):
    """The rows of every table. Fails if a tag is closed that is not the one that is open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def effects(*groups: str, labels: bool = False) -> CohortEffects:
    return effects_of(
        BEFORE,
        AFTER,
        uncovered=1,
        groups={"sex": list(groups)} if groups else {},
        labels=np.array([[True, False, False, False]] * 2) if labels else None,
    )


def test_decisions_flips_groups_and_postings_are_in_it() -> None:
    html = cohort_html(SUBJECT, effects("female", "female", "male", "unknown", labels=True), POSTINGS)
    rows = {row[0]: row[1:] for row in Page(html).rows}
    assert rows["Pairs selected"] == ["2 of 8 (25.0%)", "3 of 8 (37.5%)"]
    assert rows["Postings with nobody selected"] == ["1 of 2 (50.0%)", "0 of 2 (0.0%)"]
    assert rows["Precision"] == ["0.500", "0.667"]
    assert rows["Recall"] == ["0.500", "1.000"]
    assert rows["Female"][0] == "4"
    assert rows["Female"][1].startswith("0.500 (")
    assert rows["Male"][2].startswith("0.500 (")
    assert rows["Unknown"][3:] == ["n/a", "n/a"]
    assert rows["req-2"] == ["no", "0 of 4 (0.0%)", "2 of 4 (50.0%)", "+2"]
    text = " ".join(re.sub(r"<[^>]*>", "", html).split())
    assert "3 of 8 (37.5%) decisions change: 2 become selected, 1 no longer are. 1 of 2 (50.0%)" in text


def test_what_a_caller_gave_is_text_and_nothing_is_loaded() -> None:
    bad = "<script>alert(1)</script>"
    html = cohort_html(SUBJECT, effects(bad, bad, "male", "male"), POSTINGS)
    page = Page(html)
    assert "script" not in page.tags
    assert "<b>req-1</b>" in [row[0] for row in page.rows]
    assert page.tags.isdisjoint({"b", "link", "img", "iframe"})
    assert not re.search(r"https?://|@import|url\(", html)


def test_without_groups_and_labels_there_are_decisions_alone() -> None:
    page = Page(cohort_html(SUBJECT, effects(), POSTINGS))
    assert "svg" not in page.tags
    assert "Recall" not in [row[0] for row in page.rows]


def test_the_json_has_the_same_numbers() -> None:
    found = json.loads(cohort_json(SUBJECT, effects("female", "female", "male", "male"), POSTINGS))
    assert (found["cohort"], found["bundle"], found["threshold"]) == ("c" * 64, "b" * 64, 0.25)
    assert (found["flips_up"], found["flips_down"], found["uncovered"]) == (2, 1, 1)
    assert found["by_posting"][0]["job_id"] == "<b>req-1</b>"
