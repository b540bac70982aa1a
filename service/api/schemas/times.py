"""A time or a day in a body or a query: ISO 8601, and nothing that has to be guessed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator


def _iso(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 time as a string")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an ISO 8601 time, as 2026-03-31T14:05:00Z") from None


def _iso_day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 date as a string")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an ISO 8601 date, as 2026-03-31") from None


Time = Annotated[AwareDatetime, BeforeValidator(_iso)]
Day = Annotated[date, BeforeValidator(_iso_day)]
