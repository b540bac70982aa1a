"""Weights of pairs, by which the groups that are rare among matches, or among the others, count as much.

In the losses' own words (`losses.py`): a pair of weight 2 counts as two such pairs would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from training.learning.losses import UNKNOWN
from training.learning.tokenized import TokenizedPairs

Cell = tuple[str, ...]
"""A resume's groups, one of each attribute."""

Method = Literal["none", "kamiran_calders", "inverse_frequency"]


class ReweighingConfig(BaseModel):
    """Whether, and by which attributes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Method = Field(
        "none",
        description="Weights of pairs in the losses by group and label, from the pairs that an epoch draws. "
        "`kamiran_calders`: P(group) P(label) / P(group, label), after which group and label are "
        "independent; `inverse_frequency`: 1 / P(group, label) over the number of such cells, after which "
        "all of them weigh the same.",
    )
    attributes: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Attributes whose groups count; of several their intersections. null: all that the "
        "training split has. A resume without one of them has weight 1.",
    )
    cap: float = Field(
        5.0, ge=1, description="No pair weighs more than this, or less than 1 / this. 1 switches weights off."
    )


class PairWeights:
    """The weight of a resume as a match or a non-match. `times`: how often an epoch draws each pair."""

    def __init__(
        self, pairs: TokenizedPairs, config: ReweighingConfig, times: Mapping[tuple[int, int], float]
    ) -> None:
        attributes = config.attributes or tuple(pairs.groups())
        self._cells = [_cell(resume.groups, attributes) for resume in pairs.resumes]
        counts: dict[tuple[Cell, int], float] = {}
        for (job, resume), drawn in times.items():
            cell, label = self._cells[resume], pairs.labels[job, resume]
            if cell is not None and label != UNKNOWN:
                counts[cell, label] = counts.get((cell, label), 0.0) + drawn
        self.table = cell_weights(counts, config.method, config.cap)
        """By cell and label."""

    def of(self, resume: int, label: int) -> float:
        """1 for a resume whose group is not known, and in a cell of which nothing is drawn."""
        cell = self._cells[resume]
        return 1.0 if cell is None else self.table.get((cell, label), 1.0)


def cell_weights(
    counts: Mapping[tuple[Cell, int], float], method: Method, cap: float
) -> dict[tuple[Cell, int], float]:
    """The weight of each cell g and label y of which there are n_gy > 0 pairs, in [1 / cap, cap].

    `kamiran_calders`: n_g n_y / (n n_gy) (Kamiran & Calders 2012, reweighing); before the cap the mean
    weight is 1 where every cell has both labels, and group and label are independent in the weighted pairs.
    `inverse_frequency`: n / (K n_gy), with K cells that are not empty; before the cap the mean weight is 1.
    """
    present = {key: n for key, n in counts.items() if n > 0}
    if method == "none" or not present:
        return {}
    total = sum(present.values())
    of_cell: dict[Cell, float] = {}
    of_label: dict[int, float] = {}
    for (cell, label), n in present.items():
        of_cell[cell] = of_cell.get(cell, 0.0) + n
        of_label[label] = of_label.get(label, 0.0) + n
    found = {}
    for (cell, label), n in present.items():
        weight = total / (len(present) * n)
        if method == "kamiran_calders":
            weight = of_cell[cell] * of_label[label] / (total * n)
        found[cell, label] = min(max(weight, 1.0 / cap), cap)
    return found


def _cell(groups: Mapping[str, str], attributes: tuple[str, ...]) -> Cell | None:
    if not attributes or not all(attribute in groups for attribute in attributes):
        return None
    return tuple(groups[attribute] for attribute in attributes)
