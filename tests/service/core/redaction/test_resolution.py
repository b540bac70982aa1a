"""What is hidden of what is proposed, and where in the text that was given it stood."""

from __future__ import annotations

import pytest

from service.core.documents import normalise
from service.core.redaction.layout import HEADER_CHARACTERS, lines_of
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.redactor import Redactor
from service.core.redaction.resolution import BESIDE, resolve
from service.core.redaction.spans import SURE, WEAK, HiddenSpans, Span, replace
from tests.support.resume_corpus import samples


def span(text: str, part: str, category: Category, score: float = SURE, reason: str = "") -> Span:
    start = text.index(part)
    return Span(start, start + len(part), category, TOKENS[category], score, reason)


IN_EXPERIENCE = "Jo Doe\n\nExperience\nAcme\nOrder 4155550132 shipped"


def test_a_bare_pattern_needs_a_witness() -> None:
    weak = span(IN_EXPERIENCE, "4155550132", "phone", WEAK, "phone.digits")
    assert resolve([weak], lines_of(IN_EXPERIENCE)) == []
    assert resolve([weak._replace(score=SURE)], lines_of(IN_EXPERIENCE)) != []


@pytest.mark.parametrize("section", ["Contact", "Personal details", "References"])
def test_the_part_of_the_resume_is_a_witness(section: str) -> None:
    text = f"Jo Doe\n\nExperience\nAcme\n\n{section}\n4155550132"
    weak = span(text, "4155550132", "phone", WEAK, "phone.digits")
    assert resolve([weak], lines_of(text)) == [weak]


def test_the_header_is_a_witness_as_far_as_it_reaches() -> None:
    weak = span("Jo Doe\n4155550132", "4155550132", "phone", WEAK)
    assert resolve([weak], lines_of("Jo Doe\n4155550132")) == [weak]
    text = "Jo Doe " + "works " * 100 + "4155550132"
    assert resolve([span(text, "4155550132", "phone", WEAK)], lines_of(text)) == []


def test_contact_data_beside_it_are_a_witness_if_another_rule_found_them() -> None:
    text = "Experience\nAcme, jo@acme.example, 4155550132" + " " * (BESIDE + 1) + "4155550133"
    email = span(text, "jo@acme.example", "email", reason="email")
    beside, alone = (span(text, n, "phone", WEAK, "phone.digits") for n in ("4155550132", "4155550133"))
    assert resolve([email, beside, alone], lines_of(text)) == [email, beside]
    assert resolve([beside, alone], lines_of(text)) == []  # two bare numbers prove nothing of each other


@pytest.mark.parametrize(("gap", "kept"), [(BESIDE, True), (BESIDE + 1, False)])
@pytest.mark.parametrize("first", ["jo@acme.example", "4155550132"])
def test_a_witness_stands_at_most_so_many_characters_before_or_behind(
    first: str, gap: int, kept: bool
) -> None:
    second = "4155550132" if first.startswith("jo") else "jo@acme.example"
    text = f"Experience\n{first}" + " " * gap + second
    email = span(text, "jo@acme.example", "email", reason="email")
    number = span(text, "4155550132", "phone", WEAK, "phone.digits")
    assert (number in resolve([email, number], lines_of(text))) is kept


@pytest.mark.parametrize("between", ["\n\nEducation\n", "\n\nWork history\n"])
@pytest.mark.parametrize("first", ["jo@acme.example", "4155550132"])
def test_what_stands_beyond_a_heading_is_no_witness(first: str, between: str) -> None:
    second = "4155550132" if first.startswith("jo") else "jo@acme.example"
    for gap, kept in ((between, False), ("\n\n\n", True)):
        text = f"Experience\nAcme\n\n{first}{gap}{second}"
        email = span(text, "jo@acme.example", "email", reason="email")
        number = span(text, "4155550132", "phone", WEAK, "phone.digits")
        assert (number in resolve([email, number], lines_of(text))) is kept, gap


def test_a_witness_may_stand_behind_others_of_the_same_rule() -> None:
    text = "Experience\n4155550131, 4155550132, 4155550133, jo@acme.example"
    email = span(text, "jo@acme.example", "email", reason="email")
    numbers = [span(text, f"415555013{i}", "phone", WEAK, "phone.digits") for i in (1, 2, 3)]
    assert resolve([email, *numbers], lines_of(text)) == [*numbers, email]


def test_the_header_ends_after_so_many_characters() -> None:
    for filler, kept in ((HEADER_CHARACTERS - 1, True), (HEADER_CHARACTERS, False)):
        text = "J" * (filler - 1) + " 4155550132"
        weak = span(text, "4155550132", "phone", WEAK)
        assert (resolve([weak], lines_of(text)) == [weak]) is kept


def test_the_part_of_the_resume_says_nothing_of_other_categories() -> None:
    text = "Contact\nmarried"
    assert resolve([span(text, "married", "family", WEAK)], lines_of(text)) == []


def test_the_longer_of_two_takes_in_the_other_and_keeps_its_reason() -> None:
    text = "12 Mill Lane, York"
    street, all_of_it = (
        span(text, "12 Mill Lane", "address", reason="a"),
        span(text, text, "address", reason="b"),
    )
    assert resolve([street, all_of_it], lines_of(text)) == [all_of_it]


def test_places_of_later_passes_are_those_of_the_text_that_was_given() -> None:
    text = "Ann Lee, MIT 2012, ann@x.org"
    hidden = HiddenSpans()
    first = [span(text, "Ann Lee", "name"), span(text, "ann@x.org", "email")]
    hidden.add(first)
    second = replace(text, first)
    hidden.add([span(second, "MIT", "school")])
    third = "[NAME], [SCHOOL] 2012, [EMAIL]"
    hidden.add([span(third, "2012", "graduation_year")])
    assert [text[s.start : s.end] for s in hidden.spans] == ["Ann Lee", "MIT", "2012", "ann@x.org"]
    assert replace(text, hidden.spans) == "[NAME], [SCHOOL] [YEAR], [EMAIL]"


def test_the_spans_of_a_resume_make_its_redacted_text() -> None:
    redactor = Redactor()
    for sample in samples(60, 31):
        text = normalise(sample.text)
        found = redactor.redact(text)
        assert replace(text, found.spans) == found.text
        assert sum(found.counts.values()) == len(found.spans)
