"""Windows of time, in full hours of UTC: the resolution that decisions are counted with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.core.errors import WindowError
from service.store.tables import from_microseconds, to_microseconds

HOUR = 3_600_000_000
DAY = 24 * HOUR

EVERYTHING = "all"
DEFAULT_WINDOW = "30d"

_LENGTH = re.compile(r"([1-9][0-9]{0,4})([hd])", re.ASCII)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in microseconds; counted in pieces of `hours`, 1 or 24."""

    hours: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in microseconds, both at a full hour."""

    start: int
    end: int

    @property
    def first(self) -> datetime:
        return from_microseconds(self.start)

    @property
    def last(self) -> datetime:
        """The end, which is not in the window."""
        return from_microseconds(self.end)

    def periods(self) -> Iterator[Period]:
        """The full days inside, and the hours before and after them."""
        first_day, last_day = -(-self.start // DAY) * DAY, self.end // DAY * DAY
        if first_day >= last_day:
            yield Period(1, self.start, self.end)
            return
        if self.start < first_day:
            yield Period(1, self.start, first_day)
        yield Period(24, first_day, last_day)
        if last_day < self.end:
            yield Period(1, last_day, self.end)


def window_between(start: datetime, end: datetime, field: str = "from") -> Window:
    """The full hours that hold [start, end), both aware. Raises `WindowError` if there is nothing between."""
    if not _FIRST <= start < end <= _LAST:
        raise WindowError("from must be before to, both in the years 1970 to 2199", field=field)
    return Window(to_microseconds(start) // HOUR * HOUR, -(-to_microseconds(end) // HOUR) * HOUR)


def window_until(length: str, now: datetime) -> Window:
    """The last `length`, as `24h` or `30d`, or `all`; the hour that `now` is in belongs to it.

    Raises `WindowError` for another text.
    """
    if length == EVERYTHING:
        return window_between(_FIRST, now + timedelta(microseconds=1))
    found = _LENGTH.fullmatch(length)
    if found is None:
        raise WindowError("window is a number of hours or days, as 24h or 30d, or all", field="window")
    span = timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))
    # `now` itself was decided in this hour, also when it has just begun.
    return window_between(max(_FIRST, now - span), now + timedelta(microseconds=1), "window")


def window_asked(length: str | None, start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """The window of a question that names a length, or `from` and perhaps `to`, or nothing: then 30 days.

    Raises `WindowError` if it names both, or only `to`.
    """
    if start is None:
        if end is not None:
            raise WindowError("to needs from", field="to")
        return window_until(length or DEFAULT_WINDOW, now)
    if length is not None:
        raise WindowError("window and from exclude each other", field="window")
    return window_between(start, now + timedelta(microseconds=1) if end is None else end)
