"""The user's own labelled pairs as a `Dataset`: read, split and reviewed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from training.data.cross_fitting import FEW_JOBS, FOLDS, cross_fitted
from training.data.example import SPLITS, DataError, DataFormatError, Dataset, Example, SplitName, from_splits
from training.data.mined import check_mined, with_mined
from training.data.partition import fill_splits
from training.data.review import review
from training.data.tables import TableRow, read_tables
from training.data.user_data_config import IN_MEMORY, ColumnMapping, UserDataConfig
from training.data.user_rows import read_rows

Rows = Mapping[SplitName | None, Sequence[TableRow]]
"""Rows that are in memory already, by split; None: not split yet."""


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
            dataset = cross_fitted(whole, folds, config.seed, warnings)
        else:
            splits = fill_splits(whole, given, config.split_by, config.seed, warnings)
            decided = list(warnings)
            dataset = review(splits, config.on_leak, warnings)
        if config.mined is not None:
            dataset = with_mined(dataset, _mined(config, config.mined))
        return dataset
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


def _mined(config: UserDataConfig, path: Path) -> list[Example]:
    """Mined pairs, whose jobs and persons are told as in the labelled data: by id, or by the text."""
    named = config.columns
    columns = ColumnMapping(
        title=None if named.title is None else "title",
        resume_id=None if named.resume_id is None else "resume_id",
        job_id=None if named.job_id is None else "job_id",
    )
    as_written = UserDataConfig(file=path, columns=columns)
    return read_rows(check_mined(path), str(path), as_written, [], mined=True)


def _read(
    config: UserDataConfig, rows: Rows | None, warnings: list[str]
) -> Iterator[tuple[SplitName | None, list[Example]]]:
    """The examples of each file, or part of a file, with the split that it is given for."""
    if rows is not None:
        for given, table in rows.items():
            place = f"the data frame{f' ({given})' if given else ''}"
            if not table:
                raise DataFormatError(f"{place} holds no rows")
            yield given, read_rows(table, place, config, warnings)
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
            yield split or inner, read_rows(table, place, config, warnings)
