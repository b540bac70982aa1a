"""Times and days in a body or a query: ISO 8601, times with their offset. Nothing is guessed."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _iso(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 time as a string")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an ISO 8601 time, as 2026-03-31T14:05:00Z") from None


def _iso_day(value: object) -> date:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("must be an ISO 8601 date, as 2026-01-15")


Time = Annotated[AwareDatetime, BeforeValidator(_iso)]
Day = Annotated[date, BeforeValidator(_iso_day)]
