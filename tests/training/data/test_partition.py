from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.data.conftest import example
from training.data.example import SPLITS, DataError, Example, LeakageError, SplitName
from training.data.partition import SHARES, partition
from training.data.review import review


def splits(**changes: list[Example]) -> dict[SplitName, list[Example]]:
    """Four pairs a split, of both labels, of persons and jobs of their own."""
    plain = {
        split: [example(10 * i + j, 10 * i + j, j % 2) for j in range(4)] for i, split in enumerate(SPLITS)
    }
    return {split: changes.get(split, plain[split]) for split in SPLITS}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 60)), min_size=1, max_size=120), st.integers(0, 9)
)
def test_no_person_is_in_two_splits_and_no_job_unless_said(pairs: list[tuple[int, int]], seed: int) -> None:
    examples = [example(job, person) for job, person in pairs]
    warnings: list[str] = []
    found = partition(examples, SHARES, "person_and_job", seed, warnings)
    said = " ".join(warnings)
    assert sum(map(len, found.values())) == len(examples) or "were dropped" in said
    for one, other in combinations(found.values(), 2):
        assert not {e.resume_id for e in one} & {e.resume_id for e in other}
        if "only" not in said:
            assert not {e.job_id for e in one} & {e.job_id for e in other}


def test_shares_are_met_and_seeds_count() -> None:
    examples = [example(i // 5, i) for i in range(1000)]
    warnings: list[str] = []
    found = partition(examples, SHARES, "person_and_job", 1, warnings)
    assert [len(found[split]) for split in SPLITS] == [600, 100, 100, 100, 100]
    assert warnings == []
    assert partition(examples, SHARES, "person_and_job", 1, warnings) == found
    assert partition(examples, SHARES, "person_and_job", 2, warnings) != found


def test_entangled_persons_and_jobs_lose_the_pairs_between_splits() -> None:
    examples = [example(job, person) for job in range(20) for person in range(20)]
    warnings: list[str] = []
    found = partition(examples, SHARES, "person_and_job", 1, warnings)
    kept = sum(map(len, found.values()))
    assert warnings[0].startswith(f"persons and jobs are too entangled to part: {400 - kept} of 400 pairs")
    assert all(found.values())
    everything = partition(examples, SHARES, "person", 1, [])
    assert sum(map(len, everything.values())) == 400


def test_with_few_jobs_the_split_is_by_person() -> None:
    warnings: list[str] = []
    found = partition([example(i % 3, i) for i in range(100)], SHARES, "person_and_job", 1, warnings)
    assert warnings == ["only 3 jobs: split by person alone, the same jobs stand in several splits"]
    assert [len(found[split]) for split in SPLITS] == [60, 10, 10, 10, 10]


def test_clean_data_passes_without_a_word() -> None:
    found = review(splits(), "error", [])
    assert found.warnings == ()
    assert found.train == splits()["train"]


@pytest.mark.parametrize("split", ["train", "validation", "calibration", "threshold"])
def test_one_class_where_something_is_fitted_is_an_error(split: SplitName) -> None:
    alike = [example(90 + i, 90 + i, 1) for i in range(3)]
    with pytest.raises(DataError, match=f"{split} has one class only: all 3 labels are 1"):
        review(splits(**{split: alike}), "error", [])


def test_one_class_in_test_is_a_warning_and_an_empty_split_an_error() -> None:
    found = review(splits(test=[example(99, 99, 0)]), "error", [])
    assert found.warnings == ("test has one class only: all 1 labels are 0; its utility is not computable",)
    with pytest.raises(DataError, match="threshold has no examples"):
        review(splits(threshold=[]), "error", [])


def test_a_resume_in_two_splits_is_an_error_or_dropped_from_the_fitted_one() -> None:
    same = splits()["test"][0]
    leaking = splits(train=[*splits()["train"], example(77, 77, 1, resume=same.resume.upper())])
    with pytest.raises(LeakageError, match="train and test share the resumes of 1 pairs of train"):
        review(leaking, "error", [])
    found = review(leaking, "drop", [])
    assert found.train == splits()["train"]
    assert found.test == splits()["test"]
    assert found.warnings == (
        "train and test share the resumes of 1 pairs of train: they were dropped there",
    )


def test_a_person_in_two_splits_leaks_even_with_another_text() -> None:
    leaking = splits(train=[*splits()["train"], example(77, 40, 1, resume="A later version.")])
    with pytest.raises(LeakageError, match="train and test"):
        review(leaking, "error", [])


def test_shared_jobs_are_told() -> None:
    found = review(splits(train=[*splits()["train"], example(40, 77)]), "error", [])
    assert found.warnings == ("train and test share 1 jobs: figures on test may flatter",)


def test_repeated_pairs_are_dropped_and_contradictions_refused() -> None:
    pairs = splits()["train"]
    found = review(splits(train=[*pairs, pairs[0]]), "error", [])
    assert found.train == pairs
    assert found.warnings == ("train: 1 repeated pairs were dropped",)
    other = example(0, 0, 1 - pairs[0].label)
    with pytest.raises(DataError, match="train: 1 pairs stand there twice with different labels"):
        review(splits(train=[*pairs, other]), "error", [])


def test_groups_that_cannot_be_compared_are_told() -> None:
    def grouped(start: int, group: str, labels: list[int]) -> list[Example]:
        return [example(start + i, start + i, label, groups={"sex": group}) for i, label in enumerate(labels)]

    both = {
        split: grouped(100 * i, "female", [0, 1] * 6) + grouped(100 * i + 50, "male", [0, 1] * 6)
        for i, split in enumerate(SPLITS)
    }
    assert review(both, "error", []).warnings == ()
    alone = both | {"train": both["train"] + grouped(900, "nonbinary", [1, 0])}
    assert review(alone, "error", []).warnings == (
        "sex=nonbinary is empty in validation, calibration, threshold, test: left out of fairness figures there",
        "sex=nonbinary has only 2 pairs in train",
    )
    one_class = both | {"test": grouped(900, "female", [0] * 12) + grouped(950, "male", [0, 1] * 6)}
    assert review(one_class, "error", []).warnings == (
        "sex=female has one class only in test: no rate by class there",
    )
    single = {split: grouped(100 * i, "female", [0, 1] * 6) for i, split in enumerate(SPLITS)}
    assert review(single, "error", []).warnings == ("sex has one group only: its fairness is not computable",)
