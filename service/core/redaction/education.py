"""The section of education: which of its rows are about studies, the schools in them and the years.

A row is a line, or what stands between two wide gaps of a text that lost its line breaks. Its kind comes from its
words: a degree or a school says `study`, a job title or a firm says `work` (a section whose end was not seen). In
an entry of study whose school nothing else found, the cell that is no degree, field, town, grade or year is it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from service.core.redaction.education_words import (
    ABBREVIATIONS,
    COMPANIES,
    DEGREES,
    FIELDS,
    GRADES,
    POSTS,
)
from service.core.redaction.graduation_years import years_in
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import COUNTRY_NAMES, Lexicon
from service.core.redaction.policy import TOKENS
from service.core.redaction.school_boards import boards_in
from service.core.redaction.school_cells import widened
from service.core.redaction.school_slots import TOWNS
from service.core.redaction.school_words import ENDS_LIKE_SCHOOL, GENERIC, NO_NAMES, OPENERS
from service.core.redaction.schools import DEGREE, schools_of_education
from service.core.redaction.spans import Span, shifted, without_overlaps
from service.core.redaction.words import Words, fold, read_words

Kind = Literal["study", "work", "date", "other"]

_COUNTRIES = frozenset(fold(country) for country in COUNTRY_NAMES)

_GAP = re.compile(r"\n|[ \t]{2,}|[ ]?[|•·●▪][ ]?")
_CELL = re.compile(r"[,;:()\[\]]|[ ][-–—][ ]|[-–—]{2,}|—")
_DEGREE = re.compile(
    rf"(?<![\w.])(?:{DEGREE}|[BM]\.?\s?(?:TECH|COM|ED|Ed|PHIL|Phil|PHARM|Pharm)|PH\.?\s?D|BCA|MCA|MBBS|BDS|PGD[A-Z]{{0,3}}|"
    r"b\.?\s?tech|m\.?\s?tech|[bm]\.\s?(?:com|sc|ed|e|a)|ph\.?d|mba|bca|mca|pgdm)(?!\w)"
)
_CERTIFICATE = re.compile(
    r"(?<![\w.])(?:1[02]\s?th|10\+2|\+2|X(?:II)?\s?th|(?:Class|Std\.?|Standard|Grade)[ ](?:X|XII|10|12)|Higher Secondary|Senior Secondary|"
    r"Matric(?:ulation)?|Intermediate|S\.?S\.?L\.?C|[HS]\.?S\.?C|P\.?U\.?C)(?![\w])(?!\.?[ ](?:School|Sec))",
    re.IGNORECASE,
)
"""Classes and certificates of schools, with the school beside them as with a degree."""

_FIELD_ENDING = re.compile(r"\w{3,30}(?:ics|ology|ing|tion|graphy|ment|nomy|ism|ance|ence|istry|ture)$")
_YEAR = re.compile(r"(?:19|20)\d\d|['’]\d\d\b|\[YEAR\]\s?[-–/]")
_NOT_DATE = re.compile(
    r"\[YEAR\]|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\b\.?|\b(?:to|till|until|since|from|present|current|now|date|expected|"
    r"spring|summer|fall|autumn|winter|in|of|the|year|passing|batch|ongoing|pursuing|months?|years?|yrs?)\b|[\W\d_]",
    re.IGNORECASE,
)
_ACRONYM = re.compile(r"[A-Z][A-Z.&-]{1,8}[A-Z.]")
_KEY_AT_END = re.compile(r"(?:[Hh]igh |HIGH )?\b\w{1,40}+$")
_YEAR_AT_END = re.compile(r"\s{1,3}(?:in\s)?(?:19|20)\d\d$")
_TOWN_AND_YEAR = re.compile(r",[ ]?(?:[A-Z][\w.]{1,20}+[ ,]{1,2}){1,3}(?:\(?(?:19|20)\d\d|\[YEAR)")
_NUMBER_AT_END = re.compile(r"[ ]?(?:No\.?[ ]?)?\d{1,3}$")
_ABBREVIATED_END = re.compile(r"\b(?:[A-Z]|Univ|Coll|Inst|Tech|Engg)\.$")
_OPENERS = OPENERS | {"college"}
_SCHOOL_TOKEN = TOKENS["school"]


@dataclass(slots=True)
class _Row:
    """Characters [start, end) of the section, and what they are about."""

    start: int
    end: int
    text: str
    folded: list[str]
    has_school: bool
    has_degree: bool
    kind: Kind = "other"


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


def _rows_of(text: str, words: Words, schools: Sequence[Span]) -> list[_Row]:
    """The rows of a section with their kinds, in time that grows with the text: all three lists are in order."""
    rows: list[_Row] = []
    places = [at for gap in _GAP.finditer(text) for at in gap.span()]
    bounds = [0, *places, len(text)]
    ordered = sorted(schools)
    reach = word = school = 0
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
        while school < len(ordered) and ordered[school].start < end:
            reach = max(reach, ordered[school].end)
            school += 1
        row = _Row(start, end, part, folded, reach > start or _SCHOOL_TOKEN in part, False)
        row.has_degree = (
            _DEGREE.search(part) is not None
            or not DEGREES.isdisjoint(folded)
            or _CERTIFICATE.search(part) is not None
        )
        row.kind = _kind_of(row)
        rows.append(row)
    return rows


def _kind_of(row: _Row) -> Kind:
    if row.has_degree:
        return "study"
    if not POSTS.isdisjoint(row.folded) or (not row.has_school and not COMPANIES.isdisjoint(row.folded[-2:])):
        return "work"
    if row.has_school:
        return "study"
    if not _NOT_DATE.sub("", row.text):
        return "date"
    return "other"


def _rows_of_study(rows: Sequence[_Row]) -> Iterator[_Row]:
    """The rows whose years are years of study. A date by itself belongs to the row beside it."""
    state: Kind = "study"
    last: Kind = "other"  # the kind of the row of study or work before
    for i, row in enumerate(rows):
        teachers_employer = row.kind == "study" and not row.has_degree and state == last == "work"
        if row.kind in ("study", "work"):
            last = row.kind
            state = state if teachers_employer else row.kind
        if not _YEAR.search(row.text):
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


def _cells_of_schools(rows: Sequence[_Row], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """The cells that end in a key word, and those that are schools because nothing else in an entry with a degree can be."""
    for i, row in enumerate(rows):
        if row.kind != "work" and not _OPENERS.isdisjoint(row.folded):
            yield from _cells_with_opener(row, lexicon)
        if row.kind != "work" and any(near.has_degree for near in rows[max(0, i - 2) : i + 3]):
            yield from _cells_with_key_word(row)
    for i, row in enumerate(rows):
        if not row.has_degree or row.has_school:
            continue
        # In the row itself, or else in the one below, or else in the one above.
        own = _cell_of(row, lexicon, own=True) or _behind_field(row, lexicon)
        if own is not None:
            yield own
            continue
        below = next((r for r in rows[i + 1 : i + 3] if r.kind != "date"), None)
        if below is not None and not below.has_degree:
            if below.has_school:
                continue
            dated = i + 2 < len(rows) and "date" in (rows[i + 1].kind, rows[i + 2].kind)
            found = _cell_of(below, lexicon, small=row.text.islower(), dated=dated)
            if found is not None:
                yield found
                continue
        above = rows[i - 1] if i else None
        if (
            above is not None
            and above.kind == "other"
            and (i < 2 or not (rows[i - 2].has_degree or rows[i - 2].has_school))
        ):
            found = _cell_of(above, lexicon)
            if found is not None:
                yield found


def _cells_with_key_word(row: _Row) -> Iterator[tuple[int, int]]:
    """Cells such as "Beijing No. 4 High School", whatever words with capitals stand before the key word."""
    if ENDS_LIKE_SCHOOL.isdisjoint(row.folded):
        return
    places = [at for mark in _CELL.finditer(row.text) for at in mark.span()]
    bounds = [0, *places, len(row.text)]
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        cell = row.text[start:end].strip()
        words = read_words(cell)
        if (
            2 <= len(words) <= 8
            and words.folded[-1] in ENDS_LIKE_SCHOOL
            and cell[-1].isalpha()
            and words.capitalised[0]
            and words.starts[0] == 0
            and all(c or len(w) <= 3 for c, w in zip(words.capitalised, words.folded, strict=True))
            and not _DEGREE.search(_KEY_AT_END.sub("", cell))
            and not _YEAR.search(cell)
            and not any(word in POSTS or word in DEGREES or word in NO_NAMES for word in words.folded)
            and not all(word in GENERIC or word in ENDS_LIKE_SCHOOL for word in words.folded)
        ):
            at = row.start + row.text.index(cell, start)
            yield at, at + len(cell)


def _cells_with_opener(row: _Row, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Cells such as "COLEGIO SAN MARTÍN" and "gymnasium am stadtpark", in which the name stands behind the key word."""
    places = [at for mark in _CELL.finditer(row.text) for at in mark.span()]
    bounds = [0, *places, len(row.text)]
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        cell = row.text[start:end].strip()
        year = _YEAR_AT_END.search(cell)
        cell = cell[: year.start()].rstrip() if year else cell
        words = read_words(cell)
        if (
            2 <= len(words) <= 9
            and (words.folded[0] in OPENERS or words.written[0].casefold() in ("collège", "lycée"))
            and not _YEAR.search(cell)
            and any(word not in lexicon.english and len(word) > 2 for word in words.folded[1:])
            and not any(word in POSTS or word in DEGREES for word in words.folded[1:])
        ):
            at = row.start + row.text.index(cell, start)
            yield at, at + len(cell)


