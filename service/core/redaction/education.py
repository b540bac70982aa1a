"""The section of education: which of its rows are about studies, the schools in them and the years.

A row is a line, or what stands between two wide gaps of a text that lost its line breaks. Its kind comes from its
words: a degree or a school says `study`, a job title or a firm says `work` (a section whose end was not seen). In
an entry of study whose school nothing else found, the cell that is no degree, field, town, grade or year is it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from service.core.redaction.education_cells import (
    CERTIFICATE,
    DEGREE_OR_DIPLOMA,
    OPENING_WORDS,
    YEAR,
    Kind,
    Row,
    behind_field,
    cell_of,
    cells_beside_school,
    cells_with_key_word,
    cells_with_opener,
)
from service.core.redaction.education_words import (
    COMPANIES,
    DEGREES,
    FIELDS,
    POSTS,
)
from service.core.redaction.graduation_years import years_in
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.policy import TOKENS
from service.core.redaction.school_boards import boards_in
from service.core.redaction.school_cells import widened
from service.core.redaction.school_words import BOARD_WORDS
from service.core.redaction.schools import schools_of_education
from service.core.redaction.spans import Span, shifted, without_overlaps
from service.core.redaction.words import Words, read_words

_GAP = re.compile(r"\n|[ \t]{2,}|[ ]?[|•·●▪][ ]?")
_NOT_DATE = re.compile(
    r"\[YEAR\]|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\b\.?|\b(?:to|till|until|since|from|present|current|now|date|expected|"
    r"spring|summer|fall|autumn|winter|in|of|the|year|passing|batch|ongoing|pursuing|months?|years?|yrs?)\b|[\W\d_]",
    re.IGNORECASE,
)
_FIELD_WORDS = FIELDS | {"in", "of", "and", "the"}
_SCHOOL_TOKEN = TOKENS["school"]
_HIDDEN_SCHOOL = re.compile(re.escape(_SCHOOL_TOKEN))


def find_in_education(lines: Sequence[Line], text: str, lexicon: Lexicon) -> Iterator[Span]:
    """Schools and years in every section of education of `text`; `lines` are all of its lines, in order."""
    first = 0
    while first < len(lines):
        if lines[first].section != "education":
            first += 1
            continue
        stop = first
        while stop < len(lines) and lines[stop].section == "education":
            stop += 1
        body = first
        while body < stop and lines[body].heading:
            body += 1
        if body < stop:
            start, end = lines[body].start, lines[stop - 1].end
            headings = [(line.start - start, line.end - start) for line in lines[body:stop] if line.heading]
            yield from shifted(_section(text[start:end], headings, lexicon), start)
        first = stop


def _section(text: str, headings: Sequence[tuple[int, int]], lexicon: Lexicon) -> list[Span]:
    parts: list[str] = []
    done = 0
    for start, end in headings:
        parts += (text[done:start], " " * (end - start))
        done = end
    text = "".join((*parts, text[done:]))
    words = read_words(text)
    found = list(schools_of_education(text, words, lexicon))
    found += widened(text, words, without_overlaps(found), lexicon)
    rows = _rows_of(text, words, found)
    found += [
        Span(start, end, "school", _SCHOOL_TOKEN, reason="school.cell")
        for start, end in _cells_of_schools(rows, lexicon)
    ]
    found += [
        Span(start, end, "school", _SCHOOL_TOKEN, reason="school.board")
        for start, end in boards_in(text, words)
    ]
    for row in _rows_of_study(rows):
        found += [
            Span(row.start + a, row.start + b, "graduation_year", TOKENS["graduation_year"])
            for a, b in years_in(row.text)
        ]
    return found


def _rows_of(text: str, words: Words, schools: Sequence[Span]) -> list[Row]:
    """The rows of a section with their kinds, in time that grows with the text: all three lists are in order."""
    rows: list[Row] = []
    places = [at for gap in _GAP.finditer(text) for at in gap.span()]
    bounds = [0, *places, len(text)]
    ordered = sorted(schools)
    reach = reach_at = word = school = 0
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        part = text[start:end]
        if not part.strip():
            continue
        while word < len(words) and words.starts[word] < start:
            word += 1
        folded = []
        while word < len(words) and words.starts[word] < end:
            folded.append(words.folded[word])
            word += 1
        inside = [(reach_at - start, reach - start)] if reach > start else []
        while school < len(ordered) and ordered[school].start < end:
            inside.append((ordered[school].start - start, ordered[school].end - start))
            if ordered[school].end > reach:
                reach_at, reach = ordered[school].start, ordered[school].end
            school += 1
        has_school = reach > start or _SCHOOL_TOKEN in part
        if has_school:
            inside += [match.span() for match in _HIDDEN_SCHOOL.finditer(part)]
        row = Row(start, end, part, folded, has_school, False, schools=tuple(sorted(inside)))
        row.has_degree = (
            DEGREE_OR_DIPLOMA.search(part) is not None
            or not DEGREES.isdisjoint(folded)
            or CERTIFICATE.search(part) is not None
        )
        row.kind = _kind_of(row)
        rows.append(row)
    return rows


def _kind_of(row: Row) -> Kind:
    if row.has_degree:
        return "study"
    if not POSTS.isdisjoint(row.folded) or (not row.has_school and not COMPANIES.isdisjoint(row.folded[-2:])):
        return "work"
    if row.has_school:
        return "study"
    if not _NOT_DATE.sub("", row.text):
        return "date"
    return "other"


def _rows_of_study(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows whose years are years of study. A date by itself belongs to the row beside it."""
    state: Kind = "study"
    last: Kind = "other"  # the kind of the row of study or work before
    for i, row in enumerate(rows):
        teachers_employer = row.kind == "study" and not row.has_degree and state == last == "work"
        if row.kind in ("study", "work"):
            last = row.kind
            state = state if teachers_employer else row.kind
        if not YEAR.search(row.text):
            continue
        if row.kind == "date" and state == "study":
            # "2014 - present" above a job that follows the studies.
            following = next((r.kind for r in rows[i + 1 : i + 3] if r.kind != "date"), "other")
            before = rows[i - 1].kind if i else "other"
            if following == "work" and before != "study":
                continue
        elif row.kind == "date" and state == "work":
            behind = next((r for r in rows[i + 1 : i + 3] if r.kind != "date"), None)
            if behind is None or not behind.has_degree or rows[i - 1].kind == "work":
                continue
        elif state == "work":
            continue
        yield row


