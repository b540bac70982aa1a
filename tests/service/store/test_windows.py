from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import WindowError
from service.store.window_counts import DAY, HOUR, Window, window_asked, window_between, window_until

NOW = datetime(2026, 3, 31, 12, 20, tzinfo=UTC)


def hours(window: Window) -> tuple[str, str]:
    return window.first.isoformat(timespec="minutes"), window.last.isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("length", "first"),
    [
        ("1h", "2026-03-31T11:00+00:00"),
        ("24h", "2026-03-30T12:00+00:00"),
        ("7d", "2026-03-24T12:00+00:00"),
        ("99999d", "1970-01-01T00:00+00:00"),
        ("all", "1970-01-01T00:00+00:00"),
    ],
)
def test_a_length_reaches_back_from_the_hour_that_is_running(length: str, first: str) -> None:
    assert hours(window_until(length, NOW)) == (first, "2026-03-31T13:00+00:00")


def test_the_moment_that_begins_an_hour_is_inside() -> None:
    assert hours(window_until("1h", NOW.replace(minute=0)))[1] == "2026-03-31T13:00+00:00"


def test_moments_are_widened_to_full_hours_of_utc() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    start, end = datetime(2026, 3, 1, tzinfo=india), datetime(2026, 3, 2, tzinfo=india)
    assert hours(window_between(start, end)) == ("2026-02-28T18:00+00:00", "2026-03-01T19:00+00:00")


def test_a_question_without_a_window_is_about_30_days() -> None:
    assert window_asked(None, None, None, NOW) == window_until("30d", NOW)
    assert window_asked(None, NOW - timedelta(hours=2), None, NOW) == window_until("2h", NOW)


@pytest.mark.parametrize("length", ["", "0h", "24", "h", "-1d", "1w", "123456d", "1h ", "\u0661h"])
def test_what_is_no_length_is_refused(length: str) -> None:
    with pytest.raises(WindowError, match="number of hours or days"):
        window_until(length, NOW)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOW, NOW),
        (NOW, NOW - timedelta(hours=1)),
        (datetime(1969, 12, 31, tzinfo=UTC), NOW),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), NOW),
        (NOW, datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-14)))),
    ],
)
def test_what_holds_nothing_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(WindowError, match="from must be before to"):
        window_between(start, end)


def test_window_and_from_exclude_each_other() -> None:
    with pytest.raises(WindowError, match="exclude"):
        window_asked("1h", NOW, None, NOW)
    with pytest.raises(WindowError, match="to needs from"):
        window_asked("1h", None, NOW, NOW)


@given(st.integers(0, 200), st.integers(1, 200))
def test_periods_cover_the_window_once_with_days_as_long_as_there_are_any(start: int, length: int) -> None:
    window = Window(start * HOUR, (start + length) * HOUR)
    periods = list(window.periods())
    assert periods[0].start == window.start
    assert periods[-1].end == window.end
    for one, following in pairwise(periods):
        assert one.end == following.start
    for period in periods:
        assert period.start < period.end
        assert period.hours == 1 or (period.start % DAY, period.end % DAY) == (0, 0)
    assert sum((p.end - p.start) // HOUR for p in periods if p.hours == 1) <= 46
