"""Which epochs to keep: best, best-utility, best-fairness, and the best inside a window of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Choice = Literal["best", "best_utility", "best_fairness", "window_best"]

UTILITY = "pr_auc"
FAIRNESS = "overall_fairness_score"
COUNTERFACTUAL = "counterfactual_shift_sd"

Row = Mapping[str, float]


class SelectionConfig(BaseModel):
    """How epochs are compared, on the validation split.

    Attributes:
        fairness_weight: `best` is the highest pr_auc less this times (overall fairness score + shift / sd).
        window: First and last epoch, counted from 1, among which `window_best` is sought.
        window_fairness: `window_best` has the highest pr_auc of those with a fairness score below this.
        patience: Stop after so many epochs in which `best` did not improve; None never stops early.
        final: The choice that goes into the bundle.
        balanced: Judge by the figures in which every group and label weigh the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    fairness_weight: float = Field(0.5, ge=0)
    window: tuple[int, int] = (7, 12)
    window_fairness: float = Field(0.12, gt=0)
    patience: int | None = Field(None, ge=1)
    final: Choice = "best"
    balanced: bool = True

    @model_validator(mode="after")
    def _window_is_ordered(self) -> SelectionConfig:
        if not 1 <= self.window[0] <= self.window[1]:
            raise ValueError(f"window must be [first, last] with 1 <= first <= last, not {list(self.window)}")
        return self


def chosen_epochs(rows: Sequence[Row], config: SelectionConfig) -> dict[Choice, int]:
    """The index of the row of each choice; earlier rows win ties. `window_best` may be missing.

    Each row holds an epoch's figures: `epoch`, `pr_auc`, `overall_fairness_score` (lower is better; also
    `balanced_...`) and `counterfactual_shift_sd`.
    """
    if not rows:
        return {}
    everything = range(len(rows))
    chosen: dict[Choice, int] = {
        "best": max(everything, key=lambda i: combined(rows[i], config)),
        "best_utility": max(everything, key=lambda i: rows[i][UTILITY]),
        "best_fairness": min(everything, key=lambda i: fairness(rows[i], config)),
    }
    first, last = config.window
    inside = [
        i
        for i in everything
        if first <= rows[i]["epoch"] <= last and fairness(rows[i], config) < config.window_fairness
    ]
    if inside:
        chosen["window_best"] = max(inside, key=lambda i: rows[i][UTILITY])
    return chosen


def combined(row: Row, config: SelectionConfig) -> float:
    """Utility less weighted unfairness: what `best` maximises."""
    return row[UTILITY] - config.fairness_weight * (fairness(row, config) + row[COUNTERFACTUAL])


def fairness(row: Row, config: SelectionConfig) -> float:
    """The overall fairness score that the selection goes by; lower is better."""
    return row[f"balanced_{FAIRNESS}" if config.balanced else FAIRNESS]


def should_stop(rows: Sequence[Row], config: SelectionConfig) -> bool:
    """True once `patience` epochs have passed since `best`."""
    if config.patience is None or not rows:
        return False
    return len(rows) - 1 - chosen_epochs(rows, config)["best"] >= config.patience
