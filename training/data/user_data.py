"""The user's own labelled pairs as a `Dataset`: which columns mean what, and what a label may look like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from service.core.column_names import AmbiguousColumnError, Role, guessed_column
from service.core.documents import read_document
from service.core.errors import InputError, UnknownGroupError
from service.core.group_labels import LabelReader, refuse_unknown
from service.core.groups import RACE_ETHNICITY, SEX, UNKNOWN
from training.data.cross_fitting import FEW_JOBS, FOLDS, cross_fitted
from training.data.example import SPLITS, DataError, DataFormatError, Dataset, Example, SplitName, from_splits
from training.data.match_labels import LabelError, MatchLabels, cell_text, check_meanings
from training.data.partition import SplitBy, fill_splits
from training.data.review import OnLeak, fingerprint, review
from training.data.tables import TableRow, columns_of, list_columns, read_tables

_MOST_ERRORS = 10
LONGEST_GROUP = 64
MOST_GROUPS = 50
"""Values of an attribute. A column of names is no attribute, and would stand in a published model card."""

Rows = Mapping[SplitName | None, Sequence[TableRow]]
"""Rows that are in memory already, by split; None: not split yet."""

IN_MEMORY = Path("(data frame)")
"""Stands for a file in the configuration of a run whose pairs were given as `Rows`."""

_ROLES: dict[str, Role] = {"resume": "resume", "job": "posting", "label": "label"}
KNOWN_GROUPS = {
    "sex": SEX,
    "gender": SEX,
    "race_ethnicity": RACE_ETHNICITY,
    "race": RACE_ETHNICITY,
    "ethnicity": RACE_ETHNICITY,
}
"""Attributes whose labels the table of aliases knows. Of any other attribute each label is a group."""


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


def load_user_data(config: UserDataConfig, rows: Rows | None = None) -> Dataset:
    """Read, label, split and review the user's data. What was decided for them stands in `warnings`.

    `rows`: the data itself, in place of the files that the configuration names; so in the functions below.

    Raises:
        DataFormatError: A file, row or column is not as the mapping says; up to ten rows are named.
        DataError: The data cannot train: one class only, contradicting labels.
        LeakageError: Splits share resumes or pairs (unless `on_leak` is `drop`).
    """
    warnings: list[str] = []
    given, whole = _given(config, rows, warnings)
    folds = _fold_count(config, given, whole)
    decided: list[str] = list(warnings)
    try:
        if folds:
            return cross_fitted(whole, folds, config.seed, warnings)
        splits = fill_splits(whole, given, config.split_by, config.seed, warnings)
        decided = list(warnings)
        return review(splits, config.on_leak, warnings)
    except DataError as error:
        # How the splits came about is often why they will not do.
        raise type(error)("\n".join([error.message, *decided])) from None


def load_as_it_is(config: UserDataConfig, rows: Rows | None = None) -> Dataset:
    """The user's data for a report about it: leaks and repeats stay in, what training refuses is a warning.

    Rows without a label are left out and counted. Raises `DataFormatError` if a file, row or column is not as
    the mapping says.
    """
    warnings: list[str] = []
    given, whole = _given(config.model_copy(update={"missing_label": "drop"}), rows, warnings)
    folds = _fold_count(config, given, whole)
    if config.missing_label == "error" and any("have no label" in warning for warning in warnings):
        warnings.append("training refuses rows without a label; `missing_label: drop` leaves them out")
    found: list[str] = []
    try:
        if folds:
            cross_fitted(whole, folds, config.seed, found)
        else:
            splits = fill_splits(whole, given, config.split_by, config.seed, warnings)
            review(splits, config.on_leak, found)
    except DataError as error:
        found.append(f"training refuses this data: {error.message}")
    if folds:
        splits = {name: whole if name == "train" else [] for name in SPLITS}
    return from_splits(splits, [*warnings, *found])


def load_unsplit(config: UserDataConfig, rows: Rows | None = None) -> tuple[list[Example], list[str]]:
    """Every labelled pair of the user's data in the order of its rows, and warnings: for evaluation alone.

    Raises `DataFormatError` if a file, row or column is not as the mapping says.
    """
    warnings: list[str] = []
    return [example for _, examples in _read(config, rows, warnings) for example in examples], warnings


def _given(
    config: UserDataConfig, rows: Rows | None, warnings: list[str]
) -> tuple[dict[SplitName, list[Example]], list[Example]]:
    """The splits that the data has of its own, and the pairs that belong to none yet."""
    given: dict[SplitName, list[Example]] = {}
    whole: list[Example] = []
    for name, examples in _read(config, rows, warnings):
        if name is None:
            whole = examples
        else:
            given[name] = given.get(name, []) + examples
    return given, whole


def _fold_count(
    config: UserDataConfig, given: Mapping[SplitName, Sequence[Example]], whole: Sequence[Example]
) -> int:
    """How many folds the data is cross-fitted in; 0: it is split. Raises `DataError` if it cannot be."""
    if config.folds == 0:
        return 0
    jobs = len({e.job_id for e in whole})
    if config.folds is None:
        return 0 if given or not 2 <= jobs < FEW_JOBS else min(FOLDS, jobs)
    if given:
        raise DataError(
            f"data.files.folds is {config.folds}, but the file has splits of its own: {', '.join(given)}"
        )
    if config.folds > jobs:
        raise DataError(f"data.files.folds is {config.folds}, but there are only {jobs} jobs to part")
    return config.folds


def _read(
    config: UserDataConfig, rows: Rows | None, warnings: list[str]
) -> Iterator[tuple[SplitName | None, list[Example]]]:
    """The examples of each file, or part of a file, with the split that it is given for."""
    if rows is not None:
        for given, table in rows.items():
            place = f"the data frame{f' ({given})' if given else ''}"
            if not table:
                raise DataFormatError(f"{place} holds no rows")
            yield given, _examples(table, place, config, warnings)
        return
    sources: dict[SplitName | None, Path] = {split: path for split, path in config.files.items()}  # noqa: C416  # another key type
    if config.file is not None:
        sources[None] = config.file
    for split, path in sources.items():
        if path == IN_MEMORY:
            raise DataFormatError(
                "the pairs of this run were given as a data frame, which is not in its configuration: save "
                "them to a file and name it in data.files.file",
                field="data.files",
            )
        for inner, table in read_tables(path).items():
            place = f"{path} ({inner})" if inner else str(path)
            yield split or inner, _examples(table, place, config, warnings)


def _examples(
    rows: Sequence[TableRow], place: str, config: UserDataConfig, warnings: list[str]
) -> list[Example]:
    rows = list(rows)
    there = columns_of(rows)
    config = config.model_copy(update={"columns": config.columns.found_in(there, place, warnings)})
    readers = _label_readers(config)
    labels = MatchLabels(config.labels, config.label_cut, config.potential_label)
    for field, column in config.columns.wanted().items():
        if column not in there:
            raise DataFormatError(
                f"{place} has no column `{column}` (columns.{field}); {list_columns(there)}",
                field=f"columns.{field}",
            )
    found, errors, unlabelled = [], [], 0
    for number, row in enumerate(rows, 1):
        try:
            example = _example(row, config, labels, readers)
        except _CellError as error:
            errors.append(f"{place}: row {number}, column `{error.column}`: {error.reason}")
            if len(errors) == _MOST_ERRORS:
                break
            continue
        if example is None:
            unlabelled += 1
        else:
            found.append(example)
    if errors:
        more = " (and perhaps more)" if len(errors) == _MOST_ERRORS else ""
        raise DataFormatError("\n".join(errors) + more)
    if unlabelled:
        warnings.append(f"{place}: {unlabelled} of {len(rows)} rows have no label and were dropped")
    if labels.unseen:
        warnings.append(f"{place}: no row has the label {', '.join(labels.unseen)} (data.files.labels)")
    if config.unknown_labels == "refuse":
        try:
            refuse_unknown({a: r for a, r in readers.items() if r.groups}, place)
        except UnknownGroupError as error:
            raise DataFormatError(f"{error.message}; say what one means in group_values") from None
    warnings += [said for reader in readers.values() if (said := reader.said_of_mapped)]
    for attribute, column in config.columns.groups.items():
        groups = {e.groups[attribute] for e in found if attribute in e.groups}
        if len(groups) > MOST_GROUPS:
            raise DataFormatError(
                f"{place}: column `{column}` (columns.groups.{attribute}) has {len(groups)} different "
                f"values; at most {MOST_GROUPS} can be groups",
                field=f"columns.groups.{attribute}",
            )
        silent = sum(attribute not in e.groups for e in found)
        if silent:
            warnings.append(f"{place}: {silent} of {len(found)} rows say nothing about {attribute}")
    return found


class _CellError(Exception):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


def _label_readers(config: UserDataConfig) -> dict[str, LabelReader]:
    """Readers of the labels of each attribute; one that the table does not know has no groups of its own."""
    return {
        attribute: LabelReader(attribute, KNOWN_GROUPS.get(attribute, ()), config.group_values.get(attribute))
        for attribute in config.columns.groups
    }


def _example(
    row: TableRow, config: UserDataConfig, labels: MatchLabels, readers: Mapping[str, LabelReader]
) -> Example | None:
    columns = config.columns
    resume, job = _text(row, columns.resume), _text(row, columns.job)
    title = _optional(row, columns.title)
    try:
        labelled = labels.read(row.get(columns.label))
    except LabelError as error:
        raise _CellError(columns.label, str(error)) from None
    if labelled is None:
        if config.missing_label == "error":
            raise _CellError(columns.label, "no label; `missing_label: drop` leaves such rows out")
        return None
    groups = {
        attribute: value
        for attribute, column in columns.groups.items()
        if (value := _group(row, column, readers[attribute], config)) is not None
    }
    job_key = hashlib.sha256(f"{fingerprint(job)}:{title}".encode()).hexdigest()[:16]
    return Example(
        job_id=_optional(row, columns.job_id) or f"job-{job_key}",
        title=title,
        description=job,
        resume_id=_optional(row, columns.resume_id) or f"resume-{fingerprint(resume)[:16]}",
        resume=resume,
        label=labelled[0],
        grade=labelled[1],
        true_label=_true_label(row, columns.true_label),
        groups=groups,
        job_family=_optional(row, columns.job_family),
    )


def _text(row: TableRow, column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        kind = "missing" if value is None else f"a {type(value).__name__}"
        raise _CellError(column, f"must be a text, is {kind}")
    try:
        read_document(value, field="text")
    except InputError as error:
        raise _CellError(column, error.message) from None
    return value


def _optional(row: TableRow, column: str | None) -> str | None:
    """As `cell_text`; None without a column, too."""
    if column is None:
        return None
    text = cell_text(row.get(column))
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise _CellError(column, "holds half of a character (a lone surrogate)") from None
    return text


def _true_label(row: TableRow, column: str | None) -> int | None:
    if column is None:
        return None
    label = _optional(row, column)
    if label not in ("0", "1"):
        raise _CellError(column, "must be 0 or 1")
    return int(label)


def _group(row: TableRow, column: str, reader: LabelReader, config: UserDataConfig) -> str | None:
    """Names of groups stand in reports and messages, so nothing as long as a text may pass for one."""
    group = _optional(row, column)
    if group is not None and len(group) > LONGEST_GROUP:
        raise _CellError(column, f"has {len(group)} characters; a group's name has at most {LONGEST_GROUP}")
    known = reader.known(group)
    if known is None:
        return None if reader.groups and config.unknown_labels == "unknown" else group
    return None if known == UNKNOWN else known
