"""Resumes from files: one table, or documents of any kind. Errors name file, line and column, never text."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from service.core.csv_rows import Fault
from service.core.documents import Document, read_document
from service.core.errors import DuplicateIdError, EmptyTextError, ErrorCollector, InputError, TableError
from service.core.no_document import check_document
from service.core.resume_warnings import ResumeWarning
from service.core.tables import Column, TableFile, inspect_table, read_rows
from service.files.document_texts import DocumentSummary, DocumentTexts
from service.files.documents.archives import ArchiveLimits
from service.files.given_files import GivenFiles, find_files, written
from service.files.table_columns import ID, TEXT, Say, column_of, columns_in, named
from service.files.text_files import is_table

_UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What no file and no file name can hold."""


@dataclass(frozen=True, slots=True)
class ResumeFile:
    """One resume. `source` says where it stands, for error messages; `document`: what it was, if any."""

    id: str
    text: str
    source: str
    document: DocumentSummary | None = None

    @property
    def found(self) -> Mapping[ResumeWarning, int]:
        """What its document says of the text, as warnings of a resume."""
        return {} if self.document is None else self.document.of_text

    def __repr__(self) -> str:
        return f"ResumeFile(characters={len(self.text)})"


@dataclass(frozen=True, slots=True)
class UnreadResume:
    """A resume as it was found: the `text` of a row, or the bytes of a document. `line`: of a row."""

    id: str
    source: str
    text: str | None = None
    data: bytes = b""
    line: int | None = None

    def __repr__(self) -> str:
        return "UnreadResume(...)"

    def read(self, texts: DocumentTexts) -> ResumeFile:
        """Raises what `DocumentTexts.read` does."""
        if self.text is not None:
            text, summary = texts.read_text(self.text, field=self.source)
            return ResumeFile(self.id, text, self.source, summary)
        text, summary = texts.read(self.data, field=self.source)
        return ResumeFile(self.id, text, self.source, summary)


@dataclass(frozen=True, slots=True)
class ResumeOptions:
    """How resumes are found. Columns: None lets them be guessed.

    `encoding`: of files without a byte-order mark, if a caller knows it. `number_rows`: the ids of a table
    are the numbers of its lines. `leave_out`: files that are no resumes though they may lie in a folder.
    """

    id_column: str | None = None
    text_column: str | None = None
    encoding: str | None = None
    number_rows: bool = False
    archives: ArchiveLimits = field(default_factory=ArchiveLimits)
    leave_out: Sequence[Path] = ()


class GivenResumes:
    """The resumes that somebody names, found and not yet read: one table, or any number of documents.

    `errors` gathers what cannot be found; a table that cannot be read raises `TableError` or `NotTextError`.
    `say` is told what is guessed. `max_bytes`: of one document.
    """

    def __init__(
        self,
        given: Sequence[str],
        options: ResumeOptions,
        *,
        max_bytes: int,
        errors: ErrorCollector,
        say: Say,
    ) -> None:
        self.table: TableFile | None = None
        self._place: Path | None = None
        self._files = GivenFiles()
        self._id: Column | None = None
        self._text: Column | None = None
        tables = [Path(one) for one in given if is_table(Path(one))]
        if tables and len(given) > 1:
            raise TableError(f"{tables[0]} is a table: give it alone, not with {len(given) - 1} other files")
        if tables:
            self._place = tables[0].resolve()
            self._open_table(inspect_table(tables[0], options.encoding), options, say)
        else:
            self._files = find_files(
                given,
                limits=options.archives,
                max_bytes=max_bytes,
                errors=errors,
                leave_out=options.leave_out,
            )
        self.of_documents = self.table is None

    @property
    def paths(self) -> set[Path]:
        """The files that are read, resolved."""
        return self._files.paths if self._place is None else {self._place}

    def count(self, errors: ErrorCollector) -> int:
        """How many resumes there are. A table is read through once, and what is wrong with it is gathered.

        Raises as `read_rows`, and `TableError` if there is no row.
        """
        if self.table is None:
            return len(self._files)
        before = len(errors.errors)
        count = sum(1 for _ in self._rows(errors))
        if not count and len(errors.errors) == before:
            raise TableError(f"{self.table.path} holds no resumes")
        return count

    def each(self, errors: ErrorCollector) -> Iterator[UnreadResume]:
        """The resumes in their order, one in memory at a time. `errors` gathers what is wrong with one."""
        if self.table is not None:
            yield from self._rows(errors)
            return
        for one in self._files.documents():
            if one.error is not None:
                with errors:
                    raise one.error
            else:
                yield UnreadResume(one.id, one.source, data=one.data)

    def _open_table(self, table: TableFile, options: ResumeOptions, say: Say) -> None:
        self.table = table
        if table.said:
            say(table.said)
        columns = columns_in(table)
        if not options.number_rows:
            self._id = column_of(table, columns, named(ID, options.id_column), say)
        self._text = column_of(table, columns, named(TEXT, options.text_column), say)

    def _rows(self, errors: ErrorCollector) -> Iterator[UnreadResume]:
        assert self.table is not None
        assert self._text is not None
        return resumes_of_table(self.table, self._id, self._text, errors, lines={})