def _has_school_below_degree(rows: Sequence[Row]) -> bool:
    """True if an entry of the section has its degree in one row and its school in the next one."""
    return any(
        row.has_degree and not row.has_school and below.has_school and not below.has_degree
        for row, below in pairwise(row for row in rows if row.kind != "date")
    )


def _cells_of_schools(rows: Sequence[Row], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """The cells that end in a key word, and those that are schools because nothing else in an entry with a degree can be."""
    for i, row in enumerate(rows):
        if row.kind != "work" and not OPENING_WORDS.isdisjoint(row.folded):
            yield from cells_with_opener(row, lexicon)
        if row.kind != "work" and any(near.has_degree for near in rows[max(0, i - 2) : i + 3]):
            yield from cells_with_key_word(row)
    slot = _has_school_below_degree(rows)
    for i, row in enumerate(rows):
        if not row.has_degree and not (slot and _FIELD_WORDS.issuperset(row.folded)):
            continue
        behind = list(behind_field(row, lexicon))
        if row.has_school:
            yield from behind
            yield from cells_beside_school(row, lexicon)
            continue
        # In the row itself, or else in the one below, or else in the one above.
        own = cell_of(row, lexicon, own=True)
        if own is not None or behind:
            yield from behind if own is None else (own,)
            continue
        below = next((r for r in rows[i + 1 : i + 3] if r.kind != "date"), None)
        # "CBSE" is what a certificate is called, but where schools stand it says which one.
        if below is not None and (
            not below.has_degree or (slot and below.folded and BOARD_WORDS.issuperset(below.folded))
        ):
            if below.has_school:
                continue
            dated = i + 2 < len(rows) and "date" in (rows[i + 1].kind, rows[i + 2].kind)
            dated = dated or below.text.rstrip().endswith(("-", "–"))  # a town comes next
            found = cell_of(below, lexicon, small=row.text.islower(), dated=dated, slot=slot)
            if found is not None:
                yield found
                continue
        above = rows[i - 1] if i else None
        if (
            above is not None
            and above.kind == "other"
            and (i < 2 or not (rows[i - 2].has_degree or rows[i - 2].has_school))
        ):
            found = cell_of(above, lexicon)
            if found is not None:
                yield found
