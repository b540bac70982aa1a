"""The history of a training run: what each epoch came to, and which epochs are kept."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from service.core.files import write_private

CSV_FILE = "epoch_metrics.csv"
JSON_FILE = "training_history.json"

Choice = Literal["best", "best_utility", "best_fairness", "window_best"]
"""How an epoch is chosen by its figures."""

_FINAL = rf"^({'|'.join(get_args(Choice))}|epoch=[1-9][0-9]{{0,5}})$"


def _is_final(given: str) -> str:
    if not re.fullmatch(_FINAL, given):
        raise ValueError(f"must be {', '.join(get_args(Choice))}, or an epoch, as epoch=5")
    return given


Final = Annotated[str, AfterValidator(_is_final), WithJsonSchema({"type": "string", "pattern": _FINAL})]
"""A choice, or an epoch by its number: `epoch=5`."""

UTILITY = "pr_auc"
FAIRNESS = "overall_fairness_score"
COUNTERFACTUAL = "counterfactual_shift_sd"

EpochFigures = Mapping[str, float]


class SelectionConfig(BaseModel):
    """How epochs are compared, on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    fairness_weight: float = Field(
        0.5,
        ge=0,
        description="`best` is the highest pr_auc less this times (overall fairness score + shift / sd).",
    )
    window: tuple[int, int] = Field(
        (7, 12), description="First and last epoch, counted from 1, among which `window_best` is sought."
    )
    window_fairness: float = Field(
        0.12,
        gt=0,
        description="`window_best` has the highest pr_auc of those with a fairness score below this.",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="Stop after so many epochs in which `best` did not improve; None never stops early.",
    )
    final: Final = Field(
        "best",
        description="What goes into the bundle: `best`, `best_utility`, `best_fairness`, `window_best` (or "
        "`best` where no epoch is in the window), or an epoch, as `epoch=5`.",
    )
    keep: Literal["chosen", "all"] = Field(
        "chosen",
        description="Adapters that stay in the work folder: those of the four choices, or of every epoch. "
        "`evenmatch-train choose` makes a bundle of another of them.",
    )
    balanced: bool = Field(
        True, description="Judge by the figures in which every group and label weigh the same."
    )

    @model_validator(mode="after")
    def _window_is_ordered(self) -> SelectionConfig:
        if not 1 <= self.window[0] <= self.window[1]:
            raise ValueError(f"window must be [first, last] with 1 <= first <= last, not {list(self.window)}")
        return self


def chosen_epochs(rows: Sequence[EpochFigures], config: SelectionConfig) -> dict[Choice, int]:
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


def kept_name(epoch: int) -> str:
    """The folder of an epoch that is kept by its number."""
    return f"epoch-{epoch}"


def keeps_epoch(config: SelectionConfig, epoch: int) -> bool:
    """Whether an epoch is kept whatever its figures are."""
    return config.keep == "all" or config.final == f"epoch={epoch}"


def combined(row: EpochFigures, config: SelectionConfig) -> float:
    """Utility less weighted unfairness: what `best` maximises."""
    return row[UTILITY] - config.fairness_weight * (fairness(row, config) + row[COUNTERFACTUAL])


def fairness(row: EpochFigures, config: SelectionConfig) -> float:
    """The overall fairness score that the selection goes by; lower is better."""
    return row[f"balanced_{FAIRNESS}" if config.balanced else FAIRNESS]


def should_stop(rows: Sequence[EpochFigures], config: SelectionConfig) -> bool:
    """True once `patience` epochs have passed since `best`."""
    if config.patience is None or not rows:
        return False
    return len(rows) - 1 - chosen_epochs(rows, config)["best"] >= config.patience


class History:
    """The rows of all epochs so far; what another process wrote into `folder` is read first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._chosen: dict[str, int] = {}
        file = folder / JSON_FILE
        self.rows: list[dict[str, float]] = []
        if file.is_file():
            read = json.loads(file.read_text("utf-8"))
            self.rows, self._chosen = read["epochs"], read["chosen"]

    def add(self, row: Mapping[str, float]) -> None:
        """Append an epoch's figures; they are rounded, so that a resumed run compares as the first did."""
        self.rows.append({name: round(float(value), 6) for name, value in row.items()})

    def rewind(self, step: int) -> None:
        """Forget what came after the checkpoint of `step`."""
        self.rows = [row for row in self.rows if row["step"] <= step]
        left = {row["epoch"] for row in self.rows}
        self._chosen = {name: epoch for name, epoch in self._chosen.items() if epoch in left}

    def write(self, chosen: Mapping[Any, int]) -> None:
        """Rewrite both files. `chosen`: the row of each kept epoch."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._chosen = {str(name): int(self.rows[row]["epoch"]) for name, row in chosen.items()}
        write_private(self._folder / JSON_FILE, self.as_json())
        write_private(self._folder / CSV_FILE, self.as_csv())

    def as_json(self) -> str:
        """`{"chosen": {"best": 3, ...}, "epochs": [{...}, ...]}`."""
        return json.dumps({"chosen": self._chosen, "epochs": self.rows}, indent=2) + "\n"

    def as_csv(self) -> str:
        """One line an epoch; a column for every figure that any epoch has."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()
