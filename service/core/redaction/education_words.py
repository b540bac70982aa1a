"""The words that say what a cell of an entry is: a degree, a field, a grade, a job title or a firm."""

from __future__ import annotations

from service.core.redaction.lexicon import short_table

_ROWS = short_table("education_words.csv")


def _words(role: str) -> frozenset[str]:
    return frozenset(row["word"] for row in _ROWS if row["role"] == role)


POSTS = _words("post")
"""Job titles."""

COMPANIES = _words("company")
"""What names of firms end in."""

FIELDS = _words("field")
"""Fields of study."""

ABBREVIATIONS = _words("field_abbreviation")
"""Fields, degrees and examinations in capitals, and other capitals that are no school."""

GRADES = _words("grade")
DEGREES = _words("degree")
