"""Days as files have them: ISO 8601, `3/31/2026`, `31.03.2026`, `31 Mar 2026`, serial numbers of Excel.

Whether `3/4/2026` is in March or April is told by the whole column: some other cell has a number over 12 in
one of the two places. If none has, a caller has to say it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

DateOrder = Literal["dmy", "mdy"]

_EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of serial numbers from March 1900 on: Excel counts a 29 February 1900."""

_SERIAL = (18_264, 73_415)
"""1950 to 2100. Smaller numbers are rather ages or counts."""

_FIRST_YEAR, _LAST_YEAR = 1950, 2100
_SECONDS = (631_152_000, 4_102_444_800)
"""1990 to 2100 as seconds since 1970."""

_TIME = (
    r"(?:[T,]?\s*(?:at\s+)?\d{1,2}(?:[:.]\d{2}){1,2}(?:\.\d{1,9})?\s*(?:[ap]\.?m\.?)?"
    r"\s*(?:Z|UTC|GMT|[A-Z]{2,4}|(?:UTC|GMT)?[+-]\d{2}:?\d{2})?(?:\s*\([^)]{0,60}\))?)?"
)
_PARTS = re.compile(rf"(\d{{1,4}})([/.\-])(\d{{1,2}})\2(\d{{2}}|\d{{4}}){_TIME}", re.IGNORECASE)
_YEAR_FIRST = re.compile(rf"(\d{{4}})([/.\-])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?:[a-z]{{3,9}}\.?,?\s+)?(?:(\d{{1,2}})(?:st|nd|rd|th)?[\s\-/.]{{1,5}}([a-z]{{3,9}})\.?|([a-z]{{3,9}})\.?[\s\-]{{1,5}}(\d{{1,2}})"
    rf"(?:st|nd|rd|th)?),?[\s\-/]{{1,5}}(\d{{4}}|\d{{2}}),?{_TIME}",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER = re.compile(r"\d{1,12}(?:[.,]\d{1,20})?")
_EMPTY = frozenset({"", "-", "n/a", "na", "#n/a", "null", "none", "nat"})


def is_empty(cell: object) -> bool:
    """Whether a cell says that it holds nothing."""
    return cell is None or (isinstance(cell, str) and cell.strip().casefold() in _EMPTY)


@dataclass(slots=True)
class _Span:
    first: date | None = None
    last: date | None = None

    def add(self, day: date) -> None:
        self.first = day if self.first is None else min(self.first, day)
        self.last = day if self.last is None else max(self.last, day)


@dataclass(slots=True)
class DayReader:
    """Reads the days of one column. `order`: of day and month, if a caller knows it; else it is found out."""

    order: DateOrder | None = None
    serials: int = 0
    _sure: _Span = field(default_factory=_Span)
    _unsure: dict[DateOrder, _Span] = field(default_factory=lambda: {"dmy": _Span(), "mdy": _Span()})
    _seen: dict[DateOrder, int] = field(default_factory=dict)
    """The first line that can only be of an order."""

    def read(self, cell: object, line: int) -> bool | None:
        """True for a day, None for an empty cell, False for anything else."""
        if is_empty(cell):
            return None
        if isinstance(cell, datetime):
            self._sure.add(cell.date())
            return True
        if isinstance(cell, date):
            self._sure.add(cell)
            return True
        if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
            return False
        text = f"{cell}".strip()
        day = _iso(text) or self._number(text) or _year_first(text) or _named(text)
        if day is not None:
            self._sure.add(day)
            return True
        return self._parts(text, line)

    @property
    def found_order(self) -> DateOrder | None:
        """The order that was given or that the column tells; None if nothing does."""
        if self.order is not None:
            return self.order
        return next(iter(self._seen), None) if len(self._seen) < 2 else None

    @property
    def fault(self) -> str | None:
        """What is wrong with the column as a whole; None if nothing is."""
        if len(self._seen) > 1:
            day, month = self._seen["dmy"], self._seen["mdy"]
            return f"has the day first in line {day} and the month first in line {month}"
        if self.found_order is None and self._unsure["dmy"] != self._unsure["mdy"]:
            return (
                "may have the day first or the month first, as in 03/04/2026, and no date in it tells which: "
                "say --date-order dmy or --date-order mdy"
            )
        return None

    def span(self) -> tuple[date | None, date | None]:
        """The first and the last day."""
        whole = _Span(self._sure.first, self._sure.last)
        unsure = self._unsure[self.found_order or "dmy"]
        for day in (unsure.first, unsure.last):
            if day is not None:
                whole.add(day)
        return whole.first, whole.last

    @property
    def notes(self) -> list[str]:
        """How dates were read where that may be wrong."""
        notes = []
        if self._unsure["dmy"].first is not None or self._seen:
            first = {"dmy": "the day first", "mdy": "the month first", None: "the day first"}[
                self.found_order
            ]
            notes.append(f"dates such as 3/4/2026 are read with {first} (--date-order says another)")
        if self.serials:
            cells = "1 number is" if self.serials == 1 else f"{self.serials:,} numbers are"
            notes.append(f"{cells} read as the serial number of a day or as seconds since 1970")
        return notes

    def _number(self, text: str) -> date | None:
        if not _NUMBER.fullmatch(text):
            return None
        number = float(text.replace(",", "."))
        day = None
        if _SERIAL[0] <= number < _SERIAL[1]:
            day = _EXCEL_EPOCH + timedelta(days=int(number))
        elif _SECONDS[0] <= number < _SECONDS[1]:
            day = date(1970, 1, 1) + timedelta(seconds=int(number))
        elif 1000 * _SECONDS[0] <= number < 1000 * _SECONDS[1]:
            day = date(1970, 1, 1) + timedelta(milliseconds=int(number))
        self.serials += day is not None
        return day

    def _parts(self, text: str, line: int) -> bool:
        found = _PARTS.fullmatch(text)
        if found is None or len(found[1]) > 2:
            return False
        one, two, year = int(found[1]), int(found[3]), _year(found[4])
        days: dict[DateOrder, date | None] = {"dmy": _day(year, two, one), "mdy": _day(year, one, two)}
        if self.order is None and found[2] == ".":
            days["mdy"] = None  # points are only written where the day comes first
        if self.order is not None:
            day = days[self.order]
            if day is not None:
                self._unsure[self.order].add(day)
            return day is not None
        of = {order: day for order, day in days.items() if day is not None}
        if len(of) == 1 and found[2] == ".":
            self._sure.add(*of.values())
            return True
        if len(of) == 1:
            self._seen.setdefault(next(iter(of)), line)
        for order, day in of.items():
            self._unsure[order].add(day)
        return bool(of)


def _iso(text: str) -> date | None:
    try:
        day = datetime.fromisoformat(text).date()
    except ValueError:
        if not text.endswith(("UTC", "GMT")):
            return None
        return _iso(text[:-3].rstrip())
    return day if _FIRST_YEAR <= day.year < _LAST_YEAR else None


def _year_first(text: str) -> date | None:
    found = _YEAR_FIRST.fullmatch(text)
    return None if found is None else _day(int(found[1]), int(found[3]), int(found[4]))


def _named(text: str) -> date | None:
    found = _NAMED.fullmatch(text)
    if found is None:
        return None
    name = (found[2] or found[3]).casefold()[:3]
    if name not in _MONTHS:
        return None
    return _day(_year(found[5]), _MONTHS.index(name) + 1, int(found[1] or found[4]))


def _year(digits: str) -> int:
    """Of two digits, one of this century: nobody audits older decisions."""
    year = int(digits)
    return year if len(digits) == 4 else 2000 + year


def _day(year: int, month: int, day: int) -> date | None:
    if not _FIRST_YEAR <= year < _LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