def resumes_of_table(
    table: TableFile,
    identity: Column | None,
    text: Column,
    errors: ErrorCollector,
    *,
    lines: dict[str, int] | None = None,
) -> Generator[UnreadResume, None, None]:
    """The resumes of a table in the order of its rows, one in memory at a time.

    `identity`: None takes the rows' lines as ids. `errors` gathers what is wrong with a row, which has its
    line then. `lines`: of the ids so far, so that one which comes again is an error; None lets it. Raises as
    `read_rows`.
    """
    columns = [column for column in (identity, text) if column is not None]
    unit = "row" if table.kind == "parquet" else "line"
    name = written(str(table.path))
    with closing(read_rows(table, columns, _into(errors))) as rows:
        for cells, line in rows:
            with errors:
                source = f"{name} {unit} {line}"
                found = (
                    f"{unit}-{line}" if identity is None else _identity(cells[0], identity, name, line, unit)
                )
                given = cells[-1]
                if not isinstance(given, str):
                    missing = f": column {text.name!r} is missing or no text"
                    raise TableError.of_line(name, line, missing, unit=unit)
                if not given.strip():
                    raise EmptyTextError.of_line(name, line, " holds no text", unit=unit)
                if lines is not None and (first := lines.setdefault(found, line)) != line:
                    same = f" has the same id as {unit} {first}"
                    raise DuplicateIdError.of_line(name, line, same, "has the same id as another", unit)
                yield UnreadResume(found, source, given, line=line)


def read_resumes(
    given: Sequence[str],
    options: ResumeOptions,
    texts: DocumentTexts,
    *,
    errors: ErrorCollector | None = None,
    say: Say,
) -> list[ResumeFile]:
    """All resumes of documents or of one table, in memory.

    `errors` gathers what cannot be read, and the others come back; without it one error that names all that
    is wrong is raised. Raises `TableError` and `NotTextError` for a table that cannot be read at all.
    """
    gathered = ErrorCollector() if errors is None else errors
    found = GivenResumes(given, options, max_bytes=texts.limits.max_document_bytes, errors=gathered, say=say)
    resumes: list[ResumeFile] = []
    for one in found.each(gathered):
        with gathered:
            resumes.append(one.read(texts))
    if not resumes and not gathered.errors and found.table is not None:
        raise TableError(f"{found.table.path} holds no resumes")
    if errors is None:
        gathered.raise_any()
    return resumes


def readable(
    files: Sequence[ResumeFile], *, max_characters: int, errors: ErrorCollector
) -> list[tuple[ResumeFile, Document]]:
    """Those that hold text, and not too much, with what they hold; `errors` gathers what is wrong."""
    documents: list[tuple[ResumeFile, Document]] = []
    for file in files:
        with errors:
            check_document(file.text, file.source)
            documents.append(
                (file, read_document(file.text, field=file.source, max_characters=max_characters))
            )
    return documents


def _identity(cell: object, column: Column, name: str, line: int, unit: str) -> str:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if not isinstance(cell, str) or not cell.strip():
        empty = f": column {column.name!r} is empty or no text"
        raise TableError.of_line(name, line, empty, unit=unit)
    if _UNWRITABLE.search(cell):
        halves = f": column {column.name!r} holds null characters or halves of characters"
        raise TableError.of_line(name, line, halves, unit=unit)
    return cell


def _into(errors: ErrorCollector) -> Fault:
    def gather(error: InputError) -> None:
        with errors:
            raise error

    return gather