def _cell_of(
    row: _Row, lexicon: Lexicon, *, own: bool = False, small: bool = False, dated: bool = False
) -> tuple[int, int] | None:
    """The first cell of a row that can be the name of a school, as [start, end) of the section.

    `own`: the row holds the degree itself. `small`: the entry is written in small letters. `dated`: a date by itself
    stands beside the row, so that one word may be a name.
    """
    if row.kind in ("work", "date"):
        return None
    places = [at for mark in _CELL.finditer(row.text) for at in mark.span()]
    bounds = [0, *places, len(row.text)]
    for n, (start, end) in enumerate(zip(bounds[::2], bounds[1::2], strict=True)):
        cell = row.text[start:end].strip()
        year = _YEAR_AT_END.search(cell)
        if year:
            cell = cell[: year.start()].rstrip()
        if not cell or (own and n == 0 and (_DEGREE.search(cell) or _CERTIFICATE.search(cell))):
            continue
        if start and row.text[start - 1] in "([" and not _goes_on_with_year(row.text, end):
            continue  # an abbreviation of what stands before
        if _can_be_school(cell, lexicon, alone=len(bounds) == 2 and not dated, small=small):
            at = row.start + row.text.index(cell, start)
            return at, at + len(cell)
        if not own:
            return None  # what follows a field or a grade is a town
    return None


