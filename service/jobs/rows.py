"""One row of a job's input: a candidate, with a posting of its own or for the job's, or a fault.

Rows are checked one by one: one at fault keeps its place and its line, and the rest is scored. What an error
says names fields, limits and sizes, never what stood there.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.core.blanks import without_blanks
from service.core.errors import DuplicateIdError, EmptyTextError, InputError, RowError
from service.core.group_reading import GroupReader, ReadGroups
from service.files.documents.base64_content import decoded_content

MAX_ID_CHARACTERS = 128
MAX_FILE_NAME_CHARACTERS = 255
_CANDIDATE = frozenset({"id", "resume", "file", "groups", "job", "metadata"})
"""`metadata` is taken, so that a client may send what it sends to `/v1/score`, and is kept nowhere."""
_POSTING = frozenset({"id", "title", "description", "file"})
_FILE = frozenset({"name", "content"})


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A file as it was uploaded. `content` is None while only its name is known. No repr of either."""

    name: str
    content: bytes | None

    def __repr__(self) -> str:
        return "DocumentFile(...)"


@dataclass(frozen=True, slots=True)
class Posting:
    """A posting as it was sent: `description`, or a `file` in its place."""

    description: str | None
    title: str | None = None
    id: str | None = None
    file: DocumentFile | None = None

    def __repr__(self) -> str:
        return "Posting(...)"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be scored: an error's code, message and field."""

    code: str
    message: str
    field: str | None = None

    @classmethod
    def of(cls, error: InputError) -> Fault:
        return cls(error.code, error.message, error.field)


@dataclass(frozen=True, slots=True)
class Row:
    """`line`: where it stands in what was sent, from 1: a line, an item of a list, or a file.

    `posting`: its own, None for those of the job. With a `fault` the rest may be missing.
    """

    line: int
    id: str | None = None
    resume: str | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    posting: Posting | None = None
    file: DocumentFile | None = None
    fault: Fault | None = None
    unknown_groups: Sequence[str] = ()
    """Attributes whose label stands for no group and is counted as unknown (`ReadGroups`)."""

    def __repr__(self) -> str:
        return f"Row(line={self.line}, ...)"


class RowChecker:
    """Makes rows of the objects of a job's input, one after the other. `has_postings`: the job has some.

    `own_postings`: a row may have one.
    """

    def __init__(self, groups: GroupReader, max_file_bytes: int) -> None:
        self._groups = groups
        self._max_file_bytes = max_file_bytes
        self._seen: dict[int, int] = {}
        self.has_postings = False
        self.own_postings = True

    def row(self, given: object, line: int) -> Row:
        """The row, with a `fault` if it is none."""
        known: dict[str, Any] = {}
        try:
            self._read(given, line, known)
        except InputError as error:
            known["fault"] = Fault.of(error)
        return Row(line, **known)

    def posting(self, given: object, where: str) -> Posting:
        """Raises `RowError` if it is none."""
        record = without_blanks(_object(given, where, _POSTING), _POSTING - {"description"})
        if "file" in record:
            record = without_blanks(record, {"description"})
        description = _text(record, "description", where)
        file = self._file(record.get("file"), f"{where}.file")
        if file is None and (description is None or not description.strip()):
            raise EmptyTextError(
                f"{where}.description is missing or blank, and there is no file", field=f"{where}.description"
            )
        if description is not None and file is not None:
            raise RowError(
                f"{where} has both a description and a file; it takes one", field=f"{where}.description"
            )
        return Posting(description, _text(record, "title", where), _id(record.get("id"), f"{where}.id"), file)

    def _read(self, given: object, line: int, known: dict[str, Any]) -> None:
        record = without_blanks(_object(given, "", _CANDIDATE), _CANDIDATE - {"id", "resume"})
        if "file" in record:
            record = without_blanks(record, {"resume"})
        known["id"] = _id(record.get("id"), "id")
        if known["id"] is None:
            raise RowError("id is required", field="id")
        own = record.get("job")
        if own is not None and not self.own_postings:
            raise RowError("a row of a job with top_k has no posting of its own", field="job")
        if own is not None:
            known["posting"] = self.posting(own, "job")
        elif not self.has_postings:
            raise RowError("job is required: neither the row nor the job has a posting", field="job")
        self._once(known["id"], known.get("posting"), line)
        groups = self._groups_of(record.get("groups"))
        known["groups"], known["unknown_groups"] = groups.groups, groups.unknown
        known["resume"] = _text(record, "resume", "")
        known["file"] = self._file(record.get("file"), "file")
        if (known["resume"] is None) == (known["file"] is None):
            raise RowError("either resume or file is required, and not both", field="resume")

    def _once(self, candidate: str, posting: Posting | None, line: int) -> None:
        """The same candidate may stand there twice with two postings of its own, and not otherwise."""
        own = None if posting is None else (posting.id, posting.title, posting.description)
        first = self._seen.setdefault(hash((candidate, own)), line)
        if first != line:
            raise DuplicateIdError(f"id is that of line {first:,}", field="id")

    def _groups_of(self, given: object) -> ReadGroups:
        if given is None:
            return ReadGroups({})
        if not isinstance(given, dict) or any(not isinstance(one, str | None) for one in given.values()):
            raise RowError("groups must be an object of texts", field="groups")
        return self._groups.read({name: one for name, one in given.items() if one}, field="groups")

    def _file(self, given: object, where: str) -> DocumentFile | None:
        if given is None:
            return None
        if isinstance(given, str):
            return DocumentFile(_file_name(given, where), None)
        record = _object(given, where, _FILE)
        name, content = record.get("name"), record.get("content")
        if not isinstance(name, str) or not isinstance(content, str):
            raise RowError(f"{where} needs a name and its content in base64", field=where)
        if 3 * len(content) // 4 > self._max_file_bytes + self._max_file_bytes // 32:  # with ends of lines
            raise RowError(
                f"{where} has about {3 * len(content) // 4:,} bytes; the limit is {self._max_file_bytes:,}",
                field=where,
                limit=self._max_file_bytes,
                actual=3 * len(content) // 4,
            )
        try:
            return DocumentFile(_file_name(name, where), decoded_content(content))
        except ValueError:
            raise RowError(f"{where}.content is not base64", field=f"{where}.content") from None


