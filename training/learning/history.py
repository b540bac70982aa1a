"""What each epoch came to: `epoch_metrics.csv` and `training_history.json`."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CSV_FILE = "epoch_metrics.csv"
JSON_FILE = "training_history.json"


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
        """Write both files anew. `chosen`: the row of each kept epoch."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._chosen = {str(name): int(self.rows[row]["epoch"]) for name, row in chosen.items()}
        _replace(self._folder / JSON_FILE, self.as_json())
        _replace(self._folder / CSV_FILE, self.as_csv())

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


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, "utf-8")
    os.replace(draft, file)
