"""The words that say what a cell of an entry is: a degree, a field, a grade, a job title or a firm."""

from __future__ import annotations

from service.core.redaction.lexicon import words_by

_WORDS = words_by("role", "education_words.csv")


POSTS = _WORDS["post"]
"""Job titles."""

COMPANIES = _WORDS["company"]
"""What names of firms end in."""

FIELDS = _WORDS["field"]
"""Fields of study."""

ABBREVIATIONS = _WORDS["field_abbreviation"]
"""Fields, degrees and examinations in capitals, and other capitals that are no school."""

GRADES = _WORDS["grade"]
DEGREES = _WORDS["degree"]
