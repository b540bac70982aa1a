"""What a job can be, and what it can become: the words of OpenAI's Batch API.

validating --> in_progress --> finalizing --> completed
|              |               |
+--> failed    +---------------+--> cancelling --> cancelled
|              |               |
+--------------+---------------+--> expired
"""

from __future__ import annotations

from typing import Literal, get_args

Status = Literal[
    "validating", "in_progress", "finalizing", "completed", "failed", "cancelling", "cancelled", "expired"
]
STATUSES: tuple[Status, ...] = get_args(Status)

OPEN: tuple[Status, ...] = ("validating", "in_progress", "finalizing", "cancelling")
"""A job that is not over."""

CLAIMABLE: tuple[Status, ...] = ("validating", "in_progress")
"""Of such a job chunks may be begun."""

Priority = Literal["low", "normal", "high"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""From the last served to the first; the database holds the index."""
