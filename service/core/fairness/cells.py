"""From cells (people with the same group in every attribute) to the groups of every attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from service.core.fairness.counts import GroupCounts
from service.core.groups import GroupSchema


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
