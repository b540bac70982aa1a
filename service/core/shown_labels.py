"""Cells that mean nothing known, counted: which of them may be shown to a person, and which may be names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator

SHOWN_FROM_ROWS = 10
"""A label in fewer rows may be somebody's name, put into the wrong column, and is counted but not shown."""

MOST_SHOWN = 20
MOST_LABELS = 50
"""A column with more unknown labels is no column of labels, and none of them is shown."""

_LONGEST_SHOWN = 60
_MOST_COUNTED = 1_000


class CountedLabels:
    """Labels with the number of their rows. `harmless`: such as are no names however few rows have them."""

    def __init__(self, harmless: Container[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.rows = 0
        self._harmless = harmless

    def add(self, label: str) -> None:
        """Count one row."""
        self.rows += 1
        label = label[: _LONGEST_SHOWN + 1]
        if label in self.counts or len(self.counts) <= _MOST_COUNTED:
            self.counts[label] += 1

    @property
    def many(self) -> bool:
        """Whether there are more than a column of labels has."""
        return len(self.counts) > MOST_LABELS

    @property
    def total(self) -> str:
        """How many labels, in words."""
        if len(self.counts) == 1:
            return "1"
        return f"{'over ' if len(self.counts) > _MOST_COUNTED else ''}{len(self.counts):,}"

    def listed(self) -> str:
        """`'W' in 12 rows; others in 3 rows, not shown since they may be names`.

        A label is shown if `SHOWN_FROM_ROWS` rows have it, or if it is harmless, and if the column has no
        more than `MOST_LABELS`: names are many, each in few rows.
        """
        shown = list(self._shown())
        parts = [f"{label!r} in {_rows(rows)}" for label, rows in shown]
        rest = self.rows - sum(rows for _, rows in shown)
        if rest:
            others = "others" if shown else "they are"
            parts.append(f"{others} in {_rows(rest)}, not shown since they may be names")
        return "; ".join(parts)

    def _shown(self) -> Iterator[tuple[str, int]]:
        if self.many:
            return
        for label, rows in self.counts.most_common(MOST_SHOWN):
            if len(label) <= _LONGEST_SHOWN and (rows >= SHOWN_FROM_ROWS or label in self._harmless):
                yield label, rows


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
