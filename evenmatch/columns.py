"""What the columns of a data frame mean, as `data.files` of a training configuration says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from evenmatch.frames import Frame, rows_of
from service.core.errors import InputError
from training.data.example import SPLITS, DataFormatError, SplitName
from training.data.user_data import Rows
from training.data.user_data_config import IN_MEMORY, UserDataConfig


class Columns(TypedDict, total=False):
    """Keywords that name columns. What is not named is as `data.files.columns` has it, or guessed."""

    resume_column: str
    job_column: str
    label_column: str
    title_column: str
    resume_id_column: str
    job_id_column: str
    job_family_column: str
    true_label_column: str
    group_columns: Mapping[str, str] | Sequence[str]


def columns_given(given: Columns) -> dict[str, Any]:
    """The keywords as keys of `data.files.columns`. `group_columns` may be a list of attributes' columns."""
    unknown = sorted(set(given).difference(Columns.__annotations__))
    if unknown:
        raise TypeError(f"{unknown[0]} is no keyword; columns are {', '.join(Columns.__annotations__)}")
    groups = given.get("group_columns")
    named: dict[str, Any] = {
        keyword.removesuffix("_column"): column
        for keyword, column in given.items()
        if keyword != "group_columns" and column is not None
    }
    if groups is not None:
        named["groups"] = (
            dict(groups) if isinstance(groups, Mapping) else {name: name for name in _list(groups)}
        )
    return named


def tables_of(frame: Frame | Mapping[str, Frame]) -> Rows:
    """The rows by split, of one frame that is still to be split, or of a frame for each split.

    Raises `FrameError` for what is no frame, `DataFormatError` for an unknown split or one without rows.
    """
    if not isinstance(frame, Mapping):
        return {None: _filled(rows_of(frame), "the data frame")}
    known: dict[str, SplitName] = {name: name for name in SPLITS}
    unknown = [name for name in frame if name not in known]
    if unknown:
        raise DataFormatError(f"there is no split `{unknown[0]}`; known are {', '.join(SPLITS)}")
    return {known[name]: _filled(rows_of(of), f"the data frame ({name})") for name, of in frame.items()}


def data_config(rows: Rows, given: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """`data.files` for rows in memory: `given` of a configuration, but for where its data lies."""
    kept = {name: value for name, value in given.items() if name not in ("file", "files")}
    kept["columns"] = {**kept.get("columns", {}), **columns}
    if None in rows:
        return {**kept, "file": str(IN_MEMORY)}
    return {**kept, "files": {str(split): str(IN_MEMORY) for split in rows}}


def user_data(rows: Rows, columns: Columns) -> UserDataConfig:
    """How to read rows without a configuration."""
    return UserDataConfig.model_validate(data_config(rows, {}, columns_given(columns)))


def _filled(rows: Sequence[Mapping[str, Any]], place: str) -> Sequence[Mapping[str, Any]]:
    if not rows:
        raise DataFormatError(f"{place} holds no rows")
    return rows


def _list(groups: Sequence[str]) -> list[str]:
    if isinstance(groups, str):
        raise InputError(
            f"group_columns must be a list of columns, or a mapping of attribute to column, as [{groups!r}]",
            field="group_columns",
        )
    return list(groups)
