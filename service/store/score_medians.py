"""The exact median of many scores, and who is above it, without reading all of them.

Histograms tell which bin has the middle of the sample. Only the scores of that bin are read, through an
index.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from service.store.hourly_counts import EDGES, cell_groups, cell_text
from service.store.tables import BINS, decisions

Histogram = NDArray[np.int64]  # (BINS,)


@dataclass(frozen=True, slots=True)
class ScoreMedian:
    """`value`: the median, None if there are no scores. `above`, `scored`: numbers of decisions by cell.

    `missing` scores of the bins that had to be read are not stored any more; no other number counts them.
    """

    value: float | None
    above: Counter[str]
    scored: Counter[str]
    missing: int


def find_score_median(
    connection: Connection, where: Sequence[ColumnElement[bool]], histograms: Mapping[str, Histogram]
) -> ScoreMedian:
    """The median of the scores of decisions, and how many of each cell are strictly above it.

    `where` selects the rows of the decisions; `histograms` by cell are of the same decisions.
    """
    return _Sample(connection, where, histograms).median()


class _Sample:
    def __init__(
        self,
        connection: Connection,
        where: Sequence[ColumnElement[bool]],
        histograms: Mapping[str, Histogram],
    ) -> None:
        self._connection = connection
        self._where = where
        self._groups_indexed = connection.dialect.name == "postgresql"
        self._cells = {cell: histogram.copy() for cell, histogram in histograms.items()}
        self._total: Histogram = sum(self._cells.values(), np.zeros(BINS, np.int64))
        self._missing = 0

    def median(self) -> ScoreMedian:
        ranks = self._middle_ranks()
        if ranks is None:
            return ScoreMedian(None, Counter(), Counter(), self._missing)
        low, high = self._scores_at(ranks)
        # No score lies between the two middle ones, so strictly above the median is strictly above the lower,
        # whose bin was read.
        number = self._bin_of(ranks[0])
        above = self._above_in_bin(number, low, ranks[0])
        for cell, histogram in self._cells.items():
            above[cell] += int(histogram[number + 1 :].sum())
        scored = Counter({cell: int(histogram.sum()) for cell, histogram in self._cells.items()})
        return ScoreMedian(low / 2 + high / 2, above, scored, self._missing)

    def _middle_ranks(self) -> tuple[int, int] | None:
        """Ranks of the two middle scores, whose bins are complete; None if there is no score.

        Erased and purged scores are taken out of the bin that was to hold the middle. That can move the
        middle into another bin, which may have missing scores too, so it is sought again until nothing
        changes.
        """
        complete: set[int] = set()
        while (n := int(self._total.sum())) > 0:
            ranks = (n - 1) // 2, n // 2
            unchecked = {self._bin_of(rank) for rank in ranks} - complete
            if not unchecked:
                return ranks
            for number in unchecked:
                self._take_out_missing(number)
            complete |= unchecked
        return None

    def _take_out_missing(self, number: int) -> None:
        # Where no index holds the groups, as in SQLite, that is a look at rows: only if something is missing.
        # In PostgreSQL one does, and of many decisions some are erased: one look, not two.
        if not self._groups_indexed and self._count(number) == self._total[number]:
            return
        by_cell = self._count_by_cell(number)
        stored = by_cell.total()
        self._missing += int(self._total[number]) - stored
        self._total[number] = stored
        for cell, histogram in self._cells.items():
            histogram[number] = by_cell[cell]

    def _bin_of(self, rank: int) -> int:
        return int(np.searchsorted(np.cumsum(self._total), rank, side="right"))

    def _scores_at(self, ranks: tuple[int, int]) -> tuple[float, float]:
        """The scores at two ranks, of which the second is the first or the next one."""
        low, high = ranks
        if self._bin_of(low) != self._bin_of(high):
            return self._scores_from(low, 1)[0], self._scores_from(high, 1)[0]
        found = self._scores_from(low, high - low + 1)
        return found[0], found[-1]

    def _scores_from(self, rank: int, count: int) -> list[float]:
        """`count` scores in ascending order, the first of which stands at `rank`, all in one complete bin."""
        number = self._bin_of(rank)
        before = rank - int(self._total[:number].sum())
        after = int(self._total[number]) - before - count
        score = decisions.c.calibrated_probability
        query = select(score).where(*self._inside(number)).limit(count)
        # What is skipped is read all the same: begin at the nearer end of the bin.
        if before <= after:
            return list(self._connection.execute(query.order_by(score).offset(before)).scalars())
        found = self._connection.execute(query.order_by(score.desc()).offset(after)).scalars()
        return list(found)[::-1]

    def _above_in_bin(self, number: int, score: float, rank: int) -> Counter[str]:
        """Decisions of a bin above `score`, which stands at `rank`, by cell.

        From their rows or, if those are fewer but for ties, from the others'.
        """
        column = decisions.c.calibrated_probability
        if 2 * (rank - int(self._total[:number].sum())) >= int(self._total[number]):
            return self._count_by_cell(number, column > score)
        others = self._count_by_cell(number, column <= score)
        return Counter(
            {cell: int(histogram[number]) - others[cell] for cell, histogram in self._cells.items()}
        )

    def _count(self, number: int) -> int:
        """Stored decisions of a bin; needs the index only."""
        return self._connection.scalar(select(func.count()).where(*self._inside(number))) or 0

    def _count_by_cell(self, number: int, *where: ColumnElement[bool]) -> Counter[str]:
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
