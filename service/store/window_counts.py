"""What was decided in a window, from counts; one row for each cell of groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Table, func, select

from service.core.fairness.counts import GroupCounts, OutcomeCounts
from service.store.cells import cell_groups
from service.store.outcomes import OutcomeKind
from service.store.score_medians import MiddleScores, find_middle_scores
from service.store.tables import BIN_NAMES, BINS, decision_counts, from_microseconds, outcome_counts
from service.store.windows import Period, Window


@dataclass(frozen=True, slots=True)
class WindowCounts:
    """`cells`: groups as recorded, with counts. `bundles`: decisions by the digest of their bundle.

    `first_day`, `last_day`: of the decisions, in UTC; None without any. `scored`: decisions whose score is in
    the sample of the scoring rates. `missing_scores`: those that would be, were they not erased or purged.
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


@dataclass(slots=True)
class _Cell:
    n: int = 0
    selected: int = 0


def count_window(
    connection: Connection,
    window: Window,
    *,
    kind: OutcomeKind,
    bundle: str | None = None,
    scores: bool = True,
) -> WindowCounts:
    """The counts of `window`, of one bundle only if it is named. Without `scores` no score is looked at.

    `connection` must hold one snapshot (`service.store.transactions.reading`).
    """
    names = BIN_NAMES if scores else ()
    cells: dict[str, _Cell] = defaultdict(_Cell)
    histograms: dict[str, NDArray[np.int64]] = defaultdict(lambda: np.zeros(BINS, np.int64))
    bundles: Counter[str] = Counter()
    among_others = False
    for groups, digest, selected, n, *bins in _sums(
        connection, decision_counts, window, None, ("groups", "bundle_digest", "selected"), ("n", *names)
    ):
        if bundle not in (None, digest):
            among_others = True
            continue
        cells[groups].n += n
        cells[groups].selected += n if selected else 0
        bundles[digest] += n
        if scores:
            histograms[groups] += np.array(bins, np.int64)
    outcomes: dict[str, dict[tuple[bool, bool], int]] = defaultdict(lambda: defaultdict(int))
    for groups, selected, of_kind, positive, n in _sums(
        connection, outcome_counts, window, bundle, ("groups", "selected", "kind", "positive"), ("n",)
    ):
        if of_kind == kind:
            outcomes[groups][selected, positive] += n
    # That a score is of this bundle is not in the index, and need not be asked if there is no other.
    only = bundle if among_others else None
    middle = find_middle_scores(connection, window, only, histograms) if scores else None
    return WindowCounts(
        cells=tuple(
            (cell_groups(groups), _counts(cell, outcomes[groups], middle, groups))
            for groups, cell in cells.items()
        ),
        bundles=dict(sorted(bundles.items())),
        first_day=_day(connection, window, bundle, func.min),
        last_day=_day(connection, window, bundle, func.max),
        scored=0 if middle is None else sum(middle.scored.values()),
        median_score=None if middle is None else middle.median,
        missing_scores=0 if middle is None else middle.missing,
    )


def _sums(
    connection: Connection,
    table: Table,
    window: Window,
    bundle: str | None,
    keys: tuple[str, ...],
    names: tuple[str, ...],
) -> Iterator[tuple[Any, ...]]:
    """Sums of `names` by `keys`, for each piece of the window by itself: keys come more than once."""
    columns = [table.c[key] for key in keys]
    for period in window.periods():
        where = _inside(table, period)
        if bundle is not None:
            where.append(table.c.bundle_digest == bundle)
        sums = (func.sum(table.c[name]) for name in names)
        yield from map(tuple, connection.execute(select(*columns, *sums).where(*where).group_by(*columns)))


def _inside(table: Table, period: Period) -> list[ColumnElement[bool]]:
    return [table.c.hours == period.hours, table.c.start >= period.start, table.c.start < period.end]


def _counts(
    cell: _Cell, outcomes: Mapping[tuple[bool, bool], int], middle: MiddleScores | None, groups: str
) -> GroupCounts:
    scored = middle is not None and middle.median is not None
    return GroupCounts(
        cell.n,
        cell.selected,
        above_median=middle.above[groups] if middle is not None and scored else None,
        scored=middle.scored[groups] if middle is not None and scored else None,
        outcomes=OutcomeCounts(*(outcomes.get(key, 0) for key in product((True, False), (True, False)))),
    )


def _day(connection: Connection, window: Window, bundle: str | None, extreme: Any) -> date | None:
    table = decision_counts
    where = _inside(table, Period(1, window.start, window.end))
    if bundle is not None:
        where.append(table.c.bundle_digest == bundle)
    hour = connection.scalar(select(extreme(table.c.start)).where(*where))
    return None if hour is None else from_microseconds(hour).date()
