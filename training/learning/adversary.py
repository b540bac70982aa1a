"""How hard the adversary pushes on the encoder: a strength that follows how well it tells the groups.

A fixed strength is too much for an adversary that knows nothing, whose gradient is noise, and for a model
whose matches suffer; and too little for one that reads the groups with ease.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from service.core.files import write_private
from training.learning.losses import UNKNOWN

CLAMP_FILE = "adversary_clamp.json"

Reduce = Callable[[Tensor], Tensor]
"""Sums a tensor over the processes that train together."""


class AdversaryClampConfig(BaseModel):
    """Bounds and pace of the strength; without `adaptive` it is 1 throughout."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    adaptive: bool = Field(
        False,
        description="Let the strength of the adversary's reversed gradient follow how well the adversary "
        "tells the groups; it multiplies `losses.adversary`. false: it is 1 throughout.",
    )
    least: float = Field(0.1, gt=0, description="Lowest strength, in multiples of `losses.adversary`.")
    most: float = Field(2.0, gt=0, description="Highest strength, in multiples of `losses.adversary`.")
    lower_below: float = Field(
        0.05,
        ge=-1,
        le=1,
        description="The strength falls while the adversary's advantage is below this: 0 is as good as "
        "chance, 1 tells every group ((balanced accuracy - 1 / groups) / (1 - 1 / groups)).",
    )
    raise_above: float = Field(
        0.15, ge=-1, le=1, description="The strength rises while the adversary's advantage is above this."
    )
    match_tolerance: float = Field(
        0.2,
        ge=0,
        description="The strength falls, whatever the adversary knows, while the match loss is above its "
        "lowest running mean so far by more than this share of it.",
    )
    pace: float = Field(
        0.05, gt=0, lt=1, description="Share of itself by which the strength falls or rises in a step."
    )
    memory: int = Field(
        20, ge=1, description="Steps that the running means of accuracy and match loss reach back, about."
    )

    @model_validator(mode="after")
    def _ordered(self) -> AdversaryClampConfig:
        if not self.least <= self.most:
            raise ValueError(f"least is {self.least:g}, above most = {self.most:g}")
        if not self.lower_below <= self.raise_above:
            raise ValueError(f"lower_below is {self.lower_below:g}, above raise_above = {self.raise_above:g}")
        return self


class AdversaryClamp:
    """The strength and the running means that move it. `groups`: how many each attribute has.

    Means are of hits and rows by group, decayed by 1 - 1 / memory a step, so that the balanced accuracy of
    rare groups stands on the last rows that there were, and of the match loss.
    """

    def __init__(self, config: AdversaryClampConfig, groups: Mapping[str, int]) -> None:
        self._config = config
        self._groups = dict(groups)
        size = sum(self._groups.values())
        self._hits = torch.zeros(size, dtype=torch.float64)
        self._rows = torch.zeros(size, dtype=torch.float64)
        self._match = torch.zeros(2, dtype=torch.float64)  # sum and count, decayed
        self._best_match: float | None = None
        self._new = torch.zeros(2 * size + 2, dtype=torch.float64)
        self.strength = min(max(1.0, config.least), config.most)

    def note(self, found: Mapping[str, tuple[Tensor, Tensor]], match_loss: float) -> None:
        """Take in a batch: of each attribute, logits (N, G) and groups (N,), and the batch's match loss."""
        start, size = 0, len(self._hits)
        for attribute, count in self._groups.items():
            if attribute in found:
                logits, groups = (of.detach().cpu() for of in found[attribute])
                known = groups != UNKNOWN
                hit = (logits[known].argmax(dim=1) == groups[known]).double()
                self._new[start : start + count].index_add_(0, groups[known], hit)
                ones = torch.ones_like(hit)
                self._new[size + start : size + start + count].index_add_(0, groups[known], ones)
            start += count
        self._new[-2:] += torch.tensor([match_loss, 1.0], dtype=torch.float64)

    def step(self, *, pushing: bool, reduce: Reduce = lambda of: of) -> None:
        """After an optimizer step: renew the means with what was noted, and move the strength.

        `pushing`: the adversary's gradient reaches the encoder by now. Before that the means are renewed,
        but the strength and the lowest match loss are not.
        """
        new, size = reduce(self._new), len(self._hits)
        self._new = torch.zeros_like(self._new)
        kept = 1.0 - 1.0 / self._config.memory
        self._hits = kept * self._hits + new[:size]
        self._rows = kept * self._rows + new[size : 2 * size]
        self._match = kept * self._match + new[2 * size :]
        if not pushing or not float(self._match[1]):
            return
        match = float(self._match[0] / self._match[1])
        self._best_match = match if self._best_match is None else min(match, self._best_match)
        advantage, config = self.advantage, self._config
        if match > (1.0 + config.match_tolerance) * self._best_match or advantage < config.lower_below:
            self._move(1.0 - config.pace)
        elif advantage > config.raise_above:
            self._move(1.0 + config.pace)

    @property
    def advantage(self) -> float:
        """(balanced accuracy - 1 / G) / (1 - 1 / G), the mean over attributes; G: groups seen of late.

        0 where no attribute has two groups of late.
        """
        found, start = [], 0
        for count in self._groups.values():
            hits, rows = self._hits[start : start + count], self._rows[start : start + count]
            seen = rows > _SEEN
            if int(seen.sum()) > 1:
                chance = 1.0 / int(seen.sum())
                found.append((float((hits[seen] / rows[seen]).mean()) - chance) / (1.0 - chance))
            start += count
        return sum(found) / len(found) if found else 0.0

    @property
    def figures(self) -> dict[str, float]:
        """For `epoch_metrics.csv`."""
        return {"adversary_strength": self.strength, "adversary_advantage": self.advantage}

    def save(self, folder: Path) -> None:
        """Write the state into a checkpoint; floats come back to the bit."""
        state = {
            "strength": self.strength,
            "hits": self._hits.tolist(),
            "rows": self._rows.tolist(),
            "match": self._match.tolist(),
            "best_match": self._best_match,
        }
        write_private(folder / CLAMP_FILE, json.dumps(state, indent=2) + "\n")

    def load(self, folder: Path) -> None:
        """Read the state of a checkpoint. Raises `OSError` or `ValueError` if there is none."""
        state: dict[str, Any] = json.loads((folder / CLAMP_FILE).read_text("utf-8"))
        self.strength, self._best_match = state["strength"], state["best_match"]
        self._hits, self._rows, self._match = (
            torch.tensor(state[name], dtype=torch.float64) for name in ("hits", "rows", "match")
        )
        self._new = torch.zeros_like(self._new)

    def _move(self, factor: float) -> None:
        self.strength = min(max(self.strength * factor, self._config.least), self._config.most)


_SEEN = 0.5
"""Decayed rows: below that a group was not seen for so long that its accuracy says nothing."""
