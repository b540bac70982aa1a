"""Data with few jobs, divided into folds: nothing of what is held out is trained on."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import ConfigError, read_run_config
from training.data.cross_fitting import cross_fitted
from training.data.example import DataError, Example
from training.data.user_data import load_as_it_is, load_user_data
from training.data.user_data_config import UserDataConfig


def example(job: int, person: int, label: int, text: str | None = None) -> Example:
    return Example(
        job_id=f"job-{job}",
        title=None,
        description=f"We look for somebody who knows trade number {job}.",
        resume_id=f"person-{person}",
        resume=text or f"Person number {person} has worked for years.",
        label=label,
        grade=2 if label else 0,
    )


def own_applicants(jobs: int, each: int) -> list[Example]:
    """Every job has applicants of its own; every second one fits."""
    return [example(job, job * each + i, i % 2) for job in range(jobs) for i in range(each)]


def test_every_pair_is_held_out_once_and_every_job_in_one_fold() -> None:
    pairs = own_applicants(12, 20)
    dataset = cross_fitted(pairs, 5, 1, [])
    held_out = [e for fold in dataset.folds for e in fold.held_out]
    assert Counter((e.job_id, e.resume_id) for e in held_out) == Counter(
        (e.job_id, e.resume_id) for e in pairs
    )
    sizes = sorted(len({e.job_id for e in fold.held_out}) for fold in dataset.folds)
    assert sizes == [2, 2, 2, 3, 3]
    assert len(dataset.train) + len(dataset.validation) == len(pairs)
    assert not dataset.calibration
    assert not dataset.threshold
    assert not dataset.test


@given(
    st.integers(2, 12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 30), st.integers(0, 1)), min_size=40, max_size=90),
    st.integers(2, 5),
)
def test_no_fold_trains_on_a_job_or_person_that_it_holds_out(
    jobs: int, drawn: list[tuple[int, int, int]], count: int
) -> None:
    labelled = {(job % jobs, person): label for job, person, label in drawn}
    pairs = [example(job, person, label) for (job, person), label in labelled.items()]
    try:
        dataset = cross_fitted(pairs, min(count, jobs), 1, [])
    except DataError:
        return  # a class is missing somewhere
    for fold in dataset.folds:
        for kind in ("job_id", "resume_id"):
            held_out = {getattr(e, kind) for e in fold.held_out}
            assert not held_out & {getattr(e, kind) for e in (*fold.train, *fold.validation)}
        assert not {e.resume_id for e in fold.train} & {e.resume_id for e in fold.validation}


def test_a_person_under_two_ids_is_held_out_by_the_text() -> None:
    pairs = [
        *own_applicants(4, 12),
        example(0, 900, 1, "The same text."),
        example(1, 901, 0, "The same text."),
    ]
    dataset = cross_fitted(pairs, 4, 1, [])
    for fold in dataset.folds:
        texts = {e.resume for e in fold.held_out}
        assert not texts & {e.resume for e in (*fold.train, *fold.validation)}


def test_where_everybody_is_labelled_for_every_job_persons_are_divided_too() -> None:
    pairs = [example(job, person, int(job % 4 == person % 4)) for job in range(12) for person in range(60)]
    warnings: list[str] = []
    dataset = cross_fitted(pairs, 4, 1, warnings)
    assert [len(fold.held_out) for fold in dataset.folds] == [3 * 15] * 4
    assert [len(fold.train) + len(fold.validation) for fold in dataset.folds] == [9 * 45] * 4
    assert "180 of 720 pairs are held out once" in warnings[0]


def test_what_a_fold_cannot_train_on_is_said() -> None:
    pairs = [*own_applicants(6, 10), example(3, 0, 0)]  # the person of another job
    warnings: list[str] = []
    cross_fitted(pairs, 3, 1, warnings)
    assert any("of the pairs that a fold could train on are left out" in warning for warning in warnings)


def test_where_everybody_has_a_match_folds_are_validated_by_both_classes() -> None:
    """Two of ten applicants of each job were turned down for another one: a tenth at random may miss them."""
    pairs = [example(job, 10 * job + i, 1) for job in range(4) for i in range(10)]
    pairs += [example((job + 1) % 4, 10 * job + i, 0) for job in range(4) for i in range(2)]
    for seed in range(5):
        for fold in cross_fitted(pairs, 4, seed, []).folds:
            assert {e.label for e in fold.validation} == {0, 1}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([example(job, job, 1) for job in range(8)], "the file has one class only: all 8 labels are 1"),
        (
            [*own_applicants(4, 6), example(0, 0, 1)],
            "the file: 1 pairs stand there twice with different labels",
        ),
    ],
)
def test_what_cannot_be_folded_is_refused(pairs: list[Example], said: str) -> None:
    with pytest.raises(DataError, match=said):
        cross_fitted(pairs, 4, 1, [])


def write(file: Path, pairs: list[Example]) -> UserDataConfig:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["job_id", "job", "resume_id", "resume", "label"])
        writer.writerows([e.job_id, e.description, e.resume_id, e.resume, e.label] for e in pairs)
    return UserDataConfig.model_validate(
        {"file": file, "columns": {"job_id": "job_id", "resume_id": "resume_id"}}
    )


def test_a_file_of_few_jobs_is_cross_fitted_and_one_of_many_is_split(tmp_path: Path) -> None:
    few = write(tmp_path / "few.csv", own_applicants(12, 10))
    assert len(load_user_data(few).folds) == 5
    assert len(load_user_data(few.model_copy(update={"folds": 3})).folds) == 3
    split = load_user_data(few.model_copy(update={"folds": 0}))
    assert not split.folds
    assert split.test
    many = write(tmp_path / "many.csv", own_applicants(50, 4))
    assert not load_user_data(many).folds
    assert len(load_user_data(many.model_copy(update={"folds": 5})).folds) == 5


def test_the_report_of_the_data_shows_it_whole(tmp_path: Path) -> None:
    dataset = load_as_it_is(write(tmp_path / "few.csv", own_applicants(12, 10)))
    assert len(dataset.train) == 120
    assert any("cross-fitted in 5 folds" in warning for warning in dataset.warnings)


def test_more_folds_than_jobs_are_refused(tmp_path: Path) -> None:
    config = write(tmp_path / "few.csv", own_applicants(4, 10)).model_copy(update={"folds": 5})
    with pytest.raises(DataError, match=r"data\.files\.folds is 5, but there are only 4 jobs"):
        load_user_data(config)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ("{file: a.csv, folds: 1}", "must be 0 or at least 2"),
        ("{files: {train: a.csv}, folds: 5}", "`folds` divides the one `file`"),
    ],
)
def test_folds_that_make_no_sense_are_refused(tmp_path: Path, files: str, said: str) -> None:
    config = tmp_path / "run.yaml"
    config.write_text(f"name: ours\ndata: {{files: {files}}}\n", "utf-8")
    with pytest.raises(ConfigError, match=said):
        read_run_config(config)
