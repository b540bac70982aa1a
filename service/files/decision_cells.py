"""One cell of a file of decisions -> what it means. None of these errors shows what stood in the cell."""

from __future__ import annotations

import math
import re
from datetime import date, datetime

from service.core.errors import TableError, UnknownGroupError
from service.core.groups import UNKNOWN

_DECISIONS = {
    "selected": True,
    "1": True,
    "true": True,
    "yes": True,
    "not_selected": False,
    "0": False,
    "false": False,
    "no": False,
}
_SEPARATORS = re.compile(r"[\s-]+")


def read_decision(cell: object, where: str) -> bool:
    """True for `selected`. Raises `TableError` for anything but a decision."""
    if isinstance(cell, bool | int | float) and cell in (0, 1):
        return bool(cell)
    decision = _DECISIONS.get(cell.strip().lower()) if isinstance(cell, str) else None
    if decision is None:
        raise TableError(f"{where} is not a decision: {', '.join(_DECISIONS)}")
    return decision


def read_score(cell: object, where: str) -> float | None:
    """A finite number; None for an empty cell. Raises `TableError` for anything else."""
    if _is_empty(cell):
        return None
    # Python reads 1_000 as a number; nobody else does.
    numeric = isinstance(cell, str) and "_" not in cell
    if numeric or (isinstance(cell, int | float) and not isinstance(cell, bool)):
        try:
            score = float(cell)  # type: ignore[arg-type]  # a string or a number
        except (ValueError, OverflowError):
            score = math.nan
        if math.isfinite(score):
            return score
    raise TableError(f"{where} is not a finite number")


def read_day(cell: object, where: str) -> date | None:
    """The day of an ISO 8601 date or time, as written; None for an empty cell. Raises `TableError`."""
    if _is_empty(cell):
        return None
    try:
        return datetime.fromisoformat(cell.strip() if isinstance(cell, str) else "").date()
    except ValueError:
        raise TableError(f"{where} is not an ISO 8601 date or time, as 2026-03-31T14:05:00Z") from None


def read_group(cell: object, allowed: tuple[str, ...], where: str) -> str:
    """A group of `allowed`, in any case and with spaces or hyphens for underscores; `unknown` if empty.

    Raises `UnknownGroupError`, which lists what is allowed: what stood there may be a name.
    """
    if _is_empty(cell):
        return UNKNOWN
    group = _SEPARATORS.sub("_", cell.strip().lower()) if isinstance(cell, str) else ""
    if group not in (*allowed, UNKNOWN):
        raise UnknownGroupError(f"{where} is not one of {', '.join((*allowed, UNKNOWN))}, or empty")
    return group


def _is_empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
