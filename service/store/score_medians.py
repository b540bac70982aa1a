"""Who scored above the median of a window, exactly, without reading all of its scores.

Histograms say in which bin the middle of the sample lies; only the scores of that bin are read, through an
index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from service.store.cells import cell_groups, cell_text
from service.store.score_bins import EDGES
from service.store.tables import BINS, decisions
from service.store.windows import Window

Histogram = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MiddleScores:
    """`above`, `scored`: decisions by cell. `median` is None if there are no scores.

    `missing` scores of the bins that had to be read are no longer stored; they are in no other number.
    """

    median: float | None
    above: Counter[str]
    scored: Counter[str]
    missing: int


def find_middle_scores(
    connection: Connection, window: Window, bundle: str | None, histograms: Mapping[str, Histogram]
) -> MiddleScores:
    """The median of the window's scores, and how many of each cell are strictly above it."""
    return _Sample(connection, window, bundle, histograms).middle()


class _Sample:
    def __init__(
        self,
        connection: Connection,
        window: Window,
        bundle: str | None,
        histograms: Mapping[str, Histogram],
    ) -> None:
        self._connection = connection
        self._where: list[ColumnElement[bool]] = [
            decisions.c.time >= window.start,
            decisions.c.time < window.end,
        ]
        if bundle is not None:
            self._where.append(decisions.c.bundle_digest == bundle)
        self._cells = {cell: histogram.copy() for cell, histogram in histograms.items()}
        self._total: Histogram = sum(self._cells.values(), np.zeros(BINS, np.int64))
        self._missing = 0

    def middle(self) -> MiddleScores:
        ranks = self._settle()
        if ranks is None:
            return MiddleScores(None, Counter(), Counter(), self._missing)
        low, high = (self._score_at(rank) for rank in ranks)
        # Strictly above the median is strictly above the lower of the two middle scores.
        number = self._bin_of(ranks[0])
        above = self._above_in_bin(number, low)
        for cell, histogram in self._cells.items():
            above[cell] += int(histogram[number + 1 :].sum())
        scored = Counter({cell: int(histogram.sum()) for cell, histogram in self._cells.items()})
        return MiddleScores(low / 2 + high / 2, above, scored, self._missing)

    def _settle(self) -> tuple[int, int] | None:
        """Ranks of the two middle scores, all scores of their bins being stored; None if there is no score.

        Erased and purged scores are taken out of the bin that was to hold the middle, which can move it.
        """
        settled: set[int] = set()
        while (n := int(self._total.sum())) > 0:
            ranks = (n - 1) // 2, n // 2
            unsettled = {self._bin_of(rank) for rank in ranks} - settled
            if not unsettled:
                return ranks
            for of_middle in unsettled:
                self._take_out_missing(of_middle)
            settled |= unsettled
        return None

    def _take_out_missing(self, number: int) -> None:
        stored = self._count(number)
        if stored == self._total[number]:
            return
        self._missing += int(self._total[number]) - stored
        self._total[number] = stored
        there = self._rows(number)
        for cell, histogram in self._cells.items():
            histogram[number] = there[cell]

    def _bin_of(self, rank: int) -> int:
        return int(np.searchsorted(np.cumsum(self._total), rank, side="right"))

    def _score_at(self, rank: int) -> float:
        number = self._bin_of(rank)
        score = decisions.c.calibrated_probability
        found: float = self._connection.execute(
            select(score)
            .where(*self._inside(number))
            .order_by(score)
            .offset(rank - int(self._total[:number].sum()))
            .limit(1)
        ).scalar_one()
        return found

    def _above_in_bin(self, number: int, score: float) -> Counter[str]:
        """Decisions of a bin above `score` by cell, from their rows or, if those are fewer, the others'."""
        is_above = decisions.c.calibrated_probability > score
        above = self._count(number, is_above)
        if above <= int(self._total[number]) - above:
            return self._rows(number, is_above) if above else Counter()
        others = self._rows(number, decisions.c.calibrated_probability <= score)
        return Counter(
            {cell: int(histogram[number]) - others[cell] for cell, histogram in self._cells.items()}
        )

    def _count(self, number: int, *where: ColumnElement[bool]) -> int:
        """Stored decisions of a bin; the index alone knows."""
        counted = self._connection.scalar(select(func.count()).where(*self._inside(number), *where))
        return counted or 0

    def _rows(self, number: int, *where: ColumnElement[bool]) -> Counter[str]:
        """Stored decisions of a bin by cell."""
        groups = decisions.c.groups
        counts: Counter[str] = Counter()
        for text, n in self._connection.execute(
            select(groups, func.count()).where(*self._inside(number), *where).group_by(groups)
        ):
            counts[cell_text(cell_groups(text))] += n
        return counts

    def _inside(self, number: int) -> list[ColumnElement[bool]]:
        score = decisions.c.calibrated_probability
        low, high = EDGES[number], EDGES[number + 1]
        return [score >= low, score < high, *self._where]
