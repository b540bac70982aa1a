"""Mined negatives: trained on, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.data.conftest import example
from tests.training.data.user_tables import COLUMNS, load, rows, write_csv, write_jsonl
from training.config import DataConfig
from training.data.example import SPLITS, DataFormatError, Dataset, Fold
from training.data.mined import with_mined
from training.data.user_data import load_user_data
from training.data.user_data_config import UserDataConfig
from training.evaluation.external.given_documents import ExternalColumns
from training.evaluation.external.given_table import Findings, GivenTable
from training.evaluation.external.pair_reading import read_labelled_pairs


def mined_row(job: int, person: str, **changes: Any) -> dict[str, Any]:
    return {
        "job_id": f"j{job}",
        "title": f"Title {job}",
        "job": f"Duties of job {job}, spelt differently",
        "resume_id": person,
        "resume": f"Another career, of {person}",
        "label": 0,
        "mined_negative": True,
        "raw_score": 0.5,
        "rank": 1,
        **changes,
    }


def test_they_join_the_training_split_alone(tmp_path: Path) -> None:
    pairs = [{**row, "label": i % 2} for i, row in enumerate(rows(72))]
    ends = {"train": 24, "validation": 36, "calibration": 48, "threshold": 60, "test": 72}
    files = {
        split: write_csv(tmp_path / f"{split}.csv", pairs[end - (24 if split == "train" else 12) : end])
        for split, end in ends.items()
    }
    plain = load_user_data(UserDataConfig(files=files, columns=COLUMNS))
    held, labelled = plain.test[0], plain.train[0]
    mined = write_jsonl(
        tmp_path / "mined.jsonl",
        [
            *(mined_row(job, "new") for job in range(12)),
            mined_row(99, "new"),  # a job that nobody is trained on
            mined_row(0, held.resume_id),  # a person of the test split
            mined_row(0, "renamed", resume=held.resume),  # that person's text
            mined_row(int(labelled.job_id[1:]), labelled.resume_id),  # a labelled pair
        ],
    )
    found = load_user_data(UserDataConfig(files=files, columns=COLUMNS, mined=mined))
    assert all(found[split] == plain[split] for split in SPLITS if split != "train")
    assert found.train[:24] == plain.train
    added = found.train[24:]
    assert sorted(e.job_id for e in added) == sorted(f"j{job}" for job in range(12))
    assert {(e.resume_id, e.label, e.grade) for e in added} == {("new", 0, 0)}
    texts = {(e.job_id, e.title, e.description) for e in plain.train}
    assert all((e.job_id, e.title, e.description) in texts for e in added)  # no second posting
    assert "12 of 16 mined pairs are trained on as non-matches" in found.warnings[-1]
    assert DataConfig(files=UserDataConfig(files=files, mined=mined)).pairs_are == "labelled or mined pairs"


def test_a_fold_trains_on_those_whose_resumes_it_does_not_hold_out() -> None:
    one, other, third = example(1, 1), example(2, 2), example(1, 3, label=0)
    data = Dataset([one, other], [third], [], [], [], (), (Fold([one], [third], [other]),))
    mined = [example(1, 9, label=0), example(2, 9, label=0), example(1, 2, label=0)]
    found = with_mined(data, mined)
    assert [(e.job_id, e.resume_id) for e in found.train[2:]] == [("j1", "p9"), ("j2", "p9"), ("j1", "p2")]
    # Job 2 is held out from the fold, and so is person 2.
    assert [(e.job_id, e.resume_id) for e in found.folds[0].train[1:]] == [("j1", "p9")]
    assert found.folds[0].held_out == [other]


def test_a_file_of_mined_pairs_is_no_labelled_data_and_the_other_way_round(tmp_path: Path) -> None:
    labelled = write_csv(tmp_path / "pairs.csv", rows())
    mixed = write_csv(
        tmp_path / "mixed.csv",
        [{**row, "mined_negative": "True" if i % 2 else ""} for i, row in enumerate(rows())],
    )
    with pytest.raises(DataFormatError, match=r"30 of 60 rows are mined negatives.*data\.files\.mined"):
        load(mixed)
    with pytest.raises(DataFormatError, match="60 of 60 rows are not marked as mined"):
        load(labelled, mined=labelled)


def test_an_evaluation_leaves_them_out_and_says_so(tmp_path: Path) -> None:
    pairs = [{"resume": f"resume {i}", "job": "a job", "label": i % 2} for i in range(120)]
    more = [{"resume": f"mined {i}", "job": "a job", "label": 0, "mined_negative": True} for i in range(3)]
    findings = Findings()
    # The column stands in the last rows only.
    table = GivenTable.of_file(write_jsonl(tmp_path / "pairs.jsonl", pairs + more), findings)
    found = read_labelled_pairs(table, ExternalColumns(), findings)
    assert len(found) == 120
    assert any("3 rows are mined negatives" in note for note in findings.notes)
