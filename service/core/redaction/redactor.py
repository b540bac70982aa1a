"""Text -> text without what the model may not see, and counts of what was hidden."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from service.core.errors import UnreadableTextError
from service.core.redaction.cache import Memo
from service.core.redaction.layout import lines_of
from service.core.redaction.names.candidates import NameForm
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.names.recogniser import Names, find_names
from service.core.redaction.policy import CATEGORIES, Category
from service.core.redaction.spans import PLACEHOLDER, Span, moved, replace, without_overlaps
from service.core.redaction.words import Words

MOST_PASSES = 10
"""Resumes take one or two; text that takes one for every few characters would hold up the service."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """`counts`: how many spans of each category were hidden, those with none left out.

    `has_own_name`: a name was found where the candidate's stands. `other_people`: how many names of others.
    """

    text: str
    counts: dict[Category, int]
    has_own_name: bool
    other_people: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one pass finds. `spans` are in order and apart; they point at personal data: never log them.

    `own_name`: the parts of the candidate's name, folded, in order. `other_people`: names of others.
    """

    spans: list[Span]
    own_name: tuple[str, ...]
    other_people: int


class Redactor:
    """Hides the given categories by rules and lexicons, and names by `entities` too if given."""

    def __init__(
        self, categories: Collection[Category] = CATEGORIES, *, entities: EntityFinder | None = None
    ) -> None:
        self.categories = frozenset(categories)
        self._entities = entities

    def with_categories(self, categories: Collection[Category]) -> Redactor:
        """The same redactor for other categories."""
        return Redactor(categories, entities=self._entities)

    def redact(self, text: str, *, field: str = "resume") -> Redacted:
        """Redact normalised `text`. Redacting the result again changes nothing.

        Raises `UnreadableTextError`, which names `field`, if that takes more than `MOST_PASSES` passes.
        """
        return self._redact(text, field, Memo(), {})

    def redact_all(self, texts: Iterable[str], memo: Memo | None = None) -> Iterator[Redacted]:
        """As `redact` of each, but what several texts share is searched once."""
        memo = memo or Memo()
        analyses: dict[str, Analysis] = {}
        for text in texts:
            yield self._redact(text, "resume", memo, analyses)

    def analyse(self, text: str, memo: Memo | None = None) -> Analysis:
        """What one pass over normalised `text` finds."""
        return self._analyse(text, memo or Memo())

    def _redact(self, text: str, field: str, memo: Memo, analyses: dict[str, Analysis]) -> Redacted:
        # What stands beside a hidden span may only then be recognised, so passes are made until one
        # finds nothing; each pass hides characters, hence there is a last one.
        counts: Counter[Category] = Counter()
        first = analysis = self._analyse(text, memo)
        passes = 0
        while analysis.spans:
            passes += 1
            if passes > MOST_PASSES:
                raise UnreadableTextError(
                    f"{field} cannot be redacted: after {MOST_PASSES} passes something was still found to hide",
                    field=field,
                    limit=MOST_PASSES,
                )
            counts.update(span.category for span in analysis.spans)
            text = replace(text, analysis.spans)
            if text not in analyses:  # variants of one resume are one text from the second pass on
                analyses[text] = self._analyse(text, memo)
            analysis = analyses[text]
        return Redacted(
            text,
            {category: counts[category] for category in CATEGORIES if counts[category]},
            has_own_name=bool(first.own_name),
            other_people=first.other_people,
        )

    def _analyse(self, text: str, memo: Memo) -> Analysis:
        words = Words()
        found: list[Span] = []
        for start, paragraph in _paragraphs(text):
            known = memo.paragraph(paragraph)
            words.add(known.words, start)
            found += moved(known.spans, start)
        lines = lines_of(text, memo.stretches_of)
        for line in lines:
            found += moved(memo.spans_in(line), line.start)
        names = Names([], (), 0)
        if "name" in self.categories:
            taken = [span for span in found if span.category in _KEEPS_NAMES_OUT]
            facts = [memo.facts_of(line.text) for line in lines]
            form = NameForm(text, lines, words, memo.lexicon, taken, facts)
            names = find_names(form)
            found += names.spans
            if self._entities is not None:
                found += self._entities.find(text)
        held = _Held(match.span() for match in PLACEHOLDER.finditer(text))
        wanted = [span for span in found if span.category in self.categories]
        return Analysis(
            without_overlaps(clipped for span in wanted for clipped in held.outside(span)),
            names.own,
            names.other_people,
        )


_KEEPS_NAMES_OUT = frozenset({"email", "link", "phone", "photo", "address", "school", "affinity"})


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for paragraph in text.split("\n\n"):
        if paragraph:
            yield position, paragraph
        position += len(paragraph) + 2


class _Held:
    """The tokens that stand in a text already, in their order: what they hide is not hidden twice."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._places = list(places)
        self._ends = [end for _, end in self._places]

    def outside(self, span: Span) -> Iterator[Span]:
        """The parts of `span` that lie outside every token."""
        start = span.start
        for i in range(bisect_right(self._ends, span.start), len(self._places)):
            held_start, held_end = self._places[i]
            if held_start >= span.end:
                break
            if start < held_start:
                yield span._replace(start=start, end=held_start)
            start = held_end
        if start < span.end:
            yield span._replace(start=start)