def pack_rows(rows: list[Row]) -> bytes:
    """Rows as bytes: the same for the same rows."""
    return _packed([_row_values(row) for row in rows])


def unpack_rows(content: bytes) -> list[Row]:
    """What `pack_rows` packed."""
    return [
        Row(
            line,
            candidate,
            resume,
            groups,
            None if posting is None else _posting_of(posting),
            _file_of(file),
            None if fault is None else Fault(*fault),
            *more,  # rows of an earlier version end here
        )
        for line, candidate, resume, groups, posting, file, fault, *more in json.loads(content)
    ]


def pack_postings(postings: list[Posting]) -> bytes:
    """Postings as bytes: the same for the same postings."""
    return _packed([_posting_values(one) for one in postings])


def unpack_postings(content: bytes) -> list[Posting]:
    """What `pack_postings` packed."""
    return [_posting_of(one) for one in json.loads(content)]


def _packed(values: object) -> bytes:
    # Half a character, as "\ud800" in JSON, has no UTF-8: it stays escaped, and is refused when it is read.
    return json.dumps(values, separators=(",", ":")).encode()


def _row_values(row: Row) -> list[object]:
    fault = None if row.fault is None else [row.fault.code, row.fault.message, row.fault.field]
    posting = None if row.posting is None else _posting_values(row.posting)
    more = [list(row.unknown_groups)] if row.unknown_groups else []
    return [row.line, row.id, row.resume, dict(row.groups), posting, _file_values(row.file), fault, *more]


def _posting_values(posting: Posting) -> list[object]:
    return [posting.description, posting.title, posting.id, _file_values(posting.file)]


def _posting_of(values: list[Any]) -> Posting:
    description, title, posting_id, file = values
    return Posting(description, title, posting_id, _file_of(file))


def _file_values(file: DocumentFile | None) -> list[object] | None:
    if file is None:
        return None
    return [file.name, None if file.content is None else base64.b64encode(file.content).decode()]


def _file_of(values: list[Any] | None) -> DocumentFile | None:
    if values is None:
        return None
    name, content = values
    return DocumentFile(name, None if content is None else base64.b64decode(content))


def _object(given: object, where: str, fields: frozenset[str]) -> dict[str, object]:
    if not isinstance(given, dict):
        raise RowError(f"{where or 'the row'} must be an object", field=where or None)
    unknown = len(given.keys() - fields)
    if unknown:
        raise RowError(
            f"{where or 'the row'} has {unknown} fields that are none of {', '.join(sorted(fields))}",
            field=where or None,
        )
    return given


def _text(record: Mapping[str, object], name: str, where: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        path = f"{where}.{name}" if where else name
        raise RowError(f"{path} must be a text", field=path)
    return value


def _id(value: object, where: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowError(f"{where} must be a text", field=where)
    if not 1 <= len(value) <= MAX_ID_CHARACTERS or "\x00" in value or not _is_whole(value):
        raise RowError(
            f"{where} has {len(value):,} characters; 1 to {MAX_ID_CHARACTERS} are allowed, a null character "
            "or half a character is not",
            field=where,
            limit=MAX_ID_CHARACTERS,
            actual=len(value),
        )
    return value


def _is_whole(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _file_name(value: str, where: str) -> str:
    if not 1 <= len(value) <= MAX_FILE_NAME_CHARACTERS:
        raise RowError(
            f"{where} has a name of {len(value):,} characters; 1 to {MAX_FILE_NAME_CHARACTERS} are allowed",
            field=where,
            limit=MAX_FILE_NAME_CHARACTERS,
            actual=len(value),
        )
    return value
