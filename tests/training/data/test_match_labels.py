from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.training.data.user_tables import COLUMNS, load, rows, write_jsonl
from training.data.example import DataFormatError
from training.data.match_labels import LabelError, MatchLabels
from training.data.user_data_config import UserDataConfig


def labelled(labels: MatchLabels, cell: object) -> int | None:
    found = labels.read(cell)
    return None if found is None else found[0]


@pytest.mark.parametrize(
    ("meanings", "cut", "cells"),
    [
        (
            {"match": 1, "non-match": 0},
            None,
            {"Match": 1, "NON_MATCH": 0, "non match": 0, "": None, None: None},
        ),
        ({"Fit": 1, "none": 0}, None, {"fit": 1, "None": 0, "nan": None}),
        ({"poor": 1, "fair": 2, "good": 3}, 2.5, {"poor": 0, "fair": 0, "good": 1, "2.4": 0, 2.5: 1}),
        ({}, 0.0, {"-0.5": 0, -1: 0, 0: 1, "1e-3": 1, float("nan"): None}),
        ({}, 3, {1: 0, 3: 1, "4.5": 1}),
        ({}, None, {"No Fit": 0, "good_fit": 1, "Potential-Fit": 0, True: 1, 0.0: 0}),
    ],
)
def test_labels_mean_what_is_said(
    meanings: dict[str, float], cut: float | None, cells: dict[Any, int | None]
) -> None:
    labels = MatchLabels(meanings, cut, 0)
    for cell, expected in cells.items():
        assert labelled(labels, cell) == expected, cell


@pytest.mark.parametrize(
    ("meanings", "cut", "cell", "said"),
    [
        ({"match": 1, "other": 0}, None, "Jane Doe", "must be one of match, other"),
        ({}, 0.5, "Jane Doe", "must be a number"),
        ({}, 0.5, float("inf"), "must be a number"),
        ({}, None, "Jane Doe", "must be 0, 1"),
    ],
)
def test_what_is_no_label_is_said_and_not_repeated(
    meanings: dict[str, float], cut: float | None, cell: object, said: str
) -> None:
    with pytest.raises(LabelError, match=said) as caught:
        MatchLabels(meanings, cut, 0).read(cell)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"labels": {"a": 1, "b": 1}}, "every label is a match"),
        ({"labels": {"a": 0}}, "no label is a match"),
        ({"labels": {"a": 1, "b": 3}}, "for a scale give label_cut"),
        ({"labels": {"a": 1, "b": 3}, "label_cut": 4}, "no label is a match"),
        ({"labels": {"non-match": 0, "Non_Match": 1}}, "non match stands there twice"),
    ],
)
def test_a_mapping_that_cannot_train_is_refused_before_the_data_are_read(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        UserDataConfig(file=Path("nowhere.csv"), **given)


def test_keys_of_yaml_that_are_no_texts_are_labels_too() -> None:
    config = UserDataConfig(file=Path("a.csv"), labels={3: 0, 2: 1, True: 1})
    assert config.labels == {"3": 0, "2": 1, "true": 1}


def test_a_files_labels_are_mapped(tmp_path: Path) -> None:
    table = rows()
    for i, row in enumerate(table):
        row["label"] = ("Hire", "Reject")[(i // 12) % 2]
    file = write_jsonl(tmp_path / "a.jsonl", table)
    found = load(file, labels={"hire": 1, "reject": 0, "maybe": 0})
    assert {e.label for e in found.train} == {0, 1}
    assert any("no row has the label maybe" in warning for warning in found.warnings)
    with pytest.raises(DataFormatError, match=r"row 13, column `label`: must be one of hire, fit"):
        load(file, labels={"hire": 1, "fit": 0})


def test_scores_with_a_cut_are_labels(tmp_path: Path) -> None:
    table = rows()
    for i, row in enumerate(table):
        row["label"] = 0.1 if (i // 12) % 2 else 0.9
    found = load(write_jsonl(tmp_path / "a.jsonl", table), label_cut=0.5)
    assert {e.label for e in found.train} == {0, 1}
    assert COLUMNS.label == "label"
