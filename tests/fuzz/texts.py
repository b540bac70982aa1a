"""Resumes and postings as texts: redaction with its names, requirements, warnings."""

from __future__ import annotations

from datetime import date

from service.core.documents import read_document
from service.core.posting_boilerplate import boilerplate_sentences
from service.core.redaction.redactor import Redactor
from service.core.requirements.listing import list_requirements, read_requirements
from service.core.resume_warnings import warnings_of_text
from tests.fuzz.documents import JSON_RESUME
from tests.fuzz.target import Target, text_of

RESUME = b"""Jane Doe
jane.doe@example.com | +1 415 555 0100 | linkedin.com/in/janedoe
12 High Street, Leeds LS1 4AB

Experience
Backend engineer, Acme Ltd, 2018 - 2024
- Built REST services in Python. She led her team of 5.

Education
BSc, University of Leeds, 2014
Date of birth: 3 March 1990; married; Member of the Society of Women Engineers
Referees: Dr. Maria Lopez, Head of Physics
"""
POSTING = b"""Backend engineer
You have 5+ years of Python and a bachelor's degree in computer science or similar.
Required: valid driving licence, B2 German, AWS certification. Nice to have: Go.
We are an equal opportunity employer; benefits include 30 days of holidays.
"""


def redact(data: bytes) -> None:
    """And the law that what was redacted redacts to itself."""
    redactor = Redactor()
    text = redactor.redact(read_document(text_of(data), field="resume").text).text
    assert redactor.redact(text).text == text


def require(data: bytes) -> None:
    posting, _, resume = text_of(data).partition("\f")
    required = read_requirements(posting)
    text = read_document(resume or posting, field="resume").text
    found = list_requirements(required, text, text.splitlines(), date(2026, 3, 1))
    assert len(found) == len(required)


def look_at(data: bytes) -> None:
    text = read_document(text_of(data), field="resume").text
    warnings_of_text(text)
    for span in boilerplate_sentences(text):
        assert 0 <= span.start < span.end <= len(text)


TARGETS = {
    "redaction": Target(redact, lambda: [RESUME, RESUME.splitlines()[0], JSON_RESUME]),
    "requirements": Target(require, lambda: [POSTING + b"\f" + RESUME, POSTING]),
    "warnings": Target(look_at, lambda: [RESUME, POSTING]),
}
