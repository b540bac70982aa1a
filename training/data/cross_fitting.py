"""Cross-fitting: data with few jobs is not cut into five splits but divided into folds over jobs.

Of 12 jobs, a tenth for each of calibration, threshold and test is one job or none. With folds every job is
held out once, and the bundle is trained on all of them: the procedure of scikit-learn's
`CalibratedClassifierCV(ensemble=False)`, with the threshold and the test figures beside the calibration.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from training.data.example import DataError, Dataset, Example, Fold
from training.data.partition import deal
from training.data.review import LEAST_GROUP, fingerprint, without_repeats

FEW_JOBS = 50
"""With fewer jobs, a tenth of them is fewer than 5: data is cross-fitted unless asked otherwise."""

FOLDS = 5
VALIDATION_SHARE = 0.1
"""Share of persons by whose pairs the epoch is chosen. Their jobs are trained on, being too few."""

MOST_LOST = 0.5
"""Share of training pairs that a fold may lose because their persons are held out with another job."""


def cross_fitted(examples: Sequence[Example], count: int, seed: int, warnings: list[str]) -> Dataset:
    """The data in `count` folds over jobs; no fold trains on a job or person that it holds out.

    A person who applied to held-out jobs and to others is left out of that fold's training. Where that would
    cost more than half of the pairs (everybody with a label for every job), persons are divided into folds
    too, and a pair is held out only with the fold of both; a warning says how many then never are.

    Raises `DataError` if a class is missing from what a model is fitted on, or if a pair has two labels.
    """
    pairs = without_repeats("the file", list(examples), warnings)
    rng = random.Random(seed)
    jobs = deal([e.job_id for e in pairs], _even(count), rng)
    folds = [_fold(pairs, jobs, None, number, seed) for number in range(count)]
    lost = 1 - sum(_size(fold) for fold in folds) / (len(pairs) * (count - 1))
    if lost > MOST_LOST:
        persons = deal([e.resume_id for e in pairs], _even(count), rng)
        folds = [_fold(pairs, jobs, persons, number, seed) for number in range(count)]
        held_out = sum(len(fold.held_out) for fold in folds)
        warnings.append(
            f"most persons are labelled for jobs of several folds: persons are divided into folds too, and "
            f"{held_out:,} of {len(pairs):,} pairs are held out once"
        )
    elif lost > 0:
        warnings.append(
            f"{lost:.0%} of the pairs that a fold could train on are left out: their persons are held out"
        )
    train, validation = _by_person(pairs, seed)
    many = len(set(jobs.values()))
    warnings.append(
        f"{len(jobs)} jobs are too few for five splits: cross-fitted in {many} folds over jobs, which trains "
        f"{many} models beside the bundle's (data.files.folds: 0 for five splits instead)"
    )
    parts = {"the file": pairs, "train": train, "validation": validation}
    for number, fold in enumerate(folds, 1):
        parts |= {f"fold {number}: train": fold.train, f"fold {number}: validation": fold.validation}
    for name, part in parts.items():
        _check_classes(name, part)
    _warn_of_small_groups(pairs, warnings)
    return Dataset(train, validation, [], [], [], tuple(warnings), tuple(folds))


def _even(count: int) -> dict[int, float]:
    return dict.fromkeys(range(count), 1 / count)


def _size(fold: Fold) -> int:
    return len(fold.train) + len(fold.validation)


def _fold(
    pairs: Sequence[Example],
    jobs: Mapping[str, int],
    persons: Mapping[str, int] | None,
    number: int,
    seed: int,
) -> Fold:
    """Held out: the pairs of the fold's jobs, and of its persons if those are divided."""
    held_out = [
        e for e in pairs if jobs[e.job_id] == number and (persons is None or persons[e.resume_id] == number)
    ]
    known = {e.resume_id for e in held_out} | {fingerprint(e.resume) for e in held_out}
    rest = [
        e
        for e in pairs
        if jobs[e.job_id] != number
        and e.resume_id not in known
        and fingerprint(e.resume) not in known
        and (persons is None or persons[e.resume_id] != number)
    ]
    return Fold(*_by_person(rest, seed), held_out)


def _by_person(pairs: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Training and validation pairs: a tenth of the persons with a match, and of those without one.

    If these have one class only (everybody has a match, and few have more than that), the next person who has
    the other joins them.
    """
    matched = {e.resume_id for e in pairs if e.label == 1}
    rng = random.Random(seed)
    chosen: set[str] = set()
    for those in (sorted(matched), sorted({e.resume_id for e in pairs} - matched)):
        chosen.update(rng.sample(those, min(len(those), max(1, round(VALIDATION_SHARE * len(those))))))
    labels = {e.label for e in pairs if e.resume_id in chosen}
    if len(labels) == 1:
        chosen.update(sorted({e.resume_id for e in pairs if e.label not in labels} - chosen)[:1])
    return [e for e in pairs if e.resume_id not in chosen], [e for e in pairs if e.resume_id in chosen]


def _check_classes(name: str, pairs: Sequence[Example]) -> None:
    labels = {e.label for e in pairs}
    if not labels:
        raise DataError(f"{name} has no examples: give more data, or fewer data.files.folds")
    if len(labels) == 1:
        raise DataError(f"{name} has one class only: all {len(pairs)} labels are {labels.pop()}")


def _warn_of_small_groups(pairs: Sequence[Example], warnings: list[str]) -> None:
    counts: dict[str, dict[str, int]] = {}
    for e in pairs:
        for attribute, group in e.groups.items():
            of = counts.setdefault(attribute, {})
            of[group] = of.get(group, 0) + 1
    for attribute, groups in sorted(counts.items()):
        warnings += [
            f"{attribute}={group} has only {n} pairs"
            for group, n in sorted(groups.items())
            if n < LEAST_GROUP
        ]
        if len(groups) == 1:
            warnings.append(f"{attribute} has one group only: its fairness is not computable")
