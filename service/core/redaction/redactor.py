"""Text -> text without what the model may not see, and counts of what was hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from service.core.redaction.contact import find_addresses_by_place, find_links_by_place
from service.core.redaction.detectors import SCHOOL_GATE, in_paragraph
from service.core.redaction.entities import EntityFinder
from service.core.redaction.gates import Clues
from service.core.redaction.layout import lines_of
from service.core.redaction.lexicon import Lexicon, Word, load_lexicon, words_of
from service.core.redaction.name_anchors import Anchor, anchors_of
from service.core.redaction.name_form import NameForm
from service.core.redaction.names import Names, find_names
from service.core.redaction.policy import CATEGORIES, Category
from service.core.redaction.schools import find_graduation_years, find_schools, find_schools_by_place
from service.core.redaction.spans import PLACEHOLDER, Span, replace, without_overlaps


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


@dataclass(frozen=True, slots=True)
class _Memo:
    """What was found already in texts that are redacted together. It lives as long as the call."""

    paragraphs: dict[str, list[Span]] = field(default_factory=dict)
    texts: dict[str, Analysis] = field(default_factory=dict)
    anchors: dict[str, list[Anchor]] = field(default_factory=dict)
    words: dict[str, list[Word]] = field(default_factory=dict)

    def anchors_of(self, line: str) -> list[Anchor]:
        if line not in self.anchors:
            self.anchors[line] = anchors_of(line)
        return self.anchors[line]

    def words_of(self, text: str) -> list[Word]:
        """As `lexicon.words_of`, line by line."""
        words: list[Word] = []
        position = 0
        for line in text.split("\n"):
            if line not in self.words:
                self.words[line] = words_of(line)
            words += [
                Word(start + position, end + position, written, folded)
                for start, end, written, folded in self.words[line]
            ]
            position += len(line) + 1
        return words


class Redactor:
    """Hides the given categories by rules and lexicons, and names by `entities` too if given."""

    def __init__(
        self, categories: Collection[Category] = CATEGORIES, *, entities: EntityFinder | None = None
    ) -> None:
        self.categories = frozenset(categories)
        self._entities = entities

    @property
    def _lexicon(self) -> Lexicon:
        return load_lexicon()

    def redact(self, text: str) -> Redacted:
        """Redact normalised `text`. Redacting the result again changes nothing."""
        return self._redact(text, _Memo())

    def redact_all(self, texts: Sequence[str]) -> list[Redacted]:
        """As `redact` of each, but what several texts share is searched once."""
        memo = _Memo()
        return [self._redact(text, memo) for text in texts]

    def analyse(self, text: str) -> Analysis:
        """What one pass over normalised `text` finds."""
        return self._analyse(text, _Memo())

    def _redact(self, text: str, memo: _Memo) -> Redacted:
        # What stands beside a hidden span may only then be recognised, so passes are made until one
        # finds nothing; each pass hides characters, hence there is a last one.
        counts: Counter[Category] = Counter()
        first = analysis = self._analyse(text, memo)
        while analysis.spans:
            counts.update(span.category for span in analysis.spans)
            text = replace(text, analysis.spans)
            if text not in memo.texts:  # variants of one resume are one text from the second pass on
                memo.texts[text] = self._analyse(text, memo)
            analysis = memo.texts[text]
        return Redacted(
            text,
            {category: counts[category] for category in CATEGORIES if counts[category]},
            has_own_name=bool(first.own_name),
            other_people=first.other_people,
        )

    def _analyse(self, text: str, memo: _Memo) -> Analysis:
        lines = lines_of(text)
        words = memo.words_of(text)
        folded = [word.folded for word in words]
        found: list[Span] = []
        for start, paragraph in _paragraphs(text):
            if paragraph not in memo.paragraphs:
                memo.paragraphs[paragraph] = list(self._in_paragraph(paragraph, memo.words_of(paragraph)))
            found += [
                span._replace(start=span.start + start, end=span.end + start)
                for span in memo.paragraphs[paragraph]
            ]
        found += find_links_by_place(lines)
        found += find_addresses_by_place(lines)
        found += find_schools_by_place(text, lines, words, folded, self._lexicon)
        taken = [span for span in found if span.category in _KEEPS_NAMES_OUT]
        found += find_graduation_years(text, lines)
        names = Names([], (), 0)
        if "name" in self.categories:
            form = NameForm(text, lines, words, folded, self._lexicon, taken)
            names = find_names(form, memo.anchors_of)
            found += names.spans
            if self._entities is not None:
                found += self._entities.find(text)
        held = [match.span() for match in PLACEHOLDER.finditer(text)]
        wanted = [span for span in found if span.category in self.categories]
        return Analysis(
            without_overlaps(clipped for span in wanted for clipped in _outside(span, held)),
            names.own,
            names.other_people,
        )

    def _in_paragraph(self, text: str, words: list[Word]) -> Iterator[Span]:
        """What can be told from a paragraph alone, whatever stands around it."""
        folded = [word.folded for word in words]
        clues = Clues(text.lower(), frozenset(folded))
        yield from in_paragraph(text, clues)
        yield from find_schools(text, words, folded, self._lexicon, gate_is_open=SCHOOL_GATE.opens(clues))


_KEEPS_NAMES_OUT = frozenset({"email", "link", "phone", "photo", "address", "school", "affinity"})


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for paragraph in text.split("\n\n"):
        if paragraph:
            yield position, paragraph
        position += len(paragraph) + 2


def _outside(span: Span, held: list[tuple[int, int]]) -> list[Span]:
    """The span without the tokens that stand in it already: they are not hidden twice."""
    for start, end in held:
        if start < span.end and span.start < end:
            parts = (span._replace(end=min(span.end, start)), span._replace(start=max(span.start, end)))
            return [rest for part in parts if part.start < part.end for rest in _outside(part, held)]
    return [span]
