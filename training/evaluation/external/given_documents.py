"""Cells of users' tables as documents: texts, ids, categories and groups, each document once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.core.column_names import AmbiguousColumnError, guessed_group_column
from service.core.documents import read_document
from service.core.errors import InputError
from service.core.group_labels import LabelReader
from service.core.groups import UNKNOWN
from training.data.example import DataFormatError
from training.data.match_labels import cell_text
from training.data.user_rows import KNOWN_GROUPS, LONGEST_GROUP, MOST_GROUPS
from training.evaluation.external.categories import categories_of
from training.evaluation.external.given_table import MOST_NAMED, Findings, GivenTable
from training.evaluation.external.kept_texts import KeptText, Store
from training.evaluation.external.labelled_set import GivenDocument

_GUESSED_ATTRIBUTES = ("sex", "race_ethnicity")


@dataclass(frozen=True, slots=True)
class ExternalColumns:
    """What the columns are called; None: guessed, and said. `category`: of both, unless one has its own.

    `groups`: attribute to column; None: columns that look like sex and race or ethnicity, if there are any.
    """

    resume: str | None = None
    job: str | None = None
    label: str | None = None
    title: str | None = None
    resume_id: str | None = None
    job_id: str | None = None
    category: str | None = None
    resume_category: str | None = None
    posting_category: str | None = None
    groups: Mapping[str, str] | None = None
    group_values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    label_cut: float | None = None


class Fault(Exception):
    """A row that cannot be used. `args[0]` says why, and never what stood there."""


class Documents:
    """Documents in the order in which they first stand there, each once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.all: list[GivenDocument] = []
        self.unnamed = 0
        self.repeated = 0
        self._numbers: dict[tuple[str, str], int] = {}
        self._twice: list[str] = []
        self._store = Store()

    def add(self, document: GivenDocument, fingerprint: str, without_id: str) -> int:
        """The number of a document, whose text is then on the disk. `fingerprint`: of its text.

        Without an id it is told by `without_id` and called by its place.
        """
        key = ("id", document.id) if document.id else ("", without_id)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.all)
            if not document.id:
                self.unnamed += 1
                document = replace(document, id=" ".join(document.place.rsplit(" ", 2)[1:]))
            self.all.append(replace(document, given=KeptText.of(document.text, fingerprint, self._store)))
            return number
        first = self.all[number]
        self.repeated += 1
        if (first.fingerprint, first.title) != (fingerprint, document.title):
            self._twice.append(f"{first.place} and {document.place}")
        elif set(first.categories) != set(document.categories):
            both = dict.fromkeys((*first.categories, *document.categories))
            self.all[number] = replace(first, categories=tuple(both))
        return number

    def check(self) -> None:
        """Raise `DataFormatError` if one id has two texts."""
        if self._twice:
            more = len(self._twice) - MOST_NAMED
            raise DataFormatError(
                f"the same {self.kind} id has different texts in {'; '.join(self._twice[:MOST_NAMED])}"
                f"{f' and {more:,} more places' if more > 0 else ''}: name the column of ids that "
                "tell them apart, or mend them"
            )


class Groups:
    """The columns of people's groups, and what stands in them."""

    def __init__(self, table: GivenTable, columns: ExternalColumns, findings: Findings) -> None:
        self.columns: dict[str, str] = {}
        if columns.groups is None:
            for attribute in _GUESSED_ATTRIBUTES:
                try:
                    column = guessed_group_column(attribute, table.columns)
                except AmbiguousColumnError:
                    continue
                if column is not None:
                    self.columns[attribute] = column
                    findings.notes.append(
                        f"{table.name}: column `{column}` is read as the group of {attribute}"
                    )
        else:
            for attribute, column in columns.groups.items():
                self.columns[attribute] = table.given(column, "--group-column")
        self._seen: dict[str, set[str]] = {attribute: set() for attribute in self.columns}
        self._readers = {
            attribute: LabelReader(
                attribute, KNOWN_GROUPS.get(attribute, ()), columns.group_values.get(attribute)
            )
            for attribute in self.columns
        }

    def of(self, row: Mapping[str, Any]) -> dict[str, str]:
        """A person's known groups. Raises `Fault` for a cell that is too long to be a group's name."""
        found = {}
        for attribute, column in self.columns.items():
            label = cell_text(row.get(column))
            if label is not None and len(label) > LONGEST_GROUP:
                raise Fault(
                    f"column `{column}` has {len(label):,} characters; a group's name has at most "
                    f"{LONGEST_GROUP}"
                )
            group = self._readers[attribute].known(label)
            group = label if group is None else group
            if group is not None and group != UNKNOWN:
                found[attribute] = group
                self._seen[attribute].add(group)
        return found

    def say(self, findings: Findings) -> None:
        """Which labels were read as which groups. Raises `DataFormatError` for a column that holds none."""
        for attribute, groups in self._seen.items():
            if len(groups) > MOST_GROUPS:
                raise DataFormatError(
                    f"column `{self.columns[attribute]}` has {len(groups):,} different values; at most "
                    f"{MOST_GROUPS} can be groups",
                    field="--group-column",
                )
        findings.notes += [said for reader in self._readers.values() if (said := reader.said_of_mapped)]


def say_ids(
    table: str, column: str | None, what: str, documents: Documents, findings: Findings, how: str
) -> None:
    """Say how documents without an id are told apart and called."""
    if column is None:
        findings.notes.append(
            f"{table}: no column of ids, so {what} are told apart {how} and called by their rows"
        )
    elif documents.unnamed:
        findings.notes.append(
            f"{table}: {documents.unnamed:,} {what} have no id and are called by their rows"
        )


def check_read(read: Sequence[object] | Mapping[Any, Any], name: str, findings: Findings) -> None:
    """Raise `DataFormatError` that names the faults if no row could be used."""
    if not read:
        raise DataFormatError("\n".join([f"{name}: no row can be used", *findings.said_of_faults]))


def id_of(row: Mapping[str, Any], column: str | None) -> str:
    """The id in a row, without blanks that do not count; empty if there is none."""
    found = None if column is None else cell_text(row.get(column))
    return "" if found is None else " ".join(found.split())


def text_of(row: Mapping[str, Any], column: str) -> str:
    """The text in a row. Raises `Fault` if it is empty, no text, too long or unreadable."""
    value = row.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise Fault(f"column `{column}` is empty")
    if not isinstance(value, str):
        raise Fault(f"column `{column}` must hold a text, not a {type(value).__name__}")
    try:
        read_document(value, field=f"column `{column}`")
    except InputError as error:
        raise Fault(error.message) from None
    return value


def categories_in(row: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """The categories in a row. Raises `Fault` for none, or one that is as long as a text."""
    try:
        return categories_of(row.get(column))
    except ValueError as error:
        raise Fault(f"column `{column}`: {error}") from None
