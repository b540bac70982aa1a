"""What a data set can and cannot support, by its labels, jobs and groups alone: said before training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from service.core.errors import CalibrationError
from training.config import RunConfig
from training.data.example import DataError, Dataset, Example
from training.evaluation.scored_pairs import ScoredPairs
from training.pipeline.measuring import calibration_options
from training.postprocessing.calibration import check_comparable
from training.postprocessing.threshold import ParityConstraint

ISOTONIC_PAIRS = 1_000
"""scikit-learn advises against isotonic calibration of (much) fewer samples, since it overfits them."""

FEW_JOBS = 5
"""A bootstrap over fewer jobs than this knows few distinct resamples: its intervals are too narrow."""

PARITY_LOSSES = ("demographic_parity", "equalized_odds", "prediction_gap", "prediction_gap_squared")
"""They compare groups of the data. The adversary can do without: it also has the groups of drawn names."""

_FOLDS = "data.files.folds: 5 cross-fits instead, where the data is one file"


def check_support(config: RunConfig, dataset: Dataset) -> list[str]:
    """What calibration, threshold and test figures will lack, each with the key to change.

    Raises `CalibrationError` where it is known now that calibrating will fail after the training, and
    `DataError` for a loss between groups where no attribute has two.
    """
    _check_parity_losses(config, dataset.train)
    held_out = [e for fold in dataset.folds for e in fold.held_out]
    # A split that nothing is fitted or chosen on need not support anything.
    fits = bool(held_out) or config.calibration.given is None
    chooses = bool(held_out) or config.threshold.given is None
    if held_out:
        parts = {"the held-out pairs": held_out}
    else:
        parts = {"the calibration split": dataset.calibration} if fits else {}
        parts |= {"the threshold split": dataset.threshold} if chooses else {}
        parts["the test split"] = dataset.test
    notes = [*(_about(name, part) for name, part in parts.items()), *_few_jobs(parts)]
    if fits:
        calibrated = held_out or dataset.calibration
        name = "the held-out pairs" if held_out else "the calibration split"
        try:
            check_comparable(_unscored(calibrated), calibration_options(config))
        except CalibrationError as error:
            raise CalibrationError(
                f"{name} cannot be calibrated: {error.message} (calibration.methods, or {_FOLDS})"
            ) from None
        notes += _isotonic(config, name, calibrated)
    if chooses and config.threshold.parity_limit is not None:
        notes += _too_small_for_the_limit(held_out or dataset.threshold, held_out or dataset.test)
    return [*notes, *_too_small_to_compare(config, held_out or dataset.threshold, held_out or dataset.test)]


def _check_parity_losses(config: RunConfig, train: Sequence[Example]) -> None:
    wanted = [name for name in PARITY_LOSSES if getattr(config.losses, name)]
    if not wanted:
        return
    sizes = {attribute: _sizes(train, attribute) for e in train for attribute in e.groups}
    if any(len(groups) > 1 for groups in sizes.values()):
        return
    known = "; ".join(f"{attribute} has {', '.join(groups)} only" for attribute, groups in sizes.items())
    raise DataError(
        f"losses.{wanted[0]} needs an attribute with two groups in the training split: "
        f"{known or 'the data names none (data.files.columns.groups)'}"
    )


def _about(name: str, examples: Sequence[Example]) -> str:
    matches = sum(e.label for e in examples)
    return f"{name}: {len(examples):,} pairs, {matches:,} of them matches, of {_jobs(examples):,} jobs"


def _few_jobs(parts: dict[str, list[Example]]) -> Iterator[str]:
    for name, examples in parts.items():
        jobs = _jobs(examples)
        if jobs == 1:
            lacks = {
                "the test split": "its figures have no intervals",
                "the threshold split": "the borderline band is the threshold alone",
            }.get(name, "how sure the probabilities are cannot be said")
            yield f"{name} has one job only: {lacks} ({_FOLDS})"
        elif jobs < FEW_JOBS:
            yield f"{name} has {jobs} jobs only: intervals over jobs are too narrow ({_FOLDS})"


def _isotonic(config: RunConfig, name: str, examples: Sequence[Example]) -> Iterator[str]:
    if "isotonic" in config.calibration.methods and len(examples) < ISOTONIC_PAIRS:
        yield (
            f"isotonic calibration on {len(examples):,} pairs of {name} overfits: {ISOTONIC_PAIRS:,} or more "
            "are advised (calibration.methods)"
        )


def _too_small_for_the_limit(chosen_on: Sequence[Example], tested: Sequence[Example]) -> Iterator[str]:
    """Groups that the threshold's parity limit leaves out."""
    least = ParityConstraint().minimum
    for attribute, on, _ in _group_sizes(chosen_on, tested):
        if small := [f"{g} ({n})" for g, n in on.items() if n < least]:
            yield (
                f"{attribute}: {', '.join(small)} of fewer than {least} pairs take no part in "
                "threshold.parity_limit"
            )


def _too_small_to_compare(
    config: RunConfig, chosen_on: Sequence[Example], tested: Sequence[Example]
) -> Iterator[str]:
    """Groups that get no rate of their own in the report."""
    minimum = config.evaluation.minimum
    for attribute, _, test in _group_sizes(chosen_on, tested):
        if small := [f"{g} ({n})" for g, n in test.items() if n < minimum]:
            yield (
                f"{attribute}: {', '.join(small)} of fewer than {minimum} test pairs are not compared "
                "(evaluation.minimum)"
            )


def _group_sizes(
    chosen_on: Sequence[Example], tested: Sequence[Example]
) -> Iterator[tuple[str, dict[str, int], dict[str, int]]]:
    """Of each attribute the pairs of every group, in the one split and in the other."""
    for attribute in sorted({attribute for e in (*chosen_on, *tested) for attribute in e.groups}):
        on, test = _sizes(chosen_on, attribute), _sizes(tested, attribute)
        names = sorted({*on, *test})
        yield attribute, {g: on[g] for g in names}, {g: test[g] for g in names}


def _sizes(examples: Sequence[Example], attribute: str) -> Counter[str]:
    return Counter(e.groups[attribute] for e in examples if attribute in e.groups)


def _jobs(examples: Sequence[Example]) -> int:
    return len({e.job_id for e in examples})


def _unscored(examples: Sequence[Example]) -> ScoredPairs:
    return ScoredPairs(
        raw_scores=np.zeros(len(examples)),
        labels=np.array([e.label for e in examples], dtype=np.int64),
        jobs=[e.job_id for e in examples],
        resumes=[e.resume_id for e in examples],
        titled=np.array([e.title is not None for e in examples], dtype=np.bool_),
    )
