"""Rows of users' files: CSV, JSON Lines, Parquet, and folders that Hugging Face's `save_to_disk` wrote.

A row is a mapping of column to value. Rows count from 1; errors name file, row and column, never a value
that may be a text.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from training.data.errors import DataFormatError
from training.data.example import SplitName

Row = Mapping[str, Any]

_LONGEST_FIELD = 10_000_000
_SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "calibration": "calibration",
    "threshold": "threshold",
    "test": "test",
    "eval": "test",
}


def read_tables(path: Path) -> dict[SplitName | None, list[Row]]:
    """The rows of a file or folder by split name; a file or folder without splits gives one, under None.

    Raises `DataFormatError` if it cannot be read, has no rows or a split of an unknown name.
    """
    if path.is_dir():
        tables = _read_saved(path)
    else:
        reader = _READERS.get(path.suffix.lower())
        if reader is None:
            known = ", ".join(_READERS)
            raise DataFormatError(f"{path}: cannot read `{path.suffix}` files; known are {known} and folders")
        try:
            tables = {None: list(reader(path))}
        except OSError as error:
            raise DataFormatError(
                f"{path} cannot be read: {error.strerror or type(error).__name__}"
            ) from None
        except UnicodeDecodeError:
            raise DataFormatError(f"{path} is not UTF-8") from None
    for split, rows in tables.items():
        if not rows:
            raise DataFormatError(f"{path}{f' ({split})' if split else ''} holds no rows")
    return tables


def columns_of(rows: list[Row]) -> list[str]:
    """Every column that any row has, in the order of appearance."""
    return list(dict.fromkeys(column for row in rows for column in row))


def _read_csv(path: Path) -> Iterator[Row]:
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if not reader.fieldnames:
                raise DataFormatError(f"{path} has no header line")
            number = 0
            try:
                for number, row in enumerate(reader, 1):
                    if None in row or None in row.values():
                        wanted = len(reader.fieldnames)
                        raise DataFormatError(
                            f"{path}: row {number} has more or fewer fields than the header's {wanted}"
                        )
                    yield row
            except csv.Error as error:
                raise DataFormatError(f"{path}: row {number + 1} is not CSV: {error}") from None
    finally:
        csv.field_size_limit(limit)


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataFormatError(f"{path}: row {number} is not JSON: {error.msg}") from None
            if not isinstance(row, dict):
                raise DataFormatError(f"{path}: row {number} is not a JSON object")
            yield row


def _read_parquet(path: Path) -> Iterator[Row]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        for batch in ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except ArrowInvalid:
        raise DataFormatError(f"{path} is not Parquet") from None


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}


def _read_saved(path: Path) -> dict[SplitName | None, list[Row]]:
    # Imported late: it takes a second and only these folders need it.
    from datasets import DatasetDict, load_from_disk

    try:
        saved = load_from_disk(str(path))
    except (FileNotFoundError, ValueError, OSError) as error:
        raise DataFormatError(
            f"{path} is not a folder that `save_to_disk` wrote ({type(error).__name__})"
        ) from None
    if not isinstance(saved, DatasetDict):
        return {None: list(saved)}
    unknown = [name for name in saved if str(name).lower() not in _SPLIT_NAMES]
    if unknown:
        known = ", ".join(_SPLIT_NAMES)
        raise DataFormatError(f"{path} has a split `{unknown[0]}`; known are {known}")
    return {_SPLIT_NAMES[str(name).lower()]: list(rows) for name, rows in saved.items()}
