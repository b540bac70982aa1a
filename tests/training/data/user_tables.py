"""A user's own data under test: tables in every format that is read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
from datasets import Dataset as Saved
from pyarrow import parquet

from training.data.example import Dataset
from training.data.user_data import load_user_data
from training.data.user_data_config import ColumnMapping, UserDataConfig

Rows = list[dict[str, Any]]
COLUMNS = ColumnMapping(
    resume="cv", job="ad", title="ad_title", resume_id="who", job_id="ad_id", groups={"sex": "gender"}
)


def rows(count: int = 60, **changes: Any) -> Rows:
    """Pairs of `count` persons, each with one of 12 jobs."""
    return [
        {
            "cv": f"Career of person {i}",
            "ad": f"Duties of job {i % 12}",
            "ad_title": f"Title {i % 12}",
            "who": f"p{i}",
            "ad_id": f"j{i % 12}",
            "label": ["No Fit", "Potential Fit", "Good Fit"][(i // 12) % 3],
            "gender": "female" if i % 2 else "male",
            **changes,
        }
        for i in range(count)
    ]


def write_csv(path: Path, table: Rows) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return path


def write_jsonl(path: Path, table: Rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in table), "utf-8")
    return path


def write_parquet(path: Path, table: Rows) -> Path:
    parquet.write_table(pyarrow.Table.from_pylist(table), path)
    return path


def write_saved(path: Path, table: Rows) -> Path:
    Saved.from_list(table).save_to_disk(str(path))
    return path


def load(path: Path, **changes: Any) -> Dataset:
    return load_user_data(UserDataConfig(**{"file": path, "columns": COLUMNS, **changes}))


FORMATS: dict[str, Callable[[Path, Rows], Path]] = {
    "pairs.csv": write_csv,
    "pairs.jsonl": write_jsonl,
    "pairs.parquet": write_parquet,
    "saved": write_saved,
}
