"""Years of study and graduation. Periods of work stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.schools import DEGREE, mentions_degree
from service.core.redaction.spans import Span, spans_of

# Not in amounts ("$2,010", "2010 %") and version numbers ("2010.1").
_YEARS = re.compile(r"(?<![\d$€£#])(?:19[4-9]\d|20[0-4]\d)(?![\d%,]|\.\d)|(?<=\s)['’]\d\d\b")
# The "12" of "2008-12", whose first year a pass before may have hidden.
_SHORT_END = re.compile(r"(?<=\[YEAR\])\s?[-–/]\s?\d\d(?!\d)|(?<=(?:19|20)\d\d)\s?[-–/]\s?\d\d(?!\d)")
_GRADUATED = re.compile(
    r"\b(?:[Gg]raduat(?:ed|ion|ing)|[Cc]lass of|[Aa]lum\w*|[Pp]assing year|[Yy]ear of (?:passing|graduation)|"
    r"[Cc]onvocation|[Mm]atriculat\w+)\b[^\n.;]{0,60}?(?P<year>(?:19[4-9]\d|20[0-4]\d)|['’]\d\d\b)"
)
_BESIDE_SCHOOL = re.compile(
    rf"(?:\[SCHOOL\]|(?<![\w.]){DEGREE})[\s,(–-]{{1,4}}(?:[A-Z][a-z]{{2,8}}\.? )?(?P<year>(?:19[4-9]\d|20[0-4]\d))"
    r"(?:\s?[-–]\s?(?P<until>(?:19[4-9]\d|20[0-4]\d)))?(?!\d)"
)
_SENTENCE = re.compile(r"[^.;\n]*(?:\.(?=\S)[^.;\n]*)*[.;]?")


def find_graduation_years(text: str) -> Iterator[Span]:
    """Years after "graduated" or "class of"."""
    yield from spans_of(_GRADUATED, text, "graduation_year", "year")


def find_years_beside_schools(text: str) -> Iterator[Span]:
    """Years right after a school or a degree."""
    token = TOKENS["graduation_year"]
    for match in _BESIDE_SCHOOL.finditer(text):
        yield Span(*match.span("year"), "graduation_year", token)
        if match["until"]:
            yield Span(*match.span("until"), "graduation_year", token)


def graduation_years_in_line(line: Line) -> Iterator[Span]:
    """Years in the education section, and in a sentence with a degree. Offsets are into the line."""
    if line.heading or not any(part in line.text for part in ("19", "20", "'", "’")):
        return
    whole = line.section == "education"
    if not whole and (line.section == "experience" or not mentions_degree(line.text)):
        return
    token = TOKENS["graduation_year"]
    for sentence in _SENTENCE.finditer(line.text):
        if not whole and not mentions_degree(sentence[0]):
            continue
        for match in _YEARS.finditer(sentence[0]):
            start = sentence.start() + match.start()
            yield Span(start, start + len(match[0]), "graduation_year", token)
        for match in _SHORT_END.finditer(sentence[0]):
            end = sentence.start() + match.end()
            yield Span(end - 2, end, "graduation_year", token)


GRADUATION_YEARS = Recogniser(
    prefilter(
        substrings=("graduat", "class of", "alum", "passing year", "year of", "convocation", "matriculat")
    ),
    find_graduation_years,
)
YEARS_BESIDE_SCHOOLS = Recogniser(prefilter(substrings=("19", "20")), find_years_beside_schools)
