from __future__ import annotations

from dataclasses import replace

import pytest

from tests.training.data.conftest import example
from training.data.example import SPLITS, Dataset, Example, from_splits
from training.data.review import leaks, normalised


def clean() -> Dataset:
    splits = {
        split: [example(10 * i + j, 10 * i + j, j % 2) for j in range(4)] for i, split in enumerate(SPLITS)
    }
    return from_splits(splits)


def with_test(*added: Example) -> Dataset:
    dataset = clean()
    return replace(dataset, test=[*dataset.test, *added])


def test_clean_splits_pass() -> None:
    assert leaks(clean()) == []


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (example(1, 99), "train and test share 1 jobs (same text); train and test share 1 job ids"),
        (example(99, 1), "train and test share 1 resumes (same text); train and test share 1 resume ids"),
        (example(1, 1, job_id="j", resume_id="p"), "train and test share 1 pairs (same job and resume text)"),
        (example(99, 99, resume="the CAREER of\nperson, number 12!"), "validation and test share 1 resumes (same text)"),
    ],
)  # fmt: skip
def test_a_leak_is_named(added: Example, message: str) -> None:
    found = "; ".join(leak.message for leak in leaks(with_test(added)))
    assert message in found
    assert "career" not in found


def test_an_occupation_in_two_splits_is_named() -> None:
    one, other = example(98, 98, occupation="nurse"), example(99, 99, occupation="nurse")
    dataset = replace(clean(), train=[one], test=[other])
    assert "train and test share 1 occupations" in [leak.message for leak in leaks(dataset)]


def test_normalised_ignores_form_only() -> None:
    assert normalised("Led  a TEAM,\nof  five.") == normalised("led a team of five")
    assert normalised("led a team of five") != normalised("led a team of six")
