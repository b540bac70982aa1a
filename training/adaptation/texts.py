"""Postings and resumes without labels: read from tables, cut into passages, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from service.core.column_names import AmbiguousColumnError, Role, guessed_column, list_columns
from service.core.errors import InputError
from service.core.matching import Matcher
from service.core.tokenization import TokenIds
from training.data.example import DataError, DataFormatError
from training.data.review import fingerprint, normalised
from training.data.tables import columns_of, read_tables
from training.learning.families import families_of
from training.learning.tokenized import Texts

Given = TypeVar("Given")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class UnlabelledPosting:
    """A posting's title and the passages of its body.

    `title_words`: of the title, in small letters. `family`: equal for postings whose bodies are nearly the
    same.
    """

    title: TokenIds
    title_words: frozenset[str]
    passages: Texts
    family: int

    def is_like(self, other: UnlabelledPosting) -> bool:
        """Whether the other looks for the same people, so that its body would fit this title as well."""
        if self.family == other.family:
            return True
        either = len(self.title_words | other.title_words)
        return either > 0 and 2 * len(self.title_words & other.title_words) > either


@dataclass(frozen=True, slots=True)
class UnlabelledTexts:
    """What there is to learn from. `resumes`: redacted passages of each. `notes`: what was left out."""

    postings: list[UnlabelledPosting]
    resumes: list[Texts]
    notes: tuple[str, ...]


def read_postings(path: Path, title: str | None, body: str | None, notes: list[str]) -> list[tuple[str, str]]:
    """Title and body of each row that has both. Columns None: guessed, with a note.

    Raises `DataFormatError` if the file cannot be read or has no such column.
    """
    found: list[tuple[str, str]] = []
    rows_count = 0
    for rows in read_tables(path).values():
        there = columns_of(rows)
        titles = _column(path, there, title, "posting_title", "--title-column", notes)
        bodies = _column(path, there, body, "posting", "--job-column", notes)
        rows_count += len(rows)
        texts = ((_text(row.get(titles)), _text(row.get(bodies))) for row in rows)
        found += [(of_title, of_body) for of_title, of_body in texts if of_title and of_body]
    if len(found) < rows_count:
        notes.append(f"{path}: {rows_count - len(found):,} of {rows_count:,} rows have no title or no body")
    return found


def read_resumes(path: Path, column: str | None, notes: list[str]) -> list[str]:
    """The text of each row that has one. Raises `DataFormatError` as `read_postings` does."""
    found: list[str] = []
    rows_count = 0
    for rows in read_tables(path).values():
        name = _column(path, columns_of(rows), column, "resume", "--resume-column", notes)
        rows_count += len(rows)
        found += [text for row in rows if (text := _text(row.get(name)))]
    if len(found) < rows_count:
        notes.append(f"{path}: {rows_count - len(found):,} of {rows_count:,} rows have no resume")
    return found


def tokenize_texts(
    matcher: Matcher, postings: Sequence[tuple[str, str]], resumes: Sequence[str], notes: list[str]
) -> UnlabelledTexts:
    """Cut and redact as the service would; equal texts count once.

    A text that cannot be read, or has fewer than two passages (there is nothing to set against each other),
    is left out and counted in `notes`. Raises `DataError` if nothing is left.
    """
    distinct = list({fingerprint(f"{title}\n{body}"): (title, body) for title, body in postings}.values())
    jobs = _readable(distinct, lambda one: matcher.tokenize_job(one[1], one[0]), "postings", notes)
    cut = [
        (title, job.title, tuple(passage.ids for passage in job.passages))
        for (title, _), job in jobs
        if job.title is not None and len(job.passages) > 1
    ]
    families = families_of([passages for _, _, passages in cut], [()] * len(cut))
    found = [
        UnlabelledPosting(of_title, frozenset(normalised(title).split()), passages, family)
        for (title, of_title, passages), family in zip(cut, families, strict=True)
    ]
    people = _readable(
        list({fingerprint(text): text for text in resumes}.values()),
        matcher.tokenize_resume,
        "resumes",
        notes,
    )
    read = [tuple(passage.ids for passage in resume.passages) for _, resume in people]
    sections = [passages for passages in read if len(passages) > 1]
    short = len(jobs) - len(cut) + len(read) - len(sections)
    if short:
        notes.append(f"{short:,} texts of fewer than two passages are left out")
    if not found and not sections:
        raise DataError("nothing to learn from: no posting and no resume of two passages or more")
    return UnlabelledTexts(found, sections, tuple(notes))


def _readable(
    texts: Sequence[Given], read: Callable[[Given], Read], kind: str, notes: list[str]
) -> list[tuple[Given, Read]]:
    found, refused = [], 0
    for text in texts:
        try:
            found.append((text, read(text)))
        except InputError:
            refused += 1
    if refused:
        notes.append(f"{refused:,} of {len(texts):,} {kind} cannot be read and are left out")
    return found


def _column(
    path: Path, there: Sequence[str], given: str | None, role: Role, option: str, notes: list[str]
) -> str:
    if given is not None:
        if given not in there:
            raise DataFormatError(f"{path} has no column `{given}` ({option}); {list_columns(there)}")
        return given
    try:
        found = guessed_column(role, there)
    except AmbiguousColumnError as error:
        raise DataFormatError(f"{path}: {' and '.join(error.columns)} could be meant; say {option}") from None
    if found is None:
        raise DataFormatError(f"{path}: no column looks like a {role}; say {option}; {list_columns(there)}")
    notes.append(f"{path}: column `{found}` is read as the {role.replace('_', ' ')}")
    return found


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
