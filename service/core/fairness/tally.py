"""Decisions counted one by one, and cells summed, into the counts of every attribute and intersection.

A cell is the people with the same group in every attribute.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from service.core.fairness.counts import GroupCounts
from service.core.groups import UNKNOWN, GroupSchema


@dataclass(slots=True)
class _Cell:
    """People with the same group in every attribute. Scores are kept: their median is known at the end."""

    n: int = 0
    selected: int = 0
    scores: array[float] = field(default_factory=lambda: array("d"))


class DecisionTally:
    """Memory: one cell for each combination of groups that occurs, and 8 bytes for each score."""

    def __init__(self, schema: GroupSchema) -> None:
        self._schema = schema
        self._attributes = tuple(schema.attributes)
        self._cells: dict[tuple[str, ...], _Cell] = {}

    def add(self, groups: Mapping[str, str], *, selected: bool, score: float | None = None) -> None:
        """Count one person; who names no group of an attribute is `unknown`.

        `groups` must fit the schema (`service.core.group_reading`), `score` must be finite.
        """
        key = tuple(groups.get(attribute, UNKNOWN) for attribute in self._attributes)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = _Cell()
        cell.n += 1
        cell.selected += selected
        if score is not None:
            cell.scores.append(score)

    @property
    def people(self) -> int:
        return sum(cell.n for cell in self._cells.values())

    @property
    def scored(self) -> int:
        return sum(len(cell.scores) for cell in self._cells.values())

    def median_score(self) -> float | None:
        """The sample's median: of all scores, those of people of unknown group included."""
        middle = self._middle()
        return None if middle is None else middle[0] / 2 + middle[1] / 2

    def counts(self) -> dict[str, dict[str, GroupCounts]]:
        """The counts of every group of every attribute and intersection of the schema, `unknown` included."""
        middle = self._middle()
        if middle is None:
            unscored = (
                (self._groups(key), GroupCounts(cell.n, cell.selected)) for key, cell in self._cells.items()
            )
            return sum_cells(self._schema, unscored, GroupCounts(0, 0))
        # Strictly above the median is strictly above the lower of the two middle scores: no score lies
        # between them, and no rounding of their mean plays a part.
        return sum_cells(
            self._schema,
            (
                (
                    self._groups(key),
                    GroupCounts(
                        cell.n,
                        cell.selected,
                        above_median=int((np.frombuffer(cell.scores) > middle[0]).sum()),
                        scored=len(cell.scores),
                    ),
                )
                for key, cell in self._cells.items()
            ),
            GroupCounts(0, 0, above_median=0, scored=0),
        )

    def _groups(self, key: tuple[str, ...]) -> dict[str, str]:
        return dict(zip(self._attributes, key, strict=True))

    def _middle(self) -> tuple[float, float] | None:
        """The two middle scores, equal if their number is odd; None without scores."""
        scores = [np.frombuffer(cell.scores) for cell in self._cells.values() if cell.scores]
        if not scores:
            return None
        everything = np.concatenate(scores)
        low, high = (len(everything) - 1) // 2, len(everything) // 2
        ordered = np.partition(everything, (low, high))
        return float(ordered[low]), float(ordered[high])


def sum_cells(
    schema: GroupSchema, cells: Iterable[tuple[Mapping[str, str], GroupCounts]], empty: GroupCounts
) -> dict[str, dict[str, GroupCounts]]:
    """Counts of every group of `schema`, intersections and `unknown` included.

    The groups of each cell must fit the schema. `empty` is the count of nobody: all zeros where scores and
    outcomes are counted, None where they are not.
    """
    totals = {attribute: dict.fromkeys(groups, empty) for attribute, groups in schema.members().items()}
    for groups, counts in cells:
        for attribute, group in schema.memberships(groups).items():
            totals[attribute][group] += counts
    return totals
