"""What callers were promised, what they were refused, and when something was broken on purpose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BROKEN = "broken"
"""A connection that could not be made, or ended before its answer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A try that was not answered as the caller wished, at monotonic times.

    `what`: status and code, or `BROKEN`.
    """

    route: str
    what: str
    sent: float
    ended: float

    def __str__(self) -> str:
        return f"{self.route}: {self.what} after {self.ended - self.sent:.1f} s"


@dataclass(frozen=True, slots=True)
class Window:
    """While something was broken. `allowed`: refusals by route; under "" those of every route."""

    name: str
    start: float
    end: float
    allowed: Mapping[str, Collection[str]]

    def explains(self, refusal: Refusal) -> bool:
        """Whether they overlap, and it is what the table of faults in docs/operations.md says."""
        overlap = refusal.sent <= self.end and refusal.ended >= self.start
        return overlap and any(refusal.what in self.allowed.get(name, ()) for name in ("", refusal.route))


@dataclass(slots=True)
class Scored:
    """An answered request of `/v1/score`.

    `candidates`: id and sex of each, in their order. `tries`: how often it was sent. `results`: as answered.
    """

    tenant: str
    key: str
    body: Mapping[str, Any]
    candidates: Sequence[tuple[str, str]]
    tries: int
    results: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class JobDone:
    """A batch job that came to its end. `results`: its records, in the order of `candidates`."""

    tenant: str
    job_id: str
    candidates: Sequence[tuple[str, str]]
    results: Sequence[Mapping[str, Any]]


@dataclass
class Ledger:
    """Filled by one event loop.

    `sent`: candidates of each tenant that were ever sent for a decision; `answered`: of those, the ones whose
    caller has an answer. `hung_up`: candidates of callers who did not wait.
    """

    scored: list[Scored] = field(default_factory=list)
    jobs: list[JobDone] = field(default_factory=list)
    outcomes: dict[str, bool] = field(default_factory=dict)
    hung_up: set[str] = field(default_factory=set)
    sent: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def unexplained(self, windows: Iterable[Window]) -> list[Refusal]:
        """Refusals that nothing explains that was broken on purpose."""
        known = list(windows)
        return [one for one in self.refusals if not any(window.explains(one) for window in known)]
