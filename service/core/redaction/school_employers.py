"""Schools that are employers: "Kennedy High School, student teacher". A teacher's places of work stay.

Only schools before university, and institutes that are in no list of universities: where somebody taught or did
research in higher education is as good a clue as where they studied. A degree, a diploma, "graduated" or "attended"
beside the name makes it a place of study in any section.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.spans import Span, without_overlaps
from service.core.redaction.words import read_words

_BEFORE_UNIVERSITY = frozenset(
    """school schools high elementary primary secondary middle academy vidyalaya vidyalayam convent grammar gymnasium lyceum
    kindergarten preschool montessori matriculation nursery""".split()
)
_HIGHER = frozenset(
    """university univ college institute polytechnic law business medical graduate management nursing engineering technology
    dental pharmacy medicine commerce culinary conservatory seminary""".split()
)
_TAUGHT_SUBJECTS = frozenset(
    "technology management science sciences engineering business fashion art arts design education polytechnic".split()
)
_SCHOOL_OF = re.compile(r"\b(?:school|academy|college) (?:of|for) ", re.IGNORECASE)
_STUDY = re.compile(
    r"\b(?:[Gg]raduat(?:e(?! (?:[Ss]chool|[Ii]ntern|[Aa]ssistant|[Rr]esearch|[Tt]rainee|[Ss]tudents))|ed|ion)\b|[Aa]ttended|[Aa]lum(?:n\w{1,4})?\b|[Cc]lass of|[Dd]iploma|[Dd]egree|GPA|GED|[Ss]tudied|[Ss]tudent at|"
    r"[Bb]achelor|[Mm]aster['’]?s? (?:of|in|degree)|MBA|[BM]\.?\s?(?:Sc|Tech|Com|Ed)\b|[BM]\.?[AS]\.?(?= in\b|,)|Ph\.?D|Abitur|A[- ]?[Ll]evels?|GCSE|"
    r"HSC|SSC|SSLC|WAEC|[Ii]ntermediate|[Mm]atric(?:ulat\w{1,4})?\b|(?:[Cc]lass|[Ss]td\.?|CLASS|STD) (?:X|XII|1[02])\b|CBSE|ICSE|X(?:II)?th|1[02]th|[Mm]ajor|[Hh]onou?rs)"
)
_TEACHES = re.compile(
    r"\b(?:[Tt]eachers?|TEACHERS?|[Tt]eaching|TEACHING|[Ee]ducator|[Cc]oach|COACH|[Aa]ide|[Ii]nstructor|INSTRUCTOR|[Tt]utor|[Pp]rincipal|[Ll]ibrarian|"
    r"[Cc]ounsell?or|[Pp]araprofessional|[Pp]araeducator|[Cc]ustodian|[Ss]chool (?:[Nn]urse|[Pp]sychologist)|[Ff]aculty [Mm]ember|"
    r"[Hh]ead ?[Mm](?:aster|istress)|[Ee]mployed|[Ww]orked|[Ww]orking)\b"
)
_WORKED_THERE = re.compile(
    r"\b(?:[Ww]ork(?:ed|ing)|[Ee]mployed|[Tt]aught|[Tt]eaching|[Tt]eacher|[Aa]ssistant|[Jj]oined|[Vv]olunteer(?:ed|ing)?)\b[\w ,-]{0,40}"
    r"(?:at|with|by|for|in|,)\s(?:the\s)?$"
)
_ROW = re.compile(r"\n|[ \t]{2,}|\s[|•]\s")
_NEAR = 160
"""Characters in which the rows beside a name are looked for."""


def without_employers(
    found: Sequence[Span], text: str, lines: Sequence[Line], lexicon: Lexicon
) -> list[Span]:
    """`found` without the schools that are employers. `lines` are those of `text`, in order."""
    schools = without_overlaps(span for span in found if span.category == "school")
    if not schools:
        return list(found)
    starts = [line.start for line in lines]
    kept_in_text = [
        school
        for school in schools
        if _is_employer(text, school, lines[max(0, bisect_right(starts, school.start) - 1)], lexicon)
    ]
    if not kept_in_text:
        return list(found)
    at = [span.start for span in kept_in_text]

    def inside(span: Span) -> bool:
        i = bisect_right(at, span.start) - 1
        return i >= 0 and span.end <= kept_in_text[i].end

    return [span for span in found if span.category != "school" or not inside(span)]


def _is_employer(text: str, school: Span, line: Line, lexicon: Lexicon) -> bool:
    name = text[school.start : school.end]
    in_experience = line.section == "experience"
    if not _is_before_university(name, lexicon) and not (in_experience and _does_research(name, lexicon)):
        return False
    # A section may begin inside a line of a text that lost its line breaks.
    first = line.start if line.start and text[line.start - 1] != "\n" else 0
    before = text[max(first, school.start - _NEAR) : school.start]
    behind = text[school.end : school.end + _NEAR]
    if _WORKED_THERE.search(before[-60:]):
        return True
    rows_before = _ROW.split(before)
    rows_behind = _ROW.split(behind)
    own = rows_before[-1] + " " + rows_behind[0]
    if _STUDY.search(own):
        return False
    above = next((row for row in reversed(rows_before[:-1]) if row.strip()), "")
    below = next((row for row in rows_behind[1:] if row.strip()), "")
    taught = any(_TEACHES.search(row) for row in (own, above, below))
    if any(_STUDY.search(row) and not _TEACHES.search(row) for row in (above, below)):
        return in_experience and _TEACHES.search(own) is not None
    return in_experience or taught


def _is_before_university(name: str, lexicon: Lexicon) -> bool:
    words = read_words(name)
    return (
        not _BEFORE_UNIVERSITY.isdisjoint(words.folded)
        and (_HIGHER.isdisjoint(words.folded) or words.folded[-2:] == ["secondary", "college"])
        and _SCHOOL_OF.search(name + " ") is None
        and not any(True for _ in lexicon.universities.find(words))
    )


def _does_research(name: str, lexicon: Lexicon) -> bool:
    """True for an institute that is in no list and names no subject that is studied: "Salk Institute"."""
    words = read_words(name)
    return (
        "institute" in words.folded
        and _TAUGHT_SUBJECTS.isdisjoint(words.folded)
        and words.folded[-1] != "of"
        and not {"university", "college", "polytechnic"}.intersection(words.folded)
        and not any(True for _ in lexicon.universities.find(words))
    )
