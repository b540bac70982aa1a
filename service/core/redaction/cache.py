"""Paragraphs and lines that were read already. Texts share most of theirs: variants, and what a pass leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.core.redaction.layout import Line, Section, Stretch, stretches_of
from service.core.redaction.lexicon import Lexicon, load_lexicon
from service.core.redaction.line_features import LineFacts, facts_of
from service.core.redaction.recognisers import find_by_section, find_in_paragraph
from service.core.redaction.spans import Span, moved
from service.core.redaction.words import Words


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What a paragraph's words are, and what its lines and itself show by themselves."""

    words: Words
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Memo:
    """What was found already in texts that are read together, by what it was found in.

    It holds personal data: it lives no longer than the work on these texts.
    """

    lexicon: Lexicon = field(default_factory=load_lexicon)
    paragraphs: dict[str, Paragraph] = field(default_factory=dict)
    stretches: dict[str, list[Stretch]] = field(default_factory=dict)
    facts: dict[str, LineFacts] = field(default_factory=dict)
    lines: dict[tuple[str, Section, bool, int], list[Span]] = field(default_factory=dict)

    def stretches_of(self, line: str) -> list[Stretch]:
        if line not in self.stretches:
            self.stretches[line] = stretches_of(line)
        return self.stretches[line]

    def facts_of(self, line: str) -> LineFacts:
        if line not in self.facts:
            self.facts[line] = facts_of(line, self.lexicon)
        return self.facts[line]

    def spans_in(self, line: Line) -> list[Span]:
        """As `line_facts.spans_in_line`. Of its place only the header's limit matters."""
        key = (line.text, line.section, line.heading, line.start if line.section == "header" else 0)
        if key not in self.lines:
            self.lines[key] = list(find_by_section(line, self.facts_of(line.text).words, self.lexicon))
        return self.lines[key]

    def paragraph(self, text: str) -> Paragraph:
        if text not in self.paragraphs:
            self.paragraphs[text] = self._read(text)
        return self.paragraphs[text]

    def _read(self, text: str) -> Paragraph:
        read = Paragraph(Words(), [])
        position = 0
        for line in text.split("\n"):
            facts = self.facts_of(line)
            read.words.add(facts.words, position)
            read.spans.extend(moved(facts.spans, position))
            position += len(line) + 1
        read.spans.extend(find_in_paragraph(text, read.words, self.lexicon))
        return read
