"""What is scored: tables or documents, found, told apart and checked before anything is scored."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from service.core.errors import InputError, TableError
from service.core.parquet import parquet_types
from service.core.tables import SUFFIXES, Column, TableFile, columns_of, inspect_table
from service.files.table_columns import ID, TEXT, column_of, named
from service.ray_data.storage import Location, StoredFile, found_by, relative

_LITTER = re.compile(r"\.|~\$|Thumbs\.db$|desktop\.ini$|__MACOSX$|_[^.]*$")
"""What programs leave beside data, `_SUCCESS` and `_delta_log` among them."""

_TEXTS = ("string", "large_string", "string_view")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file with resumes. `number`: in the order of all; `id`: of a document."""

    number: int
    place: Location
    size: int
    modified: int
    id: str

    @property
    def source(self) -> str:
        """Its name in the output."""
        return self.place.name

    @property
    def identity(self) -> tuple[str, int, int]:
        """By which it is known again."""
        return self.source, self.size, self.modified


@dataclass(frozen=True, slots=True)
class Inputs:
    """All files: tables, or documents."""

    files: list[InputFile]
    of_tables: bool


@dataclass(frozen=True, slots=True)
class TableColumns:
    """How columns are found: None lets one be guessed. `number_rows`: ids are the numbers of lines."""

    id_column: str | None = None
    text_column: str | None = None
    encoding: str | None = None
    number_rows: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """A table as it is to be read, or what is wrong with the whole file. `said`: what was guessed."""

    file: InputFile
    table: TableFile | None = None
    identity: Column | None = None
    text: Column | None = None
    said: tuple[str, ...] = ()
    fault: InputError | None = None
    schema_fault: InputError | None = None


def find_inputs(given: Sequence[str], *, system: Any = None, leave_out: Iterable[Location] = ()) -> Inputs:
    """The files of folders, patterns and names, in the order given, those of a folder by name.

    Raises `TableError` if there are none, for archives and workbooks, a file that is given twice, and tables
    beside documents.
    """
    out = [place.path.rstrip("/") for place in leave_out]
    found: list[tuple[StoredFile, str]] = []
    for one in given:
        files = [(file, relative(file.place, one, system)) for file in found_by(one, system)]
        single = len(files) == 1 and files[0][1] == PurePosixPath(files[0][0].place.path).name
        kept = [
            (file, below)
            for file, below in files
            if (single or not any(_LITTER.match(part) for part in below.split("/")))
            and not any(file.place.path == place or file.place.path.startswith(f"{place}/") for place in out)
        ]
        if not kept:
            raise TableError(f"{files[0][0].place} holds no resumes" if single else f"{one} holds no files")
        found += kept
    twice = [path for path, count in Counter(file.place.path for file, _ in found).items() if count > 1]
    if twice:
        raise TableError(f"{twice[0]} is given twice")
    tables = [file for file, _ in found if file.place.suffix.lower() in SUFFIXES]
    if tables and len(tables) < len(found):
        other = next(file for file, _ in found if file.place.suffix.lower() not in SUFFIXES)
        raise TableError(
            f"{tables[0].place} is a table and {other.place} is none: score tables and documents in two runs"
        )
    for file, _ in found:
        if file.place.suffix.lower() in (".zip", ".xlsx", ".xlsm", ".xls", ".ods"):
            raise TableError(
                f"{file.place}: archives and workbooks are not read here; unpack or convert them"
            )
    ids = _ids([below for _, below in found], given) if not tables else [""] * len(found)
    files_found = [
        InputFile(number, file.place, file.size, file.modified, identity)
        for number, ((file, _), identity) in enumerate(zip(found, ids, strict=True))
    ]
    return Inputs(files_found, bool(tables))


def _ids(paths: Sequence[str], given: Sequence[str]) -> list[str]:
    """Of documents: paths without suffixes, or with them where two would be equal. Raises `TableError`."""
    short = [str(PurePosixPath(path).with_suffix("")) for path in paths]
    counted = Counter(short)
    ids = [one if counted[one] == 1 else path for one, path in zip(short, paths, strict=True)]
    twice = next((one for one, count in Counter(ids).items() if count > 1), None)
    if twice is not None:
        raise TableError(f"{twice} lies in several of {', '.join(given)}: give the folder above them")
    return ids


def inspect(file: InputFile, wanted: TableColumns) -> Inspection:
    """How a table is to be read. Reads all of a text table once, to find out its encoding."""
    said: list[str] = []
    try:
        table = inspect_table(file.place, wanted.encoding)
        # What is wrong with a line is told when it is read.
        columns = columns_of(table, lambda fault: None)
    except InputError as error:
        return Inspection(file, fault=error)
    except OSError as error:
        return Inspection(file, fault=TableError(f"{file.place} cannot be read: {error}"))
    if not any(name.strip() for name in columns):  # as a part without rows is written
        return Inspection(file)
    if table.said:
        said.append(table.said)
    try:
        identity = None
        if not wanted.number_rows:
            identity = column_of(table, columns, named(ID, wanted.id_column), said.append)
        text = column_of(table, columns, named(TEXT, wanted.text_column), said.append)
        if table.kind == "parquet":
            _check_types(table, identity, text)
    except InputError as error:
        return Inspection(file, schema_fault=error)
    return Inspection(file, table, identity, text, tuple(said))


def _check_types(table: TableFile, identity: Column | None, text: Column) -> None:
    types = parquet_types(table.path)
    for column, also in ((text, ()), (identity, ("int", "uint"))):
        if column is None:
            continue
        kind = types[column.name]
        kind = str(getattr(kind, "value_type", kind) if str(kind).startswith("dictionary") else kind)
        if kind not in (*_TEXTS, "null") and kind.rstrip("0123456789") not in also:
            wanted = "text or whole numbers" if also else "text"
            raise TableError(f"{table.path}: column {column.name!r} holds {kind}, {wanted} is needed")


def check_schemas(inspections: Sequence[Inspection]) -> None:
    """Raise `TableError` if tables do not agree in the columns that are read. All that is wrong is named."""
    wrong = [one.schema_fault for one in inspections if one.schema_fault is not None]
    if wrong:
        first = wrong[0]
        more = f"; and {len(wrong) - 1:,} other files" if len(wrong) > 1 else ""
        good = next((one for one in inspections if one.text is not None), None)
        beside = f" ({good.file.place} has it in {good.text.name!r})" if good and good.text else ""
        raise TableError(f"{first.message}{beside}{more}")
    for differing in _differing(inspections):
        raise TableError(differing)


def _differing(inspections: Sequence[Inspection]) -> Iterator[str]:
    read = [one for one in inspections if one.text is not None]
    for role, option in (("text", "--text-column"), ("identity", "--id-column")):
        first: tuple[str, Inspection] | None = None
        for one in read:
            column: Column | None = getattr(one, role)
            if column is None:
                continue
            if first is None:
                first = column.name, one
            elif column.name != first[0]:
                what = "the resume's text" if role == "text" else "the candidate's id"
                yield (
                    f"mixed schemas: {what} is column {first[0]!r} in {first[1].file.place} and column "
                    f"{column.name!r} in {one.file.place}; rename one, or name a column of all by {option}"
                )
