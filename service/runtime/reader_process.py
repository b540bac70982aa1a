"""The process that reads long texts: normalises and redacts what comes through a pipe, one text at a time.

Started by `service.runtime.reader_pool`. It imports what reading needs and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.core.redaction.given import GivenSpan
from service.core.redaction.lexicon import load_lexicon
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redactor
from service.core.text_reader import InProcessReader, ReadText
from service.runtime.worker_process import serve


@dataclass(frozen=True, slots=True)
class ReadTask:
    """One text to read. `cpu_seconds`: user and system time together, above which the process ends."""

    text: str
    field: str
    max_characters: int
    categories: frozenset[Category] | None
    given: tuple[GivenSpan, ...]
    names_alone: bool
    cpu_seconds: float

    def __repr__(self) -> str:
        return "ReadTask(...)"  # nothing may print the text by accident


def main(entities: str) -> None:
    """Read texts until the pipe ends. `entities`: a spaCy model, or ""."""

    def prepare() -> Callable[[ReadTask], ReadText]:
        reader = InProcessReader(Redactor(entities=EntityFinder(entities) if entities else None))
        load_lexicon()

        def read(task: ReadTask) -> ReadText:
            return reader.read(
                task.text,
                field=task.field,
                max_characters=task.max_characters,
                categories=task.categories,
                given=task.given,
                names_alone=task.names_alone,
            )

        return read

    serve(prepare)
