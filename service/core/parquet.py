"""Parquet files, a batch of rows in memory at a time. pyarrow reads them, which an extra brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from service.core.errors import TableError

MAGIC = b"PAR1"
_ROWS_AT_ONCE = 256
"""Some megabytes of resumes."""


def import_pyarrow(file: Path, doing: str = "reading") -> Any:
    """The package with its module `parquet`. Raises `TableError`, which names the extra, if it is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise TableError(
            f"{file}: {doing} Parquet needs pyarrow; install it with: pip install 'evenmatch[parquet]'"
        ) from None
    return pyarrow


def parquet_columns(file: Path) -> list[str]:
    """The names of the columns. Raises `TableError` for a file that is no Parquet."""
    with _opened(file) as opened:
        return list(opened.schema_arrow.names)


def parquet_rows(file: Path, columns: Sequence[str]) -> Iterator[tuple[list[object], int]]:
    """The cells of `columns`, which must be there, of each row, and its number from 1.

    Raises `TableError` for a file that is no Parquet, or is damaged.
    """
    pyarrow = import_pyarrow(file)
    number = 0
    with _opened(file) as opened:
        try:
            for batch in opened.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(dict.fromkeys(columns))):
                lists = [batch.column(name).to_pylist() for name in columns]
                for cells in zip(*lists, strict=True):
                    number += 1
                    yield list(cells), number
        except (pyarrow.ArrowException, UnicodeDecodeError) as error:
            raise TableError(f"{file} after row {number}: damaged Parquet ({type(error).__name__})") from None


def _opened(file: Path) -> Any:
    pyarrow = import_pyarrow(file)
    try:
        return pyarrow.parquet.ParquetFile(file, pre_buffer=False)
    except pyarrow.ArrowException:
        raise TableError(f"{file} is not Parquet") from None
    except OSError as error:
        if error.strerror is None:  # pyarrow's own, of what is no Parquet
            raise TableError(f"{file} is not Parquet") from None
        raise TableError(f"{file} cannot be read: {error.strerror}") from None
