"""Windows of time, and what was decided in one: counts with one entry for each cell of groups.

Windows are full hours of UTC, the resolution of the stored counts.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, func, select

from service.core.errors import WindowError
from service.core.fairness.counts import GroupCounts, OutcomeCounts
from service.core.fairness.tally import sum_cells
from service.core.groups import GroupSchema
from service.core.tenants import DEFAULT_TENANT
from service.store.hourly_counts import DAY, HOUR, cell_groups
from service.store.outcomes import OutcomeKind
from service.store.score_medians import Histogram, ScoreMedian, find_score_median
from service.store.tables import (
    BIN_NAMES,
    BINS,
    decision_counts,
    from_microseconds,
    outcome_counts,
    tenant_decision_counts,
    tenant_outcome_counts,
    to_microseconds,
)
from service.store.tables import decisions as rows_of_decisions
from service.store.tenants import has_tenants, of_tenant

EVERYTHING = "all"
DEFAULT_WINDOW = "30d"

_LENGTH = re.compile(r"([1-9][0-9]{0,4})([hd])", re.ASCII)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)

_DECISIONS = decision_counts, tenant_decision_counts
_OUTCOMES = outcome_counts, tenant_outcome_counts


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) in microseconds, to be read from counts by `hours`, 1 or 24."""

    hours: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """[start, end) in microseconds, both at a full hour.

    `everything`: also what lies behind the end, as decisions of a machine whose clock was ahead.
    """

    start: int
    end: int
    everything: bool = False

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
    """The last `length`, such as `24h` or `30d`, or `all`; it ends with the hour that `now` is in.

    Raises `WindowError` for another text.
    """
    if length == EVERYTHING:
        return replace(window_between(_FIRST, now + timedelta(microseconds=1)), everything=True)
    found = _LENGTH.fullmatch(length)
    if found is None:
        raise WindowError("window is a number of hours or days, as 24h or 30d, or all", field="window")
    span = timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))
    # A decision made at `now` is in the window, also when the hour has just begun.
    return window_between(max(_FIRST, now - span), now + timedelta(microseconds=1), "window")


def window_asked(length: str | None, start: datetime | None, end: datetime | None, now: datetime) -> Window:
    """The window of a request that names a length, or `from` and perhaps `to`, or nothing: then 30 days.

    Raises `WindowError` if it names both, or only `to`.
    """
    if start is None:
        if end is not None:
            raise WindowError("to needs from", field="to")
        return window_until(length or DEFAULT_WINDOW, now)
    if length is not None:
        raise WindowError("window and from exclude each other", field="window")
    return window_between(start, now + timedelta(microseconds=1) if end is None else end)


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """`cells`: groups as recorded, with counts. `bundles`: decisions by the digest of their bundle.

    `first_day`, `last_day`: of the decisions, in UTC; None without any. `scored`: decisions whose score is in
    the sample of the scoring rates. `missing_scores`: those that are not in it because they were erased or
    purged.
    """

    cells: tuple[tuple[Mapping[str, str], GroupCounts], ...]
    bundles: Mapping[str, int]
    first_day: date | None
    last_day: date | None
    scored: int = 0
    median_score: float | None = None
    missing_scores: int = 0

    @property
    def people(self) -> int:
        return sum(self.bundles.values())

    def by_group(self, schema: GroupSchema) -> dict[str, dict[str, GroupCounts]]:
        """Counts of every attribute and intersection; groups that the schema does not know are unknown."""
        nobody = OutcomeCounts(0, 0, 0, 0)
        empty = GroupCounts(0, 0, outcomes=nobody)
        if self.median_score is not None:
            empty = GroupCounts(0, 0, above_median=0, scored=0, outcomes=nobody)
        return sum_cells(schema, ((schema.fitting(groups), counts) for groups, counts in self.cells), empty)


@dataclass(frozen=True, slots=True)
class AheadOfClock:
    """Decisions of hours after the present one. `first`, `last`: begins of their hours, in microseconds."""

    n: int
    first: int
    last: int


def find_ahead(
    connection: Connection, now: datetime, bundle: str | None = None, tenant: str | None = DEFAULT_TENANT
) -> AheadOfClock | None:
    """What is dated after the hour of `now`, of one bundle only if it is named; None if nothing is.

    `tenant`: None for all of them.
    """
    period = Period(1, _hour_after(now), to_microseconds(_LAST))
    found = []
    for table, asked in _tables(_DECISIONS, tenant):
        start = table.c.start
        sums = select(func.sum(table.c.n), func.min(start), func.max(start))
        n, first, last = connection.execute(sums.where(*_inside(table, period, bundle), *asked)).one()
        if n:
            found.append((int(n), first, last))
    if not found:
        return None
    return AheadOfClock(
        sum(n for n, _, _ in found), min(first for _, first, _ in found), max(last for _, _, last in found)
    )


def with_ahead(window: Window, ahead: AheadOfClock | None) -> Window:
    """`window`, up to the last decision there is if it holds everything."""
    if ahead is None or not window.everything:
        return window
    return replace(window, end=max(window.end, ahead.last + HOUR))