def _goes_on_with_year(text: str, end: int) -> bool:
    """True if a year stands in the rest of the brackets: "(Otterbeck, 2004)"."""
    rest = text[end : end + 40].split(")")[0]
    return rest.startswith(",") and _YEAR.search(rest) is not None


def _behind_field(row: _Row, lexicon: Lexicon) -> tuple[int, int] | None:
    """What stands behind the field in a cell that holds all: "B.Tech in Computer Science COEP 1993"."""
    match = _DEGREE.search(row.text) or _CERTIFICATE.search(row.text)
    if match is None or row.kind == "work":
        return None
    words = read_words(row.text)
    i = next((n for n, start in enumerate(words.starts) if start >= match.end()), len(words))
    first = i
    while i < len(words) and (words.folded[i] in FIELDS or words.folded[i] in ("in", "of", "and", "s")):
        i += 1
    bare = i == first  # "B.Com QSTM 2009"
    if not bare and words.folded[i - 1] not in FIELDS:
        return None
    start = i
    while i < len(words) and words.capitalised[i] and i - start < 6:
        if i > start and row.text[words.ends[i - 1] : words.starts[i]] not in (" ", ".", ". ", "-", "'", "’"):
            break
        i += 1
    if i == start or row.text[words.ends[start - 1] : words.starts[start]] != " ":
        return None
    at, end = words.starts[start], words.ends[i - 1]
    end += row.text.startswith(".", end)
    rest = row.text[end:]
    if not _YEAR.match(rest.lstrip(" ,(")) and (bare or (rest.strip() and not _TOWN_AND_YEAR.match(rest))):
        return None
    if not _can_be_school(row.text[at:end], lexicon, alone=False):
        return None
    return row.start + at, row.start + end


def _can_be_school(cell: str, lexicon: Lexicon, *, alone: bool, small: bool = False) -> bool:
    """True if nothing says that a cell is something else. `alone`: it is a whole row."""
    number = _NUMBER_AT_END.search(cell)
    name = cell[: number.start()] if number else cell
    if any(ch.isdigit() for ch in name) or "[" in cell or "@" in cell:
        return False
    words = read_words(name)
    if not 1 <= len(words) <= 6:
        return False
    folded = words.folded
    if _ACRONYM.fullmatch(cell) or (
        len(folded) == 1 and cell.isupper() and 3 <= len(cell) <= 10 and folded[0] not in lexicon.english
    ):
        plain = "".join(folded)
        return (
            plain not in ABBREVIATIONS
            and plain not in DEGREES
            and plain not in FIELDS
            and plain not in lexicon.protected_words
            and plain not in TOWNS
            and len(plain) > 2
        )
    if (
        _DEGREE.search(cell)
        or _CERTIFICATE.search(cell)
        or (cell.endswith(".") and not _ABBREVIATED_END.search(cell))
    ):
        return False
    written = small or all(
        capital or len(word) <= 3 for word, capital in zip(folded, words.capitalised, strict=True)
    )
    if not written or not (small or words.capitalised[0]):
        return False
    known = (FIELDS, GRADES, DEGREES, POSTS, COMPANIES, ABBREVIATIONS)
    if any(word in group for word in folded for group in known) or any(
        _FIELD_ENDING.match(word) for word in folded
    ):
        return False
    if " ".join(folded) in TOWNS or all(word in TOWNS or word in _COUNTRIES for word in folded):
        return False
    if len(words.written[-1]) <= 2 and words.written[-1].isupper():
        return False  # an author: "Williams SJ"
    rare = [word for word in folded if word not in lexicon.english and len(word) > 1]
    if not rare or any(True for _ in lexicon.protected.find(words)):
        return False
    return len(folded) >= 2 or (
        not alone and len(rare[0]) > (2 if small else 4) and rare[0] not in lexicon.protected_words
    )
