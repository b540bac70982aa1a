"""One labelled resume-job pair, the splits of a data set, and the errors of training data.

Like all of Evenmatch's, the errors name field, limit and value, never a text:

EvenmatchError
|-- VocabularyError             the ESCO texts are missing or not as expected
|-- DataError                   the data cannot be used for training
|   |-- DataFormatError           an unreadable file, or a row that is not as the mapping says
|   `-- LeakageError              the splits share what they must not share
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from service.core.errors import EvenmatchError

SplitName = Literal["train", "validation", "calibration", "threshold", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

Grade = Literal[0, 1, 2]
"""0 no fit, 1 potential fit, 2 good fit."""

Seniority = Literal["junior", "mid", "senior", "lead"]
SENIORITIES: tuple[Seniority, ...] = get_args(Seniority)


class VocabularyError(EvenmatchError):
    code = "vocabulary_error"
    title = "Unusable vocabulary"


class DataError(EvenmatchError):
    code = "data_error"
    title = "Unusable training data"


class DataFormatError(DataError):
    code = "data_format_error"
    title = "Unreadable training data"


class LeakageError(DataError):
    code = "data_leakage"
    title = "Splits leak into each other"


@dataclass(frozen=True, slots=True)
class Example:
    """A resume, a job and whether the one fits the other.

    Attributes:
        title: The job's title; None if it has none.
        label: 1 for a match, as a biased world may have recorded it.
        true_label: The label before the bias knob; None in users' own data, where nobody knows it.
        groups: Attribute to group ("sex": "female"); never given to a model as input to a score.
        occupation: What the resume was made of; None in users' own data.
        job_occupation: What the job was made of; None in users' own data.
        job_family: What the user says it is a job of: jobs of one family look for the same people.
        paraphrase: The same career in other words and another layout, for training; None if there is none.
        clue_free: The same resume with redaction's tokens in the place of every clue, for evaluation; None if
            there is none.
    """

    job_id: str
    title: str | None
    description: str
    resume_id: str
    resume: str
    label: int
    grade: Grade
    true_label: int | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    occupation: str | None = None
    job_occupation: str | None = None
    job_family: str | None = None
    paraphrase: str | None = None
    clue_free: str | None = None
    seniority: Seniority | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """A part of cross-fitting: a model of its `train` and `validation` alone scores what was `held_out`."""

    train: list[Example]
    validation: list[Example]
    held_out: list[Example]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Five splits: fit on `train`, choose by `validation`; the other three never meet the model's weights.

    Data that is too little for five is cross-fitted instead: `train` and `validation` are all of it, the
    other three are empty, and what they are for goes by the held-out pairs of the `folds`.

    `warnings` are what a careful user should know about the data; a trainer prints and records them.
    """

    train: list[Example]
    validation: list[Example]
    calibration: list[Example]
    threshold: list[Example]
    test: list[Example]
    warnings: tuple[str, ...] = ()
    folds: tuple[Fold, ...] = ()

    def __getitem__(self, split: SplitName) -> list[Example]:
        found: list[Example] = getattr(self, split)
        return found

    def items(self) -> Iterator[tuple[SplitName, list[Example]]]:
        """Every split with its name, in the order of `SPLITS`."""
        for split in SPLITS:
            yield split, self[split]


def from_splits(splits: Mapping[SplitName, list[Example]], warnings: Sequence[str] = ()) -> Dataset:
    """A data set of its splits by name."""
    return Dataset(
        train=splits["train"],
        validation=splits["validation"],
        calibration=splits["calibration"],
        threshold=splits["threshold"],
        test=splits["test"],
        warnings=tuple(warnings),
    )
