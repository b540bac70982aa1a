"""Live fairness: gauges computed from the stored counts every some seconds, never during a scrape."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol, get_args

from sqlalchemy import Engine

from service.core.errors import StoreError, StoreUnavailableError
from service.core.fairness.comparison import compare_groups
from service.core.fairness.counts import GroupCounts
from service.core.groups import UNKNOWN, GroupSchema
from service.core.tenants import DEFAULT_TENANT
from service.store.transactions import reading
from service.store.window_counts import count_window, window_until

log = logging.getLogger(__name__)

WindowName = Literal["1h", "24h", "7d", "30d"]
WINDOWS: tuple[WindowName, ...] = get_args(WindowName)
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """One group's figures over one window; None: not computable, or the database does not answer."""

    selection_rate: float | None
    impact_ratio: float | None
    sample_size: int | None


Figures = Mapping[tuple[str, str, WindowName], LiveFigures]
"""By attribute, group and window."""


class FairnessObserver(Protocol):
    """Who shows the figures; called from a background thread."""

    def fairness(self, figures: Figures, tenant: str = DEFAULT_TENANT) -> None:
        """All figures of all windows; of one tenant where figures are told by tenant."""


def live_fairness(engine: Engine, schema: GroupSchema, now: datetime, tenant: str | None = None) -> Figures:
    """Every group of every attribute and intersection in every window.

    `tenant`: whose decisions, None for those of all. Raises `StoreUnavailableError`.
    """
    with reading(engine) as connection:
        found = {
            window: count_window(
                connection, window_until(window, now), kind="label", scores=False, tenant=tenant
            )
            for window in WINDOWS
        }
    return {
        (attribute, group, window): figures
        for window, counts in found.items()
        for attribute, groups in counts.by_group(schema).items()
        for group, figures in _figures(attribute, groups)
    }


class LiveFairnessThread:
    """Tells the observer at `start` and then every `seconds`, in a thread of its own, until `stop`.

    `tenants`: figures are told of each of these by itself; without any, of all decisions there are.
    """

    def __init__(
        self,
        engine: Engine,
        schema: GroupSchema,
        observer: FairnessObserver,
        seconds: float,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        tenants: Sequence[str] = (),
    ) -> None:
        self._engine = engine
        self._schema = schema
        self._observer = observer
        self._seconds = seconds
        self._tenants = tenants
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-fairness", daemon=True)

    def start(self) -> None:
        """Return when the first figures are told: no scrape shows a service that has not looked yet."""
        self._tell()
        self._thread.start()

    def stop(self) -> None:
        """Return when the thread has ended, or is waiting for a database that does not answer."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)

    def refresh(self) -> None:
        """Compute and tell. If the database does not answer, old numbers give way to none."""
        now = self._clock()
        try:
            if not self._tenants:
                self._observer.fairness(live_fairness(self._engine, self._schema, now))
            for tenant in self._tenants:
                self._observer.fairness(live_fairness(self._engine, self._schema, now, tenant), tenant)
        except (StoreError, StoreUnavailableError):
            log.warning("the database does not answer: live fairness has no numbers")
            self._tell_nothing()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._tell()

    def _tell(self) -> None:
        try:
            self.refresh()
        except Exception as error:  # the thread must live on, and a gauge that stands still looks alive
            log.error("live fairness failed: %s", type(error).__name__)
            self._tell_nothing()

    def _tell_nothing(self) -> None:
        nothing = self._nothing()
        if not self._tenants:
            self._observer.fairness(nothing)
        for tenant in self._tenants:
            self._observer.fairness(nothing, tenant)

    def _nothing(self) -> Figures:
        nothing = LiveFigures(None, None, None)
        return {
            (attribute, group, window): nothing
            for window in WINDOWS
            for attribute, groups in self._schema.members().items()
            for group in groups
        }


def _figures(attribute: str, groups: Mapping[str, GroupCounts]) -> Iterator[tuple[str, LiveFigures]]:
    for result in compare_groups(attribute, groups).selection.groups:
        yield result.group, LiveFigures(result.rate.value, result.impact_ratio.value, result.share.n)
    unknown = groups[UNKNOWN].selection
    yield UNKNOWN, LiveFigures(unknown.rate if unknown.n else None, None, unknown.n)
