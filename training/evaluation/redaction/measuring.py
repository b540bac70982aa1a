"""One annotated resume, redacted: which annotated spans are hidden, which words that must stay are not."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from service.core.documents import MAX_TEXT_CHARACTERS, Document, read_document
from service.core.language import language_of, warnings_of_language
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.redactor import Redacted, Redactor
from service.core.redaction.spans import Span, replace, without_overlaps
from service.core.resume_warnings import findings_of
from training.evaluation.redaction.annotated import AnnotatedResume
from training.evaluation.redaction.labels import LabelTable
from training.evaluation.redaction.offsets import NormalisedPlaces

_WORD = re.compile(r"\w+")

_CONTEXT = 60
"""Characters beside a miss that a private example shows."""


@dataclass(frozen=True, slots=True)
class ClueFound:
    """An annotated span that is to be hidden, its letters and digits, and how many of them are hidden.

    `text` is what stood there: never for a report. `touched`: a span of its own category hides some of it.
    """

    category: Category
    text: str
    characters: int
    hidden: int
    touched: bool

    @property
    def whole(self) -> bool:
        return self.hidden == self.characters


@dataclass(frozen=True, slots=True)
class Miss:
    """A private example: a span not wholly hidden (`left`), or a word that `category` took (`lost`)."""

    resume: str
    kind: str
    label: str
    category: str
    text: str
    context: str


@dataclass(frozen=True, slots=True)
class MeasuredResume:
    """What redaction did to one resume. It holds its text: never for a report, a log or an error.

    Attributes:
        text: Normalised, as it came.
        clues: Annotated spans that are to be hidden, as spans of ours.
        kept: Annotated spans that must stay, as places in `text`.
        found: How redaction did on each annotated span that is to be hidden.
        touching: Spans of ours by category that touch an annotated span of their category.
        words: Words that must stay by label, and those of them that were lost.
        taken: How many words each category took.
        vanished: Annotated spans of which normalising leaves nothing.
    """

    id: str
    text: str
    redacted: Redacted
    clues: list[Span]
    kept: list[tuple[int, int]]
    found: list[ClueFound]
    touching: Counter[Category]
    words: Counter[str]
    lost: Counter[str]
    taken: Counter[Category]
    vanished: int
    ms: float
    warnings: list[str]
    misses: list[Miss]

    def hidden_by_annotation(self, also: list[Span]) -> str:
        """The text in which exactly the annotated clues, and spans `also`, are hidden."""
        return replace(self.text, without_overlaps([*self.clues, *also]))


def measure(resume: AnnotatedResume, redactor: Redactor, table: LabelTable) -> MeasuredResume:
    """Redact one resume and set it against its annotation.

    Raises an `InputError` if the resume is empty, too long or cannot be redacted.
    """
    document = read_document(resume.text, field="text", max_characters=MAX_TEXT_CHARACTERS)
    began = time.thread_time()  # of the processor: other work on the machine does not count
    redacted = redactor.redact(document.text, field="text")
    ms = 1000 * (time.thread_time() - began)
    places = NormalisedPlaces(resume.text)
    hidden_by: list[Category | None] = [None] * len(document.text)
    for span in redacted.spans:
        hidden_by[span.start : span.end] = [span.category] * (span.end - span.start)

    clues: list[Span] = []
    kept: list[tuple[str, int, int]] = []
    apart = bytearray(len(document.text))  # no word in it is counted as lost: it may be hidden rightly
    found: list[ClueFound] = []
    misses: list[Miss] = []
    vanished = 0
    for annotated in resume.spans:
        start, end = places.span(annotated.start, annotated.end)
        use, category = table.use_of(annotated.label), table.category_of(annotated.label)
        characters = [i for i in range(start, end) if document.text[i].isalnum()]
        if not characters:
            vanished += 1
        elif use == "keep":
            kept.append((annotated.label, start, end))
        elif category is not None:
            clue = ClueFound(
                category,
                document.text[start:end],
                len(characters),
                sum(hidden_by[i] is not None for i in characters),
                any(hidden_by[i] == category for i in characters),
            )
            found.append(clue)
            clues.append(Span(start, end, category, TOKENS[category]))
            if not clue.whole:
                misses.append(_miss(resume.id, "left", annotated.label, category, document.text, start, end))
        if use in ("hide", "ignore"):
            apart[start:end] = b"\1" * (end - start)

    words: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    taken: Counter[Category] = Counter()
    for label, start, end in _words_of(document.text, kept):
        if any(apart[start:end]):
            continue
        words[label] += 1
        taker = next((hidden for hidden in hidden_by[start:end] if hidden is not None), None)
        if taker is not None:
            lost[label] += 1
            taken[taker] += 1
            misses.append(_miss(resume.id, "lost", label, taker, document.text, start, end))
    return MeasuredResume(
        id=resume.id,
        text=document.text,
        redacted=redacted,
        clues=clues,
        kept=[(start, end) for _, start, end in kept],
        found=found,
        touching=Counter(s.category for s in redacted.spans if _touches(s, clues)),
        words=words,
        lost=lost,
        taken=taken,
        vanished=vanished,
        ms=ms,
        warnings=_warnings(redactor, redacted, document),
        misses=misses,
    )


def _words_of(text: str, kept: list[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Words of the spans that must stay, with their label and place."""
    for label, start, end in kept:
        for word in _WORD.finditer(text, start, end):
            yield label, word.start(), word.end()


def _touches(span: Span, clues: list[Span]) -> bool:
    return any(
        clue.category == span.category and clue.start < span.end and span.start < clue.end for clue in clues
    )


def _warnings(redactor: Redactor, redacted: Redacted, document: Document) -> list[str]:
    """Codes of the warnings that the service gives with such a resume."""
    return [
        *warnings_of_language(language_of(document.text), document.non_latin_script),
        *findings_of(
            document.text, document.text, redacted if "name" in redactor.categories else None
        ).warnings,
    ]


def _miss(resume: str, kind: str, label: str, category: str, text: str, start: int, end: int) -> Miss:
    context = text[max(0, start - _CONTEXT) : end + _CONTEXT]
    return Miss(resume, kind, label, category, text[start:end], context)
