"""Inputs cut into blocks: the unit that is scored, written and, once written, never scored again.

A block is known by its file and its number in it, and holds the same rows in every run over the same inputs
with the same sizes, so a run that is continued knows from the names of the output's files what is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from service.core.errors import ErrorCollector, InputError, InputErrors, TableError
from service.files.resume_files import UnreadResume, resumes_of_table
from service.ray_data.inputs import InputFile, Inspection
from service.ray_data.storage import Location

_BLOCK_BYTES = 8 * 2**20
"""A block ends early after so many characters of text, or bytes of documents."""

MAX_RECORDED_ID_CHARACTERS = 200
"""Of candidates and postings, as the decision log keeps them."""

_MOST_PAIRS = 100_000
"""A block's scores are in memory together, with what is said of each."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What could not be scored. `line`: in a table; None for a whole file. Never a word of a resume."""

    file: str
    line: int | None
    candidate_id: str | None
    code: str
    message: str

    @classmethod
    def of(
        cls, error: InputError, file: str, *, line: int | None = None, candidate_id: str | None = None
    ) -> Fault:
        """The fault of a row or a document."""
        return cls(file, error.line if line is None else line, candidate_id, error.code, error.message)


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A resume: the `text` of a row, or the `place` of a document. `source`: where it stands, for errors."""

    file: str
    line: int | None
    id: str
    source: str
    text: str | None = None
    place: Location | None = None

    def __repr__(self) -> str:
        return f"BlockRow({self.file!r}, {self.line})"


@dataclass(slots=True)
class Block:
    """Rows that are scored together. `file`: the number of its table, 0 for documents."""

    file: int
    number: int
    rows: list[BlockRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    size: int = 0

    @property
    def name(self) -> str:
        """The stem of its files in the output."""
        return block_name(self.file, self.number)

    @property
    def taken(self) -> int:
        return len(self.rows) + len(self.faults)


def block_name(file: int, number: int) -> str:
    """`part-000003-000017`, say."""
    return f"part-{file:06d}-{number:06d}"


def file_of_block(name: str) -> int:
    """The number of the table of a block, from its name."""
    return int(name.split("-")[1])


def rows_a_block(asked: int, postings: int) -> int:
    """How many rows a block has at most: fewer than were asked for where there are many postings."""
    return max(1, min(asked, _MOST_PAIRS // max(1, postings)))


def blocks_of_table(
    inspected: Inspection, rows: int, finished: Collection[str] = (), most_bytes: int = _BLOCK_BYTES
) -> Iterator[Block | Fault]:
    """The blocks of a table but for the finished ones; a fault at the end if it cannot be read to its end."""
    file = inspected.file
    if inspected.fault is not None:
        yield Fault.of(inspected.fault, file.source)
        return
    if inspected.table is None or inspected.text is None:
        return
    errors = ErrorCollector()
    block = Block(file.number, 0)
    seen = 0

    def faults() -> None:
        nonlocal seen
        for error in errors.errors[seen:]:
            block.faults.append(Fault.of(error, file.source))
        seen = len(errors.errors)

    wrong: Fault | None = None
    with closing(resumes_of_table(inspected.table, inspected.identity, inspected.text, errors)) as resumes:
        while True:
            try:
                resume = next(resumes, None)
            except (InputError, OSError) as error:
                wrong, resume = _of_file(error, file), None
            faults()
            if resume is None:
                break
            block.rows.append(_row(file, resume))
            block.size += len(resume.text or "")
            if block.taken >= rows or block.size >= most_bytes:
                if block.name not in finished:
                    yield block
                block = Block(file.number, block.number + 1)
    # A file that breaks off has no last block: what is behind the break belongs to it.
    if wrong is not None:
        yield wrong
    elif block.taken and block.name not in finished:
        yield block


def blocks_of_documents(
    files: Sequence[InputFile], rows: int, finished: Collection[str] = (), most_bytes: int = _BLOCK_BYTES
) -> Iterator[Block]:
    """The blocks of documents, which are read where they are scored, but for the finished ones."""
    block = Block(0, 0)
    for file in files:
        block.rows.append(BlockRow(file.source, None, file.id, file.source, place=file.place))
        block.size += file.size
        if block.taken >= rows or block.size >= most_bytes:
            if block.name not in finished:
                yield block
            block = Block(0, block.number + 1)
    if block.taken and block.name not in finished:
        yield block


def _row(file: InputFile, resume: UnreadResume) -> BlockRow:
    return BlockRow(file.source, resume.line, resume.id, resume.source, text=resume.text)


def _of_file(error: InputError | OSError, file: InputFile) -> Fault:
    if isinstance(error, InputErrors):
        error = error.errors[0]
    if isinstance(error, OSError):
        error = TableError(f"{file.place} cannot be read: {error.strerror or type(error).__name__}")
    return Fault.of(error, file.source)
