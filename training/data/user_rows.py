"""Rows of the user's table -> examples: what each cell may hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from service.core.documents import read_document
from service.core.errors import InputError, UnknownGroupError
from service.core.group_labels import LabelReader, refuse_unknown
from service.core.groups import RACE_ETHNICITY, SEX, UNKNOWN
from training.data.example import DataFormatError, Example
from training.data.match_labels import LabelError, MatchLabels, cell_text
from training.data.mined import MINED_COLUMN, count_mined
from training.data.review import fingerprint
from training.data.tables import TableRow, columns_of, list_columns
from training.data.user_data_config import UserDataConfig

_MOST_ERRORS = 10
LONGEST_GROUP = 64
MOST_GROUPS = 50
"""Values of an attribute. A column of names is no attribute, and would stand in a published model card."""

KNOWN_GROUPS = {
    "sex": SEX,
    "gender": SEX,
    "race_ethnicity": RACE_ETHNICITY,
    "race": RACE_ETHNICITY,
    "ethnicity": RACE_ETHNICITY,
}
"""Attributes whose labels the table of aliases knows. Of any other attribute each label is a group."""


def read_rows(
    rows: Sequence[TableRow], place: str, config: UserDataConfig, warnings: list[str], *, mined: bool = False
) -> list[Example]:
    """The labelled rows of a table as examples.

    `place` names the table in messages; what was decided is added to `warnings`. `mined`: rows may be mined
    negatives, which nobody verified.

    Raises `DataFormatError` for a column or cell that is not as the mapping says; up to ten rows are named.
    """
    rows = list(rows)
    there = columns_of(rows)
    if not mined and MINED_COLUMN in there and (count := count_mined(rows)):
        raise DataFormatError(
            f"{place}: {count:,} of {len(rows):,} rows are mined negatives (column `{MINED_COLUMN}`), which "
            "nobody verified: name their file in data.files.mined to train on them; nothing is measured "
            "on them",
            field="data.files",
        )
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