def _hour_after(now: datetime) -> int:
    return (to_microseconds(now) // HOUR + 1) * HOUR


def count_window(
    connection: Connection,
    window: Window,
    *,
    kind: OutcomeKind,
    bundle: str | None = None,
    scores: bool = True,
    tenant: str | None = DEFAULT_TENANT,
) -> WindowCounts:
    """The counts of `window`, of one bundle only if it is named. Without `scores` no score is looked at.

    `tenant`: whose decisions, None for those of all. `connection` must hold one snapshot
    (`service.store.transactions.reading`).
    """
    names = BIN_NAMES if scores else ()
    people: Counter[str] = Counter()  # by cell, as are all that follow but `bundles`
    selected_people: Counter[str] = Counter()
    histograms: dict[str, Histogram] = defaultdict(lambda: np.zeros(BINS, np.int64))
    bundles: Counter[str] = Counter()
    has_other_bundles = False
    for groups, digest, selected, n, *bins in _sums(
        connection, _DECISIONS, tenant, window, None, ("groups", "bundle_digest", "selected"), ("n", *names)
    ):
        if bundle not in (None, digest):
            has_other_bundles = True
            continue
        people[groups] += n
        selected_people[groups] += n if selected else 0
        bundles[digest] += n
        if scores:
            histograms[groups] += np.array(bins, np.int64)
    outcomes: dict[str, dict[tuple[bool, bool], int]] = defaultdict(lambda: defaultdict(int))
    for groups, selected, of_kind, positive, n in _sums(
        connection, _OUTCOMES, tenant, window, bundle, ("groups", "selected", "kind", "positive"), ("n",)
    ):
        if of_kind == kind:
            outcomes[groups][selected, positive] += n
    median = None
    if scores:
        stored = rows_of_decisions.c
        where = [stored.time >= window.start, stored.time < window.end]
        # The index has neither the bundle nor, of the default tenant, whose row it is, so these conditions
        # read rows: left out if they change nothing.
        if has_other_bundles:
            where.append(stored.bundle_digest == bundle)
        if tenant != DEFAULT_TENANT or has_tenants(connection):
            where += of_tenant(tenant)
        median = find_score_median(connection, where, histograms)
    return WindowCounts(
        cells=tuple(
            (cell_groups(groups), _counts(n, selected_people[groups], outcomes[groups], median, groups))
            for groups, n in people.items()
        ),
        bundles=dict(sorted(bundles.items())),
        first_day=_day(connection, window, bundle, tenant, min),
        last_day=_day(connection, window, bundle, tenant, max),
        scored=0 if median is None else sum(median.scored.values()),
        median_score=None if median is None else median.value,
        missing_scores=0 if median is None else median.missing,
    )


def _sums(
    connection: Connection,
    tables: tuple[Table, Table],
    tenant: str | None,
    window: Window,
    bundle: str | None,
    keys: tuple[str, ...],
    names: tuple[str, ...],
) -> Iterator[tuple[Any, ...]]:
    """Sums of `names` by `keys`, for each table and period of the window: keys come more than once."""
    for table, asked in _tables(tables, tenant):
        columns = [table.c[key] for key in keys]
        sums = [func.sum(table.c[name]) for name in names]
        for period in window.periods():
            query = select(*columns, *sums).where(*_inside(table, period, bundle), *asked)
            yield from map(tuple, connection.execute(query.group_by(*columns)))


def _tables(
    tables: tuple[Table, Table], tenant: str | None
) -> list[tuple[Table, tuple[ColumnElement[bool], ...]]]:
    """The tables that have a tenant's counts, or anybody's, each with the conditions for the tenant."""
    of_default, of_others = tables
    if tenant is None:
        return [(of_default, ()), (of_others, ())]
    if tenant == DEFAULT_TENANT:
        return [(of_default, ())]
    return [(of_others, (of_others.c.tenant == tenant,))]


def _inside(table: Table, period: Period, bundle: str | None) -> list[ColumnElement[bool]]:
    where = [table.c.hours == period.hours, table.c.start >= period.start, table.c.start < period.end]
    return where if bundle is None else [*where, table.c.bundle_digest == bundle]


def _counts(
    n: int,
    selected: int,
    outcomes: Mapping[tuple[bool, bool], int],
    median: ScoreMedian | None,
    groups: str,
) -> GroupCounts:
    sample = None if median is None or median.value is None else median
    return GroupCounts(
        n,
        selected,
        above_median=None if sample is None else sample.above[groups],
        scored=None if sample is None else sample.scored[groups],
        outcomes=OutcomeCounts(*(outcomes.get(key, 0) for key in product((True, False), (True, False)))),
    )


def _day(
    connection: Connection,
    window: Window,
    bundle: str | None,
    tenant: str | None,
    extreme: Callable[[list[int]], int],
) -> date | None:
    hours = []
    for table, asked in _tables(_DECISIONS, tenant):
        where = _inside(table, Period(1, window.start, window.end), bundle)
        of_table = func.min if extreme is min else func.max
        hour = connection.scalar(select(of_table(table.c.start)).where(*where, *asked))
        if hour is not None:
            hours.append(int(hour))
    return from_microseconds(extreme(hours)).date() if hours else None
