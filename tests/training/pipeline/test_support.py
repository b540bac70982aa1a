"""What data supports is said before anything is trained."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from service.core.errors import CalibrationError
from tests.support.training_world import examples_of
from training.config import RunConfig
from training.data.cross_fitting import cross_fitted
from training.data.example import DataError, Dataset
from training.pipeline.support import check_support


def config(**changes: Any) -> RunConfig:
    return RunConfig.model_validate({"name": "ours", "data": {"files": {"file": "pairs.csv"}}} | changes)


def splits(jobs: int) -> Dataset:
    a, b, c, d, e = (examples_of(jobs, prefix=name) for name in ("a", "b", "c", "d", "e"))
    return Dataset(a, b, c, d, e)


def test_sizes_and_small_groups_are_named_with_the_key() -> None:
    notes = check_support(config(), splits(3))
    assert "the calibration split: 36 pairs, 18 of them matches, of 9 jobs" in notes
    women = Counter(e.groups["sex"] for e in splits(3).threshold)["female"]
    small = f"sex: female ({women}), male ({36 - women}) of fewer than 30"
    assert f"{small} pairs take no part in threshold.parity_limit" in notes
    assert any("of fewer than 30 test pairs are not compared (evaluation.minimum)" in note for note in notes)
    unlimited = check_support(config(threshold={"parity_limit": None}, evaluation={"minimum": 5}), splits(3))
    assert not [note for note in unlimited if note.startswith("sex")]


def test_splits_of_few_jobs_are_named() -> None:
    whole = splits(3)
    one = [e for e in whole.test if e.job_id == whole.test[0].job_id]
    notes = check_support(config(), replace(whole, test=one, threshold=examples_of(1, prefix="t")))
    assert any(
        note.startswith("the test split has one job only: its figures have no intervals") for note in notes
    )
    assert any(note.startswith("the threshold split has 3 jobs only: intervals") for note in notes)


def test_isotonic_on_few_pairs_is_named() -> None:
    notes = check_support(config(calibration={"methods": ["isotonic"]}), splits(3))
    assert any("isotonic calibration on 36 pairs of the calibration split overfits" in note for note in notes)


def test_methods_that_cannot_be_compared_are_refused_before_training() -> None:
    whole = splits(3)
    one = [replace(e, title=None) for e in whole.calibration if e.job_id == whole.calibration[0].job_id]
    data = replace(whole, calibration=one)
    with pytest.raises(
        CalibrationError, match=r"two jobs at least; name one method \(calibration.methods, or"
    ):
        check_support(config(), data)
    check_support(config(calibration={"methods": ["platt"]}), data)


def test_a_split_that_nothing_is_fitted_on_is_not_spoken_of() -> None:
    whole = splits(3)
    one = [replace(e, title=None) for e in whole.calibration if e.job_id == whole.calibration[0].job_id]
    curve = {"slope": 9.0, "intercept": -4.0}
    calibration = {"with_title": curve, "without_title": curve, "pairs": 900, "prevalence": 0.1}
    notes = check_support(
        config(
            calibration={"given": {**calibration, "source": "last year's hires"}},
            threshold={
                "given": {"threshold": 0.5, "borderline": [0.4, 0.6], "source": "last year's hires"},
                "parity_limit": 0.05,
            },
        ),
        replace(whole, calibration=one),
    )
    assert notes[0].startswith("the test split: 36 pairs")
    assert not [note for note in notes if "calibration" in note or "threshold" in note]
    assert any("of fewer than 30 test pairs are not compared" in note for note in notes)


def test_of_cross_fitted_data_it_is_about_the_held_out_pairs() -> None:
    dataset = cross_fitted(examples_of(4, prefix="x"), 4, 1, [])
    notes = check_support(config(), dataset)
    assert notes[0] == "the held-out pairs: 48 pairs, 24 of them matches, of 12 jobs"
    assert not [note for note in notes if "split" in note]


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"sex": "female"}, "two groups in the training split: sex has female only"),
        ({}, r"the data names none \(data.files.columns.groups\)"),
    ],
)
def test_a_loss_between_groups_needs_two(groups: dict[str, str], said: str) -> None:
    whole = splits(3)
    data = replace(whole, train=[replace(e, groups=groups) for e in whole.train])
    with pytest.raises(DataError, match=said):
        check_support(config(losses={"equalized_odds": 0.1}), data)
    check_support(config(losses={"adversary": 0.1}), data)
    check_support(config(losses={"equalized_odds": 0.1}), whole)
