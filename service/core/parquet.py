"""Parquet files, a batch of rows in memory at a time. pyarrow reads them, which an extra brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from service.core.errors import TableError
from service.core.files import Source

MAGIC = b"PAR1"
_ROWS_AT_ONCE = 256
"""Some megabytes of resumes."""


def import_pyarrow(file: Source, doing: str = "reading") -> Any:
    """The package with its module `parquet`. Raises `TableError`, which names the extra, if it is missing."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise TableError(
            f"{file}: {doing} Parquet needs pyarrow; install it with: pip install 'evenmatch[parquet]'"
        ) from None
    return pyarrow


def parquet_columns(file: Source) -> list[str]:
    """The names of the columns. Raises `TableError` for a file that is no Parquet."""
    with _opened(file) as opened:
        return list(opened.schema_arrow.names)


def parquet_rows(file: Source, columns: Sequence[str]) -> Iterator[tuple[list[object], int]]:
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


def parquet_types(file: Source) -> dict[str, Any]:
    """Columns to their Arrow types. Raises as `parquet_columns`."""
    with _opened(file) as opened:
        return {field.name: field.type for field in opened.schema_arrow}


@contextmanager
def _opened(file: Source) -> Iterator[Any]:
    pyarrow = import_pyarrow(file)
    with closing(_stream(file)) as stream:
        try:
            opened = pyarrow.parquet.ParquetFile(stream, pre_buffer=False)
        except (pyarrow.ArrowException, OSError):
            raise TableError(f"{file} is not Parquet") from None
        with opened:
            yield opened


def _stream(file: Source) -> Any:
    try:
        return file.open("rb")
    except OSError as error:
        raise TableError(f"{file} cannot be read: {error.strerror or type(error).__name__}") from None
