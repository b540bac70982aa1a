"""What is done with spans that were found, by hand."""

from __future__ import annotations

import re

import pytest

from service.core.redaction.spans import HiddenSpans, Span, replace, spans_of_groups


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("born 1988.", ["1988"]),
        ("born 1988 ).,; \t", ["1988"]),
        ("born , aged 40", ["40"]),  # of the first match only what ends a clause: nothing
        ("aged 40, born 1988", ["40", "1988"]),
        ("now, aged 40", ["40"]),  # the first match has no group
        ("born XX", ["XX"]),
        ("born\t\t", []),
    ],
)
def test_a_group_is_taken_without_what_ends_a_clause(text: str, found: list[str]) -> None:
    pattern = re.compile(r"now|born(?P<year>[ \tX\d.,;)]+)|aged (?P<age>\d+)")
    spans = list(spans_of_groups(pattern, text, "age"))
    assert [text[span.start : span.end].lstrip() for span in spans] == found
    assert {(span.category, span.token) for span in spans} <= {("age", "[AGE]")}


def test_spans_of_later_passes_stand_in_the_text_of_the_first() -> None:
    text = "abcdefghij"
    first, between = Span(2, 5, "name", "[N]"), Span(0, 1, "age", "[AGE]", 0.5, "years")
    hidden = HiddenSpans()
    hidden.add([first])
    once = replace(text, [first])
    assert once == "ab[N]fghij"
    hidden.add([between])
    assert replace(once, [between]) == "[AGE]b[N]fghij"
    hidden.add([Span(12, 13, "link", "", 0.25, "host")])
    assert hidden.spans == [between, first, Span(8, 9, "link", "", 0.25, "host")]
    assert replace(text, hidden.spans) == "[AGE]b[N]fghj"
