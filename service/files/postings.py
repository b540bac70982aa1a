"""Postings from files: one document, or many from a table, a folder or an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from service.core.errors import DuplicateIdError, EmptyTextError, ErrorCollector, InputError, TableError
from service.core.tables import Column, inspect_table, read_rows
from service.files.document_texts import DocumentTexts
from service.files.documents.archives import ArchiveLimits
from service.files.given_files import find_files, written
from service.files.table_columns import (
    POSTING_ID,
    POSTING_TEXT,
    POSTING_TITLE,
    Say,
    column_of,
    columns_in,
    named,
)
from service.files.text_files import is_table


@dataclass(frozen=True, slots=True)
class Posting:
    """A posting to score against. `id`: None for the only one. `source`: where it stands, for errors."""

    id: str | None
    title: str | None
    text: str
    source: str

    def __repr__(self) -> str:
        return f"Posting(id={self.id!r}, characters={len(self.text)})"


@dataclass(frozen=True, slots=True)
class PostingOptions:
    """Columns of a table: None lets them be guessed. `encoding`: as of resumes."""

    id_column: str | None = None
    title_column: str | None = None
    text_column: str | None = None
    encoding: str | None = None


def read_posting(file: str, title: str | None, texts: DocumentTexts, *, archives: ArchiveLimits) -> Posting:
    """The one posting of a document. Raises `TableError` and what `DocumentTexts.read` does."""
    if is_table(Path(file)) and Path(file).exists():
        raise TableError(f"{file} is a table: --job takes one document, --jobs takes many postings")
    errors = ErrorCollector()
    files = find_files([file], limits=archives, max_bytes=texts.limits.max_document_bytes, errors=errors)
    errors.raise_any()
    if len(files) != 1:
        raise TableError(f"{file} holds {len(files):,} files: --job takes one, --jobs takes many postings")
    (one,) = files.documents()
    if one.error is not None:
        raise one.error
    text, _ = texts.read(one.data, field=one.source)
    return Posting(None, None if title is None else _title(title, texts, "title"), text, "job")


def read_postings(
    given: str,
    options: PostingOptions,
    texts: DocumentTexts,
    *,
    archives: ArchiveLimits,
    errors: ErrorCollector,
    say: Say,
) -> list[Posting]:
    """The postings of a table (each row one), or of the documents of a folder, archive or pattern.

    A table without a column of ids has them numbered, `job-1` and so on. `errors` gathers what cannot be
    read; a table that cannot be read at all raises.
    """
    if is_table(Path(given)):
        postings = list(_of_table(Path(given), options, texts, errors, say))
    else:
        postings = list(_of_documents(given, texts, archives, errors))
    if not postings:
        errors.raise_any()
        raise TableError(f"{given} holds no postings")
    return postings


def _of_documents(
    given: str, texts: DocumentTexts, archives: ArchiveLimits, errors: ErrorCollector
) -> Iterator[Posting]:
    files = find_files([given], limits=archives, max_bytes=texts.limits.max_document_bytes, errors=errors)
    for one in files.documents():
        with errors:
            if one.error is not None:
                raise one.error
            text, _ = texts.read(one.data, field=one.source)
            yield Posting(one.id, None, text, one.source)


def _of_table(
    file: Path, options: PostingOptions, texts: DocumentTexts, errors: ErrorCollector, say: Say
) -> Iterator[Posting]:
    table = inspect_table(file, options.encoding)
    if table.said:
        say(table.said)
    columns = columns_in(table)
    text = column_of(table, columns, named(POSTING_TEXT, options.text_column), say)
    identity = column_of(table, columns, named(POSTING_ID, options.id_column), say, required=False)
    title = column_of(table, columns, named(POSTING_TITLE, options.title_column), say, required=False)
    if identity is None:
        say(
            f"{file}: no column looks like the posting's id: they are job-1, job-2 and so on "
            f"({POSTING_ID.option} names a column)"
        )
    optional = [Column(one.name, one.option, required=False) for one in (identity, title) if one is not None]
    lines: dict[str, int] = {}

    def gather(error: InputError) -> None:
        with errors:
            raise error

    with closing(read_rows(table, [text, *optional], gather)) as rows:
        for number, (cells, line) in enumerate(rows, 1):
            with errors:
                source = f"{written(file)} line {line}"
                by_column = dict(zip([text, *optional], cells, strict=True))
                known = {column.name: _words(cell) for column, cell in by_column.items()}
                if known[text.name] is None:
                    raise EmptyTextError(f"{source} holds no text in column {text.name!r}")
                name = f"job-{number}" if identity is None else known[identity.name]
                if name is None:
                    raise TableError(f"{source}: {POSTING_ID.what} is empty")
                if lines.setdefault(name, line) != line:
                    raise DuplicateIdError(f"{source} has the same id as line {lines[name]}")
                read, _ = texts.read_text(known[text.name] or "", field=source)
                heading = None if title is None else known[title.name]
                yield Posting(name, None if heading is None else _title(heading, texts, source), read, source)


def _title(given: str, texts: DocumentTexts, source: str) -> str:
    read, _ = texts.read_text(given, field=source)
    return " ".join(read.split())


def _words(cell: object) -> str | None:
    """The cell as text; None if it is empty."""
    if cell is None or isinstance(cell, bool | float | list | dict):
        return None
    return str(cell).strip() or None
