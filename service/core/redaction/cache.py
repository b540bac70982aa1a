"""What was found in paragraphs and lines before: variants of a resume and later passes share most of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from service.core.redaction.layout import Line, Section, Segment, segments_of
from service.core.redaction.lexicon import Lexicon, load_lexicon
from service.core.redaction.names.line_features import LineFeatures, features_of
from service.core.redaction.prefilter import SubstringsOfText
from service.core.redaction.recognisers import (
    LINE_PREFILTERS,
    PARAGRAPH_PREFILTERS,
    find_by_section,
    find_in_paragraph,
)
from service.core.redaction.spans import Span, shifted
from service.core.redaction.words import Words


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's words, and the entities found in it without looking at the rest of the text."""

    words: Words
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class RedactionCache:
    """What was found in texts that are redacted together, by the paragraph or line that it was found in.

    It holds personal data, so it must not outlive the work on these texts. Not thread-safe.
    """

    lexicon: Lexicon = field(default_factory=load_lexicon)
    paragraphs: dict[str, Paragraph] = field(default_factory=dict)
    segments: dict[str, list[Segment]] = field(default_factory=dict)
    features: dict[str, LineFeatures] = field(default_factory=dict)
    lines: dict[tuple[str, Section, bool, int], list[Span]] = field(default_factory=dict)

    def segments_of(self, line: str) -> list[Segment]:
        if line not in self.segments:
            self.segments[line] = segments_of(line)
        return self.segments[line]

    def features_of(self, line: str, substrings: Sequence[tuple[str, int]] | None = None) -> LineFeatures:
        """`substrings`: those of `recognisers.LINE_PREFILTERS` that stand in a text that the line is a part of."""
        if line not in self.features:
            self.features[line] = features_of(line, self.lexicon, substrings)
        return self.features[line]

    def spans_in(self, line: Line) -> list[Span]:
        """As `recognisers.find_by_section`. Where a line stands matters in the header only, which has a limit."""
        key = (line.text, line.section, line.heading, line.start if line.section == "header" else 0)
        if key not in self.lines:
            features = self.features_of(line.text)
            self.lines[key] = list(find_by_section(line, features.words, features.seen, self.lexicon))
        return self.lines[key]

    def paragraph(self, text: str, substrings: SubstringsOfText) -> Paragraph:
        """What a paragraph holds. `substrings`: those of the text that it is a part of."""
        if text not in self.paragraphs:
            self.paragraphs[text] = self._read(text, substrings)
        return self.paragraphs[text]

    def _read(self, text: str, of_text: SubstringsOfText) -> Paragraph:
        read = Paragraph(Words(), [])
        position = 0
        substrings = LINE_PREFILTERS.substrings_in(text.lower(), of_text.of(LINE_PREFILTERS))
        for line in text.split("\n"):
            features = self.features_of(line, substrings)
            read.words.add(features.words, position)
            read.spans.extend(shifted(features.spans, position))
            position += len(line) + 1
        found = find_in_paragraph(text, read.words, self.lexicon, of_text.of(PARAGRAPH_PREFILTERS))
        read.spans.extend(found)
        return read
