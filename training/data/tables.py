"""Rows of users' files: CSV, JSON Lines, Parquet, and folders that Hugging Face's `save_to_disk` wrote.

Encodings and separators are found out (`service.core.tables`).

A row is a mapping of column to value. Rows count from 1; errors name file, row and column, never a value
that may be a text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from service.core.column_names import list_columns
from service.core.errors import TableError, UndecodableTextError
from service.core.tables import inspect_table, json_rows, rows_of_csv
from training.data.example import DataFormatError, SplitName

__all__ = ["TableRow", "columns_of", "list_columns", "read_tables"]

TableRow = Mapping[str, Any]

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


def read_tables(path: Path) -> dict[SplitName | None, list[TableRow]]:
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
            tables = {None: _sharing_texts(reader(path))}
        except OSError as error:
            raise DataFormatError(
                f"{path} cannot be read: {error.strerror or type(error).__name__}"
            ) from None
        except (TableError, UndecodableTextError) as error:
            raise DataFormatError(error.message) from None
    for split, rows in tables.items():
        if not rows:
            raise DataFormatError(f"{path}{f' ({split})' if split else ''} holds no rows")
    return tables


def columns_of(rows: list[TableRow]) -> list[str]:
    """Every column that any row has, in the order of appearance."""
    return list(dict.fromkeys(column for row in rows for column in row))


def _sharing_texts(rows: Iterable[TableRow]) -> list[TableRow]:
    """The rows, each text in memory once: pairs repeat the posting for every applicant."""
    known: dict[str, str] = {}
    return [
        {
            column: known.setdefault(value, value) if isinstance(value, str) else value
            for column, value in row.items()
        }
        for row in rows
    ]


def _read_csv(path: Path) -> Iterator[TableRow]:
    table = inspect_table(path)
    with path.open("rb") as stream:
        rows = rows_of_csv(table, stream)
        header, _ = next(rows, ([], 0))
        if not header:
            raise DataFormatError(f"{path} has no header line")
        _check_header(path, header)
        for cells, _ in rows:
            yield dict(zip(header, cells, strict=True))


def _check_header(path: Path, header: Sequence[str]) -> None:
    """Refuse a name that two columns have: only the last of them would be read."""
    for number, column in enumerate(header, 1):
        first = header.index(column) + 1
        if first != number and column.strip():  # spreadsheets write columns without a name
            raise DataFormatError(f"{path}: columns {first} and {number} of the header have the same name")


def _read_jsonl(path: Path) -> Iterator[TableRow]:
    encoding = inspect_table(path).encoding
    with path.open("rb") as stream:
        yield from (row for row, _ in json_rows(path, stream, encoding=encoding))


def _read_parquet(path: Path) -> Iterator[TableRow]:
    from pyarrow import ArrowInvalid
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
        names = _class_names(file.schema_arrow)
        for batch in file.iter_batches():
            yield from (_named(row, names) for row in batch.to_pylist())
    except ArrowInvalid:
        raise DataFormatError(f"{path} is not Parquet") from None


_READERS: dict[str, Callable[[Path], Iterator[TableRow]]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".parquet": _read_parquet,
}


def _read_saved(path: Path) -> dict[SplitName | None, list[TableRow]]:
    # Imported late: it takes a second and only these folders need it.
    from datasets import DatasetDict, load_from_disk

    try:
        saved = load_from_disk(str(path))
    except (LookupError, TypeError, ValueError, OSError) as error:
        raise DataFormatError(
            f"{path} is not a folder that `save_to_disk` wrote ({type(error).__name__})"
        ) from None
    if not isinstance(saved, DatasetDict):
        return {None: _saved_rows(saved)}
    unknown = [name for name in saved if str(name).lower() not in _SPLIT_NAMES]
    if unknown:
        known = ", ".join(_SPLIT_NAMES)
        raise DataFormatError(f"{path} has a split `{unknown[0]}`; known are {known}")
    tables: dict[SplitName | None, list[TableRow]] = {}
    for name, rows in saved.items():
        tables.setdefault(_SPLIT_NAMES[str(name).lower()], []).extend(_saved_rows(rows))
    return tables


def _saved_rows(saved: Any) -> list[TableRow]:
    names = _class_names(saved.features.arrow_schema)
    return _sharing_texts(_named(row, names) for row in saved)


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Column to its values' names, where the numbers in it stand for names (Hugging Face's `ClassLabel`).

    Those numbers follow no meaning but the order of the names: in ("Good Fit", "No Fit") 0 is the match.
    """
    written = (schema.metadata or {}).get(b"huggingface")
    if written is None:
        return {}
    features = json.loads(written).get("info", {}).get("features") or {}
    return {
        column: list(feature["names"])
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def _named(row: TableRow, names: Mapping[str, list[str]]) -> TableRow:
    """The row with the names that its numbers stand for; -1 is `ClassLabel`'s own "no label"."""
    named = {
        column: of[row[column]] if 0 <= row[column] < len(of) else None
        for column, of in names.items()
        if isinstance(row.get(column), int)
    }
    return {**row, **named} if named else row
