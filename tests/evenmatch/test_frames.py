from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas
import polars
import pytest

from evenmatch.columns import Columns, columns_given, data_config, tables_of
from evenmatch.frames import FrameError, rows_of, texts_of
from service.core.errors import InputError
from training.data.example import DataFormatError
from training.data.user_data_config import IN_MEMORY

CELLS: dict[str, list[Any]] = {
    "text": ["a", None, "c"],
    "label": [1, 0, 1],
    "score": [0.5, float("nan"), 2.0],
}
ROWS: list[Mapping[str, Any]] = [
    {"text": "a", "label": 1, "score": 0.5},
    {"text": None, "label": 0, "score": None},
    {"text": "c", "label": 1, "score": 2.0},
]


@pytest.mark.parametrize(
    "make",
    [
        pandas.DataFrame,
        polars.DataFrame,
        lambda cells: [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)],
        lambda cells: pandas.DataFrame(cells).convert_dtypes(),
        lambda cells: pandas.DataFrame(cells, index=["x", "x", "y"]),
        lambda cells: pandas.DataFrame(cells).astype({"text": "category"}),
    ],
    ids=["pandas", "polars", "rows", "pandas-nullable", "pandas-index", "pandas-category"],
)
def test_frames_are_rows_with_none_for_what_is_missing(make: Callable[[Mapping[str, Any]], Any]) -> None:
    found = rows_of(make(CELLS))
    assert found == ROWS
    assert {type(row["label"]) for row in found} == {int}


def test_a_frame_without_rows_has_none() -> None:
    assert rows_of(pandas.DataFrame({"a": []})) == []
    assert rows_of(polars.DataFrame({"a": []})) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns of the data frame are called 'a'"),
        (polars.LazyFrame({"a": [1]}), "lazy frame: call .collect()"),
        (np.zeros((2, 2)), "a DataFrame of pandas or polars is needed, or a list of rows; this is ndarray"),
        ("pairs.csv", "this is str"),
        ([1, 2], "a mapping of column to value for each row"),
        (pandas.Series(["a"]), "this is Series"),
    ],
)
def test_what_is_no_frame_is_told(given: Any, message: str) -> None:
    with pytest.raises(FrameError) as raised:
        rows_of(given)
    assert message in raised.value.message


def test_texts_may_be_one_many_or_a_column() -> None:
    assert texts_of("a", "resumes") == ["a"]
    assert texts_of(("a", "b"), "resumes") == ["a", "b"]
    assert texts_of(pandas.Series(["a", "b"]), "resumes") == ["a", "b"]
    assert texts_of(polars.Series(["a", "b"]), "resumes") == ["a", "b"]
    with pytest.raises(FrameError, match="resumes must be texts"):
        texts_of(pandas.DataFrame(CELLS), "resumes")
    with pytest.raises(FrameError, match="resumes must be texts"):
        texts_of({"a": "b"}, "resumes")


def test_tables_are_whole_or_by_split() -> None:
    frame = pandas.DataFrame(CELLS)
    assert tables_of(frame) == {None: ROWS}
    assert tables_of({"train": frame, "test": frame}) == {"train": ROWS, "test": ROWS}
    with pytest.raises(DataFormatError, match="no split `holdout`; known are train, validation"):
        tables_of({"holdout": frame})
    with pytest.raises(DataFormatError, match=r"the data frame \(test\) holds no rows"):
        tables_of({"train": frame, "test": frame[:0]})


def test_columns_are_keywords() -> None:
    assert columns_given({"resume_column": "cv", "group_columns": ["sex"]}) == {
        "resume": "cv",
        "groups": {"sex": "sex"},
    }
    assert columns_given({"group_columns": {"sex": "gender"}}) == {"groups": {"sex": "gender"}}
    with pytest.raises(InputError, match="a list of columns"):
        columns_given({"group_columns": "sex"})
    wrong: Any = {"resum_column": "cv"}
    with pytest.raises(TypeError, match="resum_column is no keyword; columns are resume_column"):
        columns_given(wrong)


def test_a_configuration_keeps_all_but_where_its_data_lies() -> None:
    columns: Columns = {"label_column": "fit"}
    given = {"file": "old.csv", "label_cut": 3, "columns": {"resume": "cv", "label": "match"}}
    whole = data_config({None: ROWS}, given, columns_given(columns))
    assert whole == {"file": str(IN_MEMORY), "label_cut": 3, "columns": {"resume": "cv", "label": "fit"}}
    parts = data_config({"train": ROWS, "test": ROWS}, given, {})
    assert parts["files"] == {"train": str(IN_MEMORY), "test": str(IN_MEMORY)}
    assert "file" not in parts
