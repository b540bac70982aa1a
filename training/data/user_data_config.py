"""Where the user's own labelled pairs are, which columns mean what, and what a label may look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from service.core.column_names import AmbiguousColumnError, Role, guessed_column
from training.data.cross_fitting import FEW_JOBS, FOLDS
from training.data.example import DataFormatError, SplitName
from training.data.match_labels import check_meanings
from training.data.partition import SplitBy
from training.data.review import OnLeak

IN_MEMORY = Path("(data frame)")
"""Stands for a file in the configuration of a run whose pairs were given as rows."""

_ROLES: dict[str, Role] = {"resume": "resume", "job": "posting", "label": "label"}


class ColumnMapping(BaseModel):
    """The names of the columns.

    Where `resume`, `job` or `label` is not given and no column is called so, the one that people would call
    so is taken, with a warning (`service.core.column_names`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    resume: str = Field("resume", description="The resume's text.")
    job: str = Field("job", description="The posting's text.")
    label: str = Field("label", description="Whether they match.")
    title: str | None = Field(None, description="The job's title; null if the data has none.")
    resume_id: str | None = Field(
        None,
        description="Who wrote the resume: one person's resumes stay in one split. Null: by the text.",
    )
    job_id: str | None = Field(None, description="Null: by the text.")
    job_family: str | None = Field(
        None,
        description="Jobs with the same value look for the same people: a resume that fits one of them is no "
        "non-match of another. Null: postings whose texts are nearly the same.",
    )
    true_label: str | None = Field(
        None,
        description="Labels from before a known bias, 0 and 1: evaluations judge by them, too. Only invented "
        "data has them.",
    )
    groups: dict[str, str] = Field(
        {}, description="Attribute to column, such as `{school_category: school_category}`."
    )

    def wanted(self) -> dict[str, str]:
        """Field of the mapping to column, for every column that must be there."""
        fields = {
            name: getattr(self, name)
            for name in (
                "resume",
                "job",
                "label",
                "title",
                "resume_id",
                "job_id",
                "job_family",
                "true_label",
            )
        }
        return {f: c for f, c in fields.items() if c is not None} | {
            f"groups.{attribute}": column for attribute, column in self.groups.items()
        }

    def found_in(self, there: Sequence[str], place: str, warnings: list[str]) -> ColumnMapping:
        """The mapping with what was not given guessed among the columns that are there.

        Raises `DataFormatError` if several could be meant.
        """
        guessed: dict[str, str] = {}
        for name, role in _ROLES.items():
            if name in self.model_fields_set or getattr(self, name) in there:
                continue
            try:
                column = guessed_column(role, there)
            except AmbiguousColumnError as error:
                raise DataFormatError(
                    f"{place}: {' and '.join(error.columns)} could be columns.{name}; say which",
                    field=f"columns.{name}",
                ) from None
            if column is not None:
                guessed[name] = column
                warnings.append(f"{place}: column `{column}` is read as columns.{name}")
        return self.model_copy(update=guessed)


LabelName = Annotated[
    str, BeforeValidator(lambda given: str(given).lower() if isinstance(given, bool) else str(given))
]
"""YAML reads `1:` as a number and `true:` as a truth value."""


class UserDataConfig(BaseModel):
    """Where the user's data is and how to read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = Field(
        None,
        description="One file or `save_to_disk` folder. Splits inside it are kept; else it is split here.",
    )
    files: dict[SplitName, Path] = Field(
        {},
        description="A file for each split instead. Splits that are not given are cut off from "
        "`validation`, or from `train` if there is no `validation`.",
    )
    mined: Path | None = Field(
        None,
        description="Pairs that `evenmatch-train mine` wrote. They are non-matches of the training split, "
        "where their job is in it and their resume in no other; nothing is measured on them.",
    )
    columns: ColumnMapping = Field(ColumnMapping(), description="What the columns are called.")
    labels: dict[LabelName, float] = Field(
        {},
        description="What labels in other words mean: `{match: 1, non-match: 0}`; with `label_cut` any "
        "numbers, as `{poor: 1, fair: 2, good: 3}`. Case, hyphens and underscores do not count.",
    )
    label_cut: float | None = Field(
        None,
        description="For a scale or a score in place of a label: the number from which on a pair is a match.",
    )
    potential_label: Literal[0, 1] = Field(0, description='What "Potential Fit" counts as.')
    missing_label: Literal["error", "drop"] = Field(
        "error", description="`error`, or `drop` for rows without a label."
    )
    on_leak: OnLeak = Field(
        "error",
        description="What to do with a resume or pair that stands in two splits: `error`, or `drop` "
        "it from the split that is fitted on.",
    )
    group_values: dict[str, dict[str, str]] = Field(
        {},
        description='Attribute to label to group, as `{"sex": {"W": "female"}}`; before the table of '
        "aliases (docs/groups.md), by which labels of sex and race or ethnicity become "
        "groups.",
    )
    unknown_labels: Literal["keep", "refuse", "unknown"] = Field(
        "keep",
        description="Labels of sex and race or ethnicity that stand for no group: `keep` them as "
        "groups of their own, `refuse` the file, or take them as `unknown`.",
    )
    split_by: SplitBy = Field(
        "person_and_job", description="Keep persons and jobs in one split each, or persons only."
    )
    folds: int | None = Field(
        None,
        ge=0,
        le=20,
        description="Cross-fitting over jobs in place of five splits: so many models are trained, each "
        "without one part of the jobs, and calibration, threshold and test figures go by the scores of the "
        f"jobs that were left out; the bundle is trained on all. Null: {FOLDS} where one file without splits "
        f"of its own has fewer than {FEW_JOBS} jobs. 0: never.",
    )
    seed: int = Field(20261124, description="Of the splitting.")

    @field_validator("folds")
    @classmethod
    def _more_than_one(cls, folds: int | None) -> int | None:
        if folds == 1:
            raise ValueError("must be 0 or at least 2: one fold leaves nothing to train on")
        return folds

    @model_validator(mode="after")
    def _two_classes(self) -> UserDataConfig:
        check_meanings(self.labels, self.label_cut)
        return self

    @model_validator(mode="after")
    def _one_source(self) -> UserDataConfig:
        if (self.file is None) == (not self.files):
            raise ValueError("give either `file` or `files`")
        if self.files and "train" not in self.files:
            raise ValueError("`files` needs `train`")
        if self.files and self.folds:
            raise ValueError("`folds` divides the one `file`; with `files` the splits are given")
        return self
