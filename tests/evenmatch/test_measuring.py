"""Exploring, evaluating, comparing and publishing from Python, with a tiny model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

import evenmatch
from service.core.bundle import Bundle
from service.core.errors import BundleError, InputError
from tests.support.training_world import examples_of
from training.bundles.export import ExportError
from training.data.example import DataFormatError
from training.evaluation.schema import Evaluation

MARK = "surgical"
COLUMNS: dict[str, Any] = {
    "title_column": "title",
    "job_id_column": "req",
    "resume_id_column": "person",
    "group_columns": ["sex"],
}
QUICK: dict[str, Any] = {"rounds": 10, "minimum": 5}


@pytest.fixture(autouse=True)
def _torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is converted."""
    monkeypatch.setenv("EVENMATCH_ENGINE", "torch-cpu")
    monkeypatch.setenv("EVENMATCH_DATA_DIR", str(tmp_path / "data"))


def pairs() -> pandas.DataFrame:
    return pandas.DataFrame(
        [
            {
                "req": e.job_id,
                "title": e.title,
                "job_description": e.description,
                "person": e.resume_id,
                "Resume": f"{e.resume} {MARK}",
                "match": e.label,
                "sex": e.groups["sex"],
            }
            for e in examples_of(4, prefix="test")
        ]
    )


def test_a_bundle_is_evaluated_on_a_frame(tiny_bundle: Bundle, tmp_path: Path) -> None:
    found = evenmatch.evaluate(tiny_bundle.path, pairs(), **QUICK, **COLUMNS)
    assert (found.evaluation.data.pairs, found.evaluation.data.jobs) == (48, 12)
    utility = found.utility().set_index("figure")
    given = found.evaluation.judgements[0].utility["roc_auc"]
    assert utility.loc["roc_auc", ["value", "low", "high", "n"]].tolist() == [
        given.value, given.low, given.high, given.n,
    ]  # fmt: skip
    assert set(found.groups()["group"]) == {"female", "male"}
    assert "demographic_parity_difference" in set(found.differences()["figure"])
    assert set(found.exposure()["attribute"]) == {"sex"}
    with pytest.raises(InputError, match="labels are given here, not true"):
        found.utility("true")
    html = found.save(tmp_path / "report.html").read_text("utf-8")
    assert MARK not in html
    written = Evaluation.model_validate_json(found.save(tmp_path / "metrics.json").read_text("utf-8"))
    assert written == found.evaluation


def test_labels_from_before_a_bias_are_judged_by_too(tiny_bundle: Bundle) -> None:
    frame = pairs()
    frame["true_label"] = frame["match"]
    frame.loc[frame["sex"] == "female", "match"] = 0
    found = evenmatch.evaluate(
        tiny_bundle.path, polars.from_pandas(frame), true_label_column="true_label", **QUICK, **COLUMNS
    )
    given, true = found.evaluation.judgements
    assert (given.matches, true.matches) == (frame["match"].sum(), frame["true_label"].sum())
    assert len(found.utility("true")) == len(true.utility)
    frame["true_label"] = frame["true_label"].astype(object)
    frame.loc[3, "true_label"] = "maybe"
    with pytest.raises(DataFormatError, match="row 4, column `true_label`: must be 0 or 1"):
        evenmatch.evaluate(tiny_bundle.path, frame, true_label_column="true_label", **QUICK, **COLUMNS)


def test_bundles_are_compared_on_the_same_pairs(tiny_bundle: Bundle, tmp_path: Path) -> None:
    both = evenmatch.compare([tiny_bundle.path, tiny_bundle.path], pairs(), **QUICK, **COLUMNS)
    table = both.to_frame().set_index("figure")
    assert table.loc["utility/roc_auc", "difference"].tolist()[1] == 0
    assert json.loads(both.save(tmp_path / "compare.json").read_text("utf-8"))["same_data"]


def test_pairs_before_and_after_a_change_are_measured(tiny_bundle: Bundle, tmp_path: Path) -> None:
    frame = pairs()
    before = frame["Resume"]
    changed = pandas.DataFrame(
        {"before": before, "after": "and of the " + before, "ad": frame["job_description"]}
    )
    found = evenmatch.shifts_of_pairs(tiny_bundle.path, changed, job_column="ad", rounds=10, redact=False)
    table = found.to_frame().set_index("figure")
    assert table.loc["max_shift", "value"] > 0
    assert table.loc["mean_shift", "n"] == 48
    assert [note.partition(": ")[2] for note in found.notes] == [
        "column `before` is read as the resume",
        "column `after` is read as the changed resume",
    ]
    assert MARK not in found.save(tmp_path / "pairs.html").read_text("utf-8")
    assert MARK not in found.save(tmp_path / "pairs.json").read_text("utf-8")


def test_a_frame_is_explored(tmp_path: Path) -> None:
    frame = pairs()
    frame["match"] = frame["match"].astype("Int64")
    frame.loc[0, "match"] = pandas.NA
    found = evenmatch.explore({"train": frame, "test": frame[:8]}, **COLUMNS)
    splits = found.splits().set_index("split")
    assert splits.loc["test", "pairs"] == 7
    assert found.leaks
    assert any("have no label" in warning for warning in found.warnings)
    groups = found.groups()
    train = groups[(groups["split"] == "train") & (groups["group"] == "female")].iloc[0]
    assert train["low"] <= train["match_rate"] <= train["high"]
    assert "name" in set(found.redactions()["category"])
    assert MARK not in found.save(tmp_path / "data.html").read_text("utf-8")


def test_what_has_no_adapter_is_not_exported(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="nothing to publish"):
        evenmatch.export(tiny_bundle.path, tmp_path / "export")
    with pytest.raises(BundleError, match="there is no bundle"):
        evenmatch.export(tmp_path / "none", tmp_path / "export")
    with pytest.raises(ExportError, match="was not made by"):
        evenmatch.import_bundle(tmp_path, tmp_path / "bundle")
