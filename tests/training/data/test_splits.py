from __future__ import annotations

from dataclasses import replace

import pytest

from tests.training.data.conftest import example
from training.data.errors import LeakageError
from training.data.example import SPLITS, Dataset, Example, from_splits
from training.data.splits import check_disjoint, check_sources, leaks, normalised, split_professions
from training.data.synthetic.professions import Atlas


def clean() -> Dataset:
    splits = {
        split: [example(10 * i + j, 10 * i + j, j % 2) for j in range(4)] for i, split in enumerate(SPLITS)
    }
    return from_splits(splits)


def with_test(*added: Example) -> Dataset:
    dataset = clean()
    return replace(dataset, test=[*dataset.test, *added])


def test_clean_splits_pass() -> None:
    check_disjoint(clean())
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
    with pytest.raises(LeakageError) as caught:
        check_disjoint(with_test(added))
    assert message in caught.value.message
    assert "career" not in caught.value.message


def test_an_occupation_in_two_splits_is_named() -> None:
    one, other = example(98, 98, occupation="nurse"), example(99, 99, occupation="nurse")
    dataset = replace(clean(), train=[one], test=[other])
    with pytest.raises(LeakageError, match="train and test share 1 occupations"):
        check_disjoint(dataset)


def test_normalised_ignores_form_only() -> None:
    assert normalised("Led  a TEAM,\nof  five.") == normalised("led a team of five")
    assert normalised("led a team of five") != normalised("led a team of six")


def test_a_profession_moved_between_splits_is_found(atlas: Atlas) -> None:
    by_split = split_professions(atlas)
    moved = by_split["train"][0]
    with pytest.raises(LeakageError, match="train and test share 1 professions"):
        check_sources({**by_split, "test": [*by_split["test"], moved]}, atlas)
    twin = next(p for p in by_split["train"] if len(atlas.duplicates[p.id]) > 1)
    other = next(p for p in atlas.professions if p.id in atlas.duplicates[twin.id] and p.id != twin.id)
    tampered = {
        **{
            split: [p for p in of if p.family not in (twin.family, other.family)]
            for split, of in by_split.items()
        },
        "train": [replace(twin, group="9998")],
        "test": [replace(other, group="8999")],
    }
    with pytest.raises(LeakageError, match="nearly the same"):
        check_sources(tampered, atlas)
