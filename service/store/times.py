"""Times as the tables hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(time: datetime) -> int:
    """Microseconds since 1970 in UTC; `time` must be aware."""
    return (time - _EPOCH) // _MICROSECOND


def from_microseconds(time: int) -> datetime:
    """The aware time in UTC."""
    return _EPOCH + timedelta(microseconds=time)
