"""Data frames in and out: pandas and polars are read, neither is needed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from service.core.errors import InputError


class DataFrame(Protocol):
    """A DataFrame of pandas or polars."""

    @property
    def columns(self) -> Any: ...
    def __len__(self) -> int: ...


Frame: TypeAlias = DataFrame | Sequence[Mapping[str, Any]]
"""A table: a DataFrame of pandas or polars, or a list of rows, each a mapping of column to value."""


class FrameError(InputError):
    """What was given as a data frame is none, or its columns cannot be told apart."""

    code = "frame_error"
    title = "Unusable data frame"


def rows_of(frame: Frame) -> list[Mapping[str, Any]]:
    """The rows of a frame; whatever pandas or polars mean by "missing" is None.

    Raises `FrameError` if it is no frame or two of its columns have the same name.
    """
    if isinstance(frame, list | tuple):
        if not all(isinstance(row, Mapping) for row in frame):
            raise FrameError("a list of rows must hold a mapping of column to value for each row")
        return [{str(name): or_none(cell) for name, cell in row.items()} for row in frame]
    if hasattr(frame, "collect") and not hasattr(frame, "to_dicts"):
        raise FrameError("this is a lazy frame: call .collect() on it first")
    if not hasattr(frame, "columns") or not (hasattr(frame, "iloc") or hasattr(frame, "to_dicts")):
        raise FrameError(
            f"a DataFrame of pandas or polars is needed, or a list of rows; this is {type(frame).__name__}"
        )
    table: Any = frame
    columns = [str(name) for name in table.columns]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise FrameError(f"two columns of the data frame are called {twice!r}", field=twice)
    if hasattr(frame, "to_dicts"):
        return [{name: or_none(cell) for name, cell in row.items()} for row in table.to_dicts()]
    cells = []
    for place in range(len(columns)):
        series = table.iloc[:, place]
        missing = series.isna().tolist()
        cells.append([None if gone else cell for cell, gone in zip(series.tolist(), missing, strict=True)])
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]


def data_frame(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> Any:
    """A pandas DataFrame of rows. Raises `ImportError` that says what to install."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("tables need pandas: pip install pandas", name="pandas") from error
    return pandas.DataFrame(list(rows), columns=None if columns is None else list(columns))


def texts_of(given: Any, what: str) -> list[Any]:
    """A text, or a list or column of texts, as a list. Raises `FrameError` for a mapping or a whole frame."""
    if isinstance(given, str) or hasattr(given, "read_bytes"):
        return [given]
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        raise FrameError(f"{what} must be texts, as a list or a column, not a {type(given).__name__}")
    return list(given)


def or_none(cell: Any) -> Any:
    """The cell, or None for what pandas means by "missing"."""
    if isinstance(cell, float) and cell != cell:
        return None
    pandas = sys.modules.get("pandas")
    return None if pandas is not None and cell is getattr(pandas, "NA", None) else cell
