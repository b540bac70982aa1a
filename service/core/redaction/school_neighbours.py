"""The words of a text as they stand beside one another: in one name, at the ends of a cell, written as a name is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.core.redaction.lexicon import Lexicon
from service.core.redaction.school_words import ABBREVIATED
from service.core.redaction.words import Words

_WRAPS = re.compile(r" {2,4}|[ ]?\n[ ]?")
_IN_BRACKETS = ("pg", "autonomous", "deemed", "boys", "girls")
"""What names of colleges hold in brackets: "D.A.V. (PG) College"."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`words` are those of `text`. `in_education`: it is a section of education, where less is enough."""

    text: str
    words: Words
    lexicon: Lexicon
    in_education: bool

    def joined(self, i: int) -> bool:
        """True if word i and the next one stand in one name as far as what is between them goes."""
        words = self.words
        gap = self.text[words.ends[i] : words.starts[i + 1]]
        if gap in (" ", "-", "–"):
            return True
        if gap == ".":
            return len(words.folded[i]) <= 2 or words.folded[i] in ABBREVIATED
        if gap in (". ", ".  "):
            return len(words.folded[i]) == 1 or words.folded[i] in ABBREVIATED
        if gap in ("'", "’", "' ", "’ ", "’s ", "-  "):
            return True
        if "(" in gap or ")" in gap:
            return (gap in (" (", ". (") and words.folded[i + 1] in _IN_BRACKETS) or (
                gap == ") " and words.folded[i] in _IN_BRACKETS
            )
        return _WRAPS.fullmatch(gap) is not None and self._wraps(i)

    def _wraps(self, i: int) -> bool:
        """True if a name goes on behind the end of a line: "University / of York", "College of / New York"."""
        before, behind = self.words.folded[i], self.words.folded[i + 1]
        if before in ("of", "the") or (before in ("and", "for") and not self.words.capitalised[i]):
            return True
        return behind in ("of",) or (behind in ("for", "and") and not self.words.capitalised[i + 1])

    def is_ampersand(self, i: int) -> bool:
        """True if "&" stands between word i and the next."""
        gap = self.text[self.words.ends[i] : self.words.starts[i + 1]]
        return gap in (" & ", "&")

    def is_rare(self, i: int) -> bool:
        """True if word i is neither English nor a tool."""
        word = self.words.folded[i]
        return len(word) > 3 and word not in self.lexicon.english and word not in self.lexicon.protected_words

    def ends_cell(self, last: int) -> bool:
        """True if nothing of the same cell follows word `last`."""
        rest = self.text[self.words.ends[last] : self.words.ends[last] + 3]
        return (
            not rest.strip()
            or rest[0] in ",;\n(|"
            or rest.startswith(("  ", " -", " –", " ("))
            or (rest[0] == "." and not rest[1:].strip())
        )

    def begins_cell(self, first: int) -> bool:
        """True if nothing of the same cell stands before word `first`."""
        before = self.text[max(0, self.words.starts[first] - 2) : self.words.starts[first]]
        return not before.strip() or before.rstrip(" ")[-1:] in ",;\n|-–•:"
