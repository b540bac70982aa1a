"""How long somebody has worked, by the periods in a resume and by what it says itself.

Periods overlap and are merged. Those of education do not count, and neither does what redaction hid: graduation
years are tokens by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from service.core.redaction.layout import Section, lines_of
from service.core.redaction.policy import TOKENS
from service.core.redaction.scanning import scan
from service.core.requirements.degrees import degrees_in
from service.core.requirements.wording import NUMBER, number_of

_MONTHS = {name: i for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_YEAR = r"(?:19|20)\d\d"


def _date(name: str) -> str:
    return (
        rf"(?:(?P<{name}_month>{_MONTH})[.,'’ ]{{0,3}}(?:\d{{1,2}}(?:st|nd|rd|th)?,? )?['’]?(?P<{name}_year>{_YEAR}|(?<=['’])\d\d)"
        rf"|(?P<{name}_number>\d{{1,2}})[/.-](?:\d{{1,2}}[/.-])?(?P<{name}_year2>{_YEAR})|(?P<{name}_only>{_YEAR}))"
    )


_PERIOD = scan(
    rf"\b{_date('from')}\s{{0,3}}(?:-|–|—|to|until|till|thru|through|upto)\s{{0,3}}"
    rf"(?:till |the |to )?(?:{_date('to')}(?![\d-])|(?P<now>present|current|now|today|date|ongoing|till))"
)
_SINCE = scan(rf"\b(?:since|from)\s{_date('from')}(?=[\s.,;)]|$)(?!\s?(?:-|–|—|to\b|until|till))")
_STATED = scan(
    rf"(?<![\d.])(?P<number>{NUMBER})\s?\+?\s?(?:\(\d{{1,2}}\)\s?)?(?:plus |or more )?\+?\s?(?P<unit>years|year|yrs|yr|months)\b[.'’]?s?['’]?\s?(?:\w{{1,20}}[ ,/&-]{{1,2}}){{0,6}}?exp"
    rf"|\bexp[a-z]{{0,9}}\s?(?:[-:of,]{{1,2}}|is|over|about|more than)?\s{{0,2}}(?P<number2>{NUMBER})\s?\+?\s?(?P<unit2>years|year|yrs|yr|months)\b"
)
_NO_WORK: frozenset[Section] = frozenset({"education", "references", "personal", "contact"})
_CERTIFICATES = re.compile(r"certif|licen[sc]|training|course|award|publication|membership", re.IGNORECASE)
_MONTHS_OF_YEAR = 12
_FIRST_YEAR = 1950


@dataclass(frozen=True, slots=True)
class Period:
    """Months since year 0, [first, last). `year_only`: without months, so that either end may be half a year off."""

    first: int
    last: int
    year_only: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stated:
    """What a resume says of itself: years, and the words around it in small letters."""

    years: float
    around: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Employment:
    """The periods of work, and what is said of it.

    `least`: years in the periods, overlaps counted once. `most`: years since the first of them began, since work may
    stand between them without dates, and gaps are nobody's business; 0 without periods.
    """

    periods: tuple[Period, ...]
    least: float
    most: float
    stated: tuple[Stated, ...]


def employment_in(text: str, small: str, today: date) -> Employment:
    """The work that a resume tells of; `small` is `text` in small letters. "Present" means `today`."""
    periods = tuple(_periods(text, small, today))
    least = _merged((p.first + 6 * p.year_only, p.last - 6 * p.year_only) for p in periods)
    now = _now(today)
    most = max(((now - p.first) / _MONTHS_OF_YEAR for p in periods), default=0.0)
    return Employment(periods, least, most, tuple(islice(_stated(small), _MOST_STATED)))


_MOST_STATED = 200


def _periods(text: str, small: str, today: date) -> Iterator[Period]:
    now = _now(today)
    certificates = False
    for line in lines_of(text):
        if line.heading:
            certificates = bool(_CERTIFICATES.search(line.text))
        if line.section in _NO_WORK or certificates:
            continue
        words = small[line.start : line.end]
        if TOKENS["school"] in line.text and len(words) < _SHORT_LINE:
            continue
        for pattern in (_PERIOD, _SINCE):
            for match in pattern.finditer(words):
                around = slice(max(0, match.start() - _BESIDE), match.end() + _BESIDE)
                if next(degrees_in(line.text[around], words[around]), None) is not None:
                    continue
                period = _period(match, now, line.start)
                if period is not None:
                    yield period


_SHORT_LINE = 200
_BESIDE = 60


def _now(today: date) -> int:
    """The month after today's, so that this one counts."""
    return today.year * _MONTHS_OF_YEAR + today.month + 1


def _period(match: re.Match[str], now: int, offset: int) -> Period | None:
    first, with_month = _month_of(match, "from")
    if first is None:
        return None
    groups = match.groupdict()
    last, year_only = now, False
    if "now" in groups and not groups["now"]:
        to, to_month = _month_of(match, "to")
        if to is None:
            return None
        year_only = not (with_month and to_month)
        last = min(to + (1 if to_month else _MONTHS_OF_YEAR), now)
    if not _FIRST_YEAR * _MONTHS_OF_YEAR <= first < last:
        return None
    return Period(first, last, year_only, offset + match.start(), offset + match.end())


def _month_of(match: re.Match[str], end: str) -> tuple[int | None, bool]:
    """The month of a date, counted from January of the year 0, and whether it said one."""
    if match[f"{end}_only"]:
        return int(match[f"{end}_only"]) * _MONTHS_OF_YEAR + 1, False
    if match[f"{end}_number"]:
        month = int(match[f"{end}_number"])
        year = int(match[f"{end}_year2"])
        return (year * _MONTHS_OF_YEAR + month, True) if 1 <= month <= _MONTHS_OF_YEAR else (None, False)
    year = int(match[f"{end}_year"])
    if year < 100:
        year += 2000 if year < 50 else 1900
    return year * _MONTHS_OF_YEAR + _MONTHS[match[f"{end}_month"][:3]], True


def _merged(spans: Iterable[tuple[int, int]]) -> float:
    """The length of a union of spans of months, in years."""
    total = 0
    reached = 0
    for first, last in sorted(spans):
        total += max(0, last - max(first, reached))
        reached = max(reached, last)
    return total / _MONTHS_OF_YEAR


def _stated(small: str) -> Iterator[Stated]:
    for match in _STATED.finditer(small):
        number = match["number"] or match["number2"]
        unit = match["unit"] or match["unit2"]
        years = number_of(number) / (_MONTHS_OF_YEAR if unit.startswith("month") else 1)
        around = small[max(0, match.start() - 80) : match.end() + 80]
        yield Stated(years, around, match.start(), match.end())
