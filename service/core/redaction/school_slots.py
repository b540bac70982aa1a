"""Schools by the place that they stand in: "MBA from X", "studied at X", "University: X", "X alumni".

Such a place names a school whatever its name looks like ("RVCE", "Haberdashers"), so no key word is asked for. What
stands there is left if it is a firm, a country, a town by itself, a month or a tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.education_words import COMPANIES, POSTS
from service.core.redaction.lexicon import COUNTRY_NAMES, DEMONYMS, Lexicon, short_table
from service.core.redaction.prefilter import prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.school_words import GENERIC, KEYWORDS
from service.core.redaction.words import Words, fold

_PLACE_ROWS = short_table("places.csv")
TOWNS = frozenset(fold(row["place"]) for row in _PLACE_ROWS)
"""Folded names of towns and of other places."""

REGIONS = frozenset(fold(row["place"]) for row in _PLACE_ROWS if row["kind"] == "region")
"""Of these the States and regions: what stands before one is a town."""

_PLACES = (
    TOWNS
    | frozenset(fold(country) for country in COUNTRY_NAMES)
    | frozenset(fold(demonym) for demonym in DEMONYMS)
)
_JOINERS = frozenset(
    "of and the for de da do del della di du des dos la le el los las y e et und fur zu am an der den van von ng in i w im".split()
)
_STOPS = frozenset(
    """january february march april may june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec monday tuesday wednesday thursday friday saturday sunday spring summer autumn winter since
    present current year years bachelor bachelors master masters diploma degree mba phd gpa cgpa i we my our""".split()
) - {"our"}
_BODIES = frozenset(
    "organization organisation association foundation society council ministry agency alliance committee".split()
)
_MOST_WORDS = 9

# The words before a slot, and how far before it a degree may stand.
_OPENS = scan(
    r"\b(?:from|FROM|at|by)[ ]{1,2}(?=[^\W\d_])|\b(?:attended|[Aa]ffiliated[ ](?:to|with|by)|[Aa]lumn(?:us|a|i|ae)[ ]of|"
    r"[Ss]tudent[ ](?:of|at))[ ]{1,2}(?=[^\W\d_])"
)
SLOTS = prefilter(
    "from at by attended affiliated student university college school institute institution mater univ",
    ("alum",),
)
"""The words of what `schools_in_slots` looks for, except in small letters of education."""

_BY_ITSELF = re.compile(r"(?:attended|[Aa]ffiliated|[Aa]lumn|[Ss]tudent)")
_STUDIED = re.compile(
    r"\b(?:[Gg]raduat(?:ed|ion|e)|[Ss]tud(?:ied|ying|ies)|[Ss]chooling|[Pp]ursu(?:ed|ing)|[Mm]ajored|[Ee]ducated|"
    r"[Dd]egree|[Dd]iploma|[Bb]achelor\w{0,2}|[Mm]aster['’]?s?(?=['’ ](?:s |degree|of|in))|[Dd]octorate|Ph\.?D|MBA|M\.?B\.?A|[BM]\.?\s?(?:Sc|Tech|Com|E|A|S|Ed|Phil|Pharm)\b\.?|"
    r"BBA|BCA|MCA|PGDM|PGDBM|LL\.?[BM]|MBBS|HND|OND|NCE|HSC|SSC|SSLC|[Ii]ntermediate|10th|12th|XIIth|Xth|A[- ][Ll]evels?)(?!\w)"
)
_STUDIED_SMALL = re.compile(
    r"(?<![\w.])(?:[bm]\.?\s?(?:sc|tech|com|phil|pharm)|[bm]\.\s?(?:ed|e|a|s|b\.?a|c\.?a)|b\.?ed|mba|bba|bca|mca|ph\.?\s?d|pgdm|llb|10th|12th|x(?:ii)?th|"
    r"ssc|hsc|sslc|puc|matric(?:ulation)?|higher secondary|(?:class|std)\.?\s(?:x|xii|1[02])|intermediate|graduat(?:ed|ion)|bachelor\w{0,2}|master\w?|diploma|degree|schooling|studied|completed|passed|pursu(?:ed|ing))(?!\w)",
    re.IGNORECASE,
)
"""As `_STUDIED`, in a section of education that may be written in small letters."""

_ENDS_SMALL = frozenset(
    """in with during on since having securing secured scored scoring from by at and or to aggregate under affiliated batch year
    passed passing through the as""".split()
)
"""What ends a name in small letters."""

_ENDS_SHOUTED = frozenset("with during securing secured having in on year passing".split())
"""What ends a name in capitals, where such a word has them too."""

_MOST_SMALL_WORDS = 6
_REACH = 80
_LABEL = scan(
    r"(?:(?<=\n)|(?<=[ ]{2})|(?<=[|•;])|^)[ \t•*-]{0,6}(?:[Nn]ame of (?:the )?)?(?:UNIVERSITY|COLLEGE|SCHOOL|INSTITUTE|INSTITUTION|ALMA MATER|"
    r"(?:University|College|School|Institute|Institution|Alma [Mm]ater|Univ\.?)(?:[ ]?[/&][ ]?(?:University|College|School|Institute|Institution|Board))?(?:[ ][Nn]ame)?)"
    r"[ ]{0,12}:[- ]{0,6}(?=[^\W\d_])"
)
_CELL_END = re.compile(r"[\n,;|(•·]|[ ]{2}|[ ][-–—][ ]|[.]\s|\s[\['’(]?(?:19|20)\d\d|\[YEAR|$")
_ALUMNI = frozenset({"alumni", "alumnus", "alumna", "alum"})
_NUMBER = re.compile(r"(?:[ ]?No\.?|[.])?[ ]?\d{1,3}(?![\d%/.])")


def schools_in_slots(
    text: str, words: Words, lexicon: Lexicon, *, in_education: bool = False
) -> Iterator[tuple[int, int]]:
    """Where the schools stand that a slot of `text` (a line, or a section of education) shows, as [start, end).

    In a section of education names in small letters count too.
    """
    if "alum" in text or "Alum" in text:
        yield from _before_alumni(text, words, lexicon)
    for match in _LABEL.finditer(text) if ":" in text else ():
        behind = _CELL_END.search(text, match.end())
        if behind and 2 <= behind.start() - match.end() <= 80:
            found = text[match.end() : behind.start()].rstrip()
            if "[" not in found and fold(found) not in _PLACES and not found.isdigit():
                yield match.end(), match.end() + len(found)
    openings = list(_OPENS.finditer(text))
    if not openings:
        return
    at = 0
    for match in openings:
        if not _BY_ITSELF.match(match[0]) and not _is_about_study(
            text, match.start(), _STUDIED_SMALL if in_education else _STUDIED
        ):
            continue
        while at < len(words) and words.starts[at] < match.end():
            at += 1
        if at == len(words) or words.starts[at] != match.end():
            continue
        if in_education and not words.capitalised[at]:
            stop = _small_name_from(text, words, at)
            names = words.folded[at:stop]
            named = any(
                len(word) > 2 and word not in lexicon.english and word not in _PLACES for word in names
            )
            if named or (len(names) > 1 and names[-1] in KEYWORDS and not GENERIC.issuperset(names[:-1])):
                yield words.starts[at], words.ends[stop - 1]
            continue
        stop = _name_from(text, words, at)
        if stop > at and _is_a_school(words, at, stop, lexicon):
            start, end = words.starts[at], words.ends[stop - 1]
            numbered = _NUMBER.match(text, end)
            yield start, numbered.end() if numbered else end


def _is_about_study(text: str, at: int, pattern: re.Pattern[str]) -> bool:
    """True if a degree or "studied" stands before `at` in its sentence, with no job or other slot between."""
    before = text[max(0, at - _REACH) : at]
    for mark in ("\n", ";", "  ", " | "):
        before = before[before.rfind(mark) + 1 :] if mark in before.rstrip() else before
    studied = [match.end() for match in pattern.finditer(before)]
    if not studied:
        return False
    between = before[studied[-1] :]
    if re.search(
        r"[a-z]{3}\.\s+[A-Z]|\b(?:from|at|as|then|presented|published|taught|teaching|worked|working|joined|in my|years?)\b",
        between,
    ):
        return False
    return POSTS.isdisjoint(fold(between).replace(",", " ").split())


def _name_from(text: str, words: Words, first: int) -> int:
    """Behind the last word of the name that begins with word `first`: words with capitals and what joins them."""
    folded = words.folded
    if folded[first] == "the" and first + 1 < len(words):
        first += 1
    if not words.capitalised[first]:
        return first
    stop = i = first
    while i < len(words) and i - first < _MOST_WORDS:
        if i > first:
            gap = text[words.ends[i - 1] : words.starts[i]]
            if not (
                gap in (" ", "-", "–", " & ", "'", "’", "’ ", "' ", "/")
                or (gap in (". ", ".") and len(folded[i - 1]) <= 4)
                or (gap == ", " and folded[i] in ("university", "college") and stop == i)
            ):
                break
        if folded[i] in _STOPS or (i > first and folded[i] in _ENDS_SHOUTED and words.written[i].isupper()):
            break
        before = text[words.starts[i] - 1] if i > first else ""
        if words.capitalised[i] or before == "-" or (folded[i] == "s" and before in ("'", "’")):
            stop = i + 1
        elif folded[i] not in _JOINERS:
            break
        i += 1
    return stop


def _small_name_from(text: str, words: Words, first: int) -> int:
    """Behind the last word of a name in small letters that begins with word `first`."""
    stop = first
    while stop < len(words) and stop - first < _MOST_SMALL_WORDS:
        if stop > first:
            gap = text[words.ends[stop - 1] : words.starts[stop]]
            abbreviated = gap in (".", ". ") and len(words.folded[stop - 1]) <= 4
            if not (abbreviated or gap in (" ", "-", "'", " & ")):
                break
        if words.folded[stop] in _STOPS or words.folded[stop] in _ENDS_SMALL or words.folded[stop] in POSTS:
            break
        stop += 1
    return stop


def _is_a_school(words: Words, first: int, stop: int, lexicon: Lexicon) -> bool:
    folded = words.folded[first:stop]
    name = " ".join(folded)
    if (
        name in _PLACES
        or folded[-1] in COMPANIES
        or not _BODIES.isdisjoint(folded)
        or not POSTS.isdisjoint(folded)
    ):
        return False
    if any(b - a > 1 or len(folded[a]) > 1 for a, b in lexicon.protected.find(_part(words, first, stop))):
        return False  # a tool or a firm, but not the "R" of initials
    if len(folded) == 1:
        shouted = words.written[first].isupper()
        return len(folded[0]) >= 3 and (folded[0] not in lexicon.english or (shouted and len(folded[0]) <= 6))
    return not all(word in _PLACES or word in _JOINERS for word in folded)


def _before_alumni(text: str, words: Words, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    for k, word in enumerate(words.folded):
        if word not in _ALUMNI:
            continue
        first = k
        while first and k - first < _MOST_WORDS:
            gap = text[words.ends[first - 1] : words.starts[first]]
            if not (gap in (" ", "-", " & ") or (gap in (". ", ".") and len(words.folded[first - 1]) <= 3)):
                break
            joins = words.folded[first - 1] in ("of", "and", "de") and first < k
            if not (words.capitalised[first - 1] or joins) or words.folded[first - 1] in _STOPS:
                break
            first -= 1
        while first < k and not words.capitalised[first]:
            first += 1
        names = words.folded[first:k]
        if (
            names
            and any(name not in lexicon.english for name in names)
            and _is_a_school(words, first, k, lexicon)
        ):
            yield words.starts[first], words.ends[k - 1]


def _part(words: Words, first: int, stop: int) -> Words:
    return Words(
        words.starts[first:stop],
        words.ends[first:stop],
        words.written[first:stop],
        words.folded[first:stop],
        words.capitalised[first:stop],
    )
