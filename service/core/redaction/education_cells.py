"""Which cell of a row of education is the school: by a key word at its border, or because it can be nothing else."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
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
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import COUNTRY_NAMES, DEMONYMS, Lexicon
from service.core.redaction.policy import TOKENS
from service.core.redaction.school_slots import REGIONS, TOWNS
from service.core.redaction.school_words import (
    BOARD_WORDS,
    ENDS_LIKE_SCHOOL,
    GENERIC,
    NO_NAMES,
    NOT_IN_NAME,
    OPENERS,
    TRAINS,
)
from service.core.redaction.schools import DEGREE
from service.core.redaction.spans import Span
from service.core.redaction.words import Words, fold, read_words

Kind = Literal["study", "work", "date", "other"]

_CELL = re.compile(r"[,;:()\[\]]|[ ][-–—][ ]|[-–—]{2,}|—")
DEGREE_OR_DIPLOMA = re.compile(
    rf"(?<![\w.])(?:{DEGREE}|[BM]\.?\s?(?:TECH|COM|ED|Ed|PHIL|Phil|PHARM|Pharm)|PH\.?\s?D|A\.A\.(?:S\.)?|A\.S\.(?= in)|AAS?(?= in )|BSN|MSN|BSBA|BSW|MSW|BHM|MPH|MPA|J\.?D\.?(?=,| from )|Ed\.?D|[BM]\.?Arch|[BM]\.?Des|BCA|MCA|MBBS|BDS|PGD[A-Z]{{0,3}}|"
    r"b\.?\s?tech|m\.?\s?tech|[bm]\.\s?(?:com|sc|ed|e|a)|ph\.?d|mba|bca|mca|pgdm)(?!\w|(?:\.[A-Z](?![a-z])){3})"  # "M.S.B.T.E" is a board
)
CERTIFICATE = re.compile(
    r"(?<![\w.])(?:1[02]\s?th|10\+2|\+2|X(?:II)?\s?th|(?:Class|Std\.?|Standard|Grade)[ ](?:X|XII|10|12)|Higher Secondary|Senior Secondary|"
    r"(?<![a-z][ ])Matric(?:ulation)?|Intermediate|S\.?S\.?L\.?C|[HS]\.?S\.?C|P\.?U\.?C|WASS?CE|KCSE|KCPE|STPM|VCE|[GI]?GCSEs?|[AO][- ]Levels?|"
    r"F\.?Sc|NVQ|BTEC|Madhyamik|Bachillerato|Ensino Médio|Some (?:college|high school)|High school or equivalent|Technical diploma|Certification in|DEC in|SSSCE|SLC|Leaving Certificate|Highers|Diplom|"
    r"Grado en|M[áa]ster en|Ingénieur)"
    r"(?![\w])(?!\.?[ ](?:School|Sec))",
    re.IGNORECASE,
)
"""Classes and certificates of schools, with the school beside them as with a degree."""
_VOCATIONAL = re.compile(r"Diplom|NVQ|BTEC|Grado|M[áa]ster|Ingén|Technical|Certif|DEC|Some", re.IGNORECASE)
"""Certificates behind which a trade or a field may stand, as behind a degree."""

_FIELD_ENDING = re.compile(r"\w{3,30}(?:ics|ology|ing|tion|graphy|ment|nomy|ism|ance|ence|istry|ture)$")
YEAR = re.compile(r"(?:19|20)\d\d|['’]\d\d\b|\[YEAR\]\s?[-–/]")
_ACRONYM = re.compile(r"[A-Z][A-Z.&-]{1,8}[A-Z.]")
_KEY_AT_END = re.compile(r"(?:[Hh]igh |HIGH )?\b\w{1,40}+$")
_MONTH = r"(?:(?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]un|[Jj]ul|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec)[a-z]{0,6}\.?[ ])"
_YEAR_AT_END = re.compile(
    rf"\s{{1,3}}(?:in\s)?{_MONTH}?(?:19|20)\d\d(?:[ ]?(?:-|–|to|[Tt]ill)[ ]?(?:{_MONTH}?(?:19|20)\d\d|[Pp]resent))?$"
)
_TOWN_AND_YEAR = re.compile(r",[ ]?(?:[A-Z][\w.]{1,20}+[ ,]{1,2}){1,3}(?:\(?(?:19|20)\d\d|\[YEAR)")
_TOWN_BEHIND = re.compile(r"[ ]?[-–,][ ]{0,2}([A-Z][\w.]{1,20}+(?:[ ][A-Z][\w.]{1,20}+)?)")
_PLACE_BEHIND_DASH = re.compile(
    r"[ ][-–][ ]{1,2}[A-Z][\w.'-]{1,20}+(?:[ ][A-Z][\w.'-]{1,20}+){0,2},[ ](?P<region>[A-Z]\w{1,20}+(?:[ ][A-Z]\w{1,20}+){0,2})[ ]*$"
)
_SHORT_UNIVERSITIES = frozenset("DU MU PU CU JU AU OU KU BU GU LU NU RU SU MKU KLU".split())
"""Universities of India in two letters, which count only beside a college."""

_BRACKETED_SCHOOL = re.compile(r"[A-Z][A-Z.]{2,6}[ ][A-Z][a-z]{2,20}")
"""In brackets behind a degree: "(IHM Pusa)"."""

_NUMBER_AT_END = re.compile(r"[ ]?(?:No\.?[ ]?)?\d{1,3}$")
_ABBREVIATED_END = re.compile(r"\b(?:[A-Z]|Univ|Coll|Inst|Tech|Engg)\.$")
_LONGEST_ROW = 2000
_LONGEST_LINE = 160
OPENING_WORDS = OPENERS | {"college"}
_CENTRES = frozenset({"center", "centre"})
_COUNTRIES = frozenset(fold(country) for country in COUNTRY_NAMES)
_LANGUAGES = frozenset(fold(demonym) for demonym in DEMONYMS) | frozenset(
    "mandarin cantonese arabic hindi urdu bengali tamil telugu marathi gujarati punjabi kannada malayalam swahili yoruba igbo hausa "
    "farsi persian hebrew tagalog latin catalan twi amharic zulu native fluent".split()
)
_HEADS = frozenset(
    "courses coursework languages language skills training trainings certificates certifications projects interests hobbies awards "
    "publications experience references honors honours activities achievements scholarships summary profile".split()
)
"""What begins another list behind the studies."""


@dataclass(slots=True)
class Row:
    """Characters [start, end) of the section, and what they are about. `schools`: where some stand in `text`."""

    start: int
    end: int
    text: str
    folded: list[str]
    has_school: bool
    has_degree: bool
    kind: Kind = "other"
    schools: tuple[tuple[int, int], ...] = ()


def cells_with_key_word(row: Row) -> Iterator[tuple[int, int]]:
    """Cells such as "Beijing No. 4 High School", whatever words with capitals stand before the key word."""
    if ENDS_LIKE_SCHOOL.isdisjoint(row.folded) and _CENTRES.isdisjoint(row.folded):
        return
    places = [at for mark in _CELL.finditer(row.text) for at in mark.span()]
    bounds = [0, *places, len(row.text)]
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        cell = row.text[start:end].strip()
        words = read_words(cell)
        trains = len(words) > 2 and words.folded[-1] in _CENTRES and words.folded[-2] in TRAINS
        if (
            2 <= len(words) <= 8
            and (words.folded[-1] in ENDS_LIKE_SCHOOL or trains)
            and cell[-1].isalpha()
            and words.capitalised[0]
            and words.starts[0] == 0
            and all(c or len(w) <= 3 for c, w in zip(words.capitalised, words.folded, strict=True))
            and not DEGREE_OR_DIPLOMA.search(_KEY_AT_END.sub("", cell))
            and not YEAR.search(cell)
            and not any(
                word in POSTS or word in DEGREES or word in NO_NAMES
                for word in words.folded[: -1 if trains else None]
            )
            and not all(word in GENERIC or word in ENDS_LIKE_SCHOOL for word in words.folded)
        ):
            at = row.start + row.text.index(cell, start)
            yield at, at + len(cell)


def cells_with_opener(row: Row, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
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
            and not YEAR.search(cell)
            and any(word not in lexicon.english and len(word) > 2 for word in words.folded[1:])
            and not any(word in POSTS or word in DEGREES for word in words.folded[1:])
        ):
            at = row.start + row.text.index(cell, start)
            yield at, at + len(cell)


def cell_of(
    row: Row,
    lexicon: Lexicon,
    *,
    own: bool = False,
    small: bool = False,
    dated: bool = False,
    slot: bool = False,
) -> tuple[int, int] | None:
    """The first cell of a row that can be the name of a school, as [start, end) of the section.

    `own`: the row holds the degree itself. `small`: the entry is written in small letters. `dated`: a date or a town
    stands beside it, so that one word may be a name. `slot`: another entry of the section has its school in this place.
    """
    if row.kind in ("work", "date"):
        return None
    places = [at for mark in _CELL.finditer(row.text) for at in mark.span()]
    bounds = [0, *places, len(row.text)]
    for n, (start, end) in enumerate(zip(bounds[::2], bounds[1::2], strict=True)):
        cell = row.text[start:end].strip().rstrip(" -–—")
        year = _YEAR_AT_END.search(cell)
        if year:
            cell = cell[: year.start()].rstrip()
            dated = True
        if not cell or (own and n == 0 and (DEGREE_OR_DIPLOMA.search(cell) or CERTIFICATE.search(cell))):
            continue
        if (
            start
            and row.text[start - 1] in "(["
            and not _goes_on_with_year(row.text, end)
            and not (own and _BRACKETED_SCHOOL.fullmatch(cell))
        ):
            continue  # an abbreviation of what stands before
        if (
            cell.isalpha()
            and not cell.isupper()
            and _CELL.split(row.text[end + 1 : end + 60])[0].strip().casefold() in REGIONS
        ):
            return None  # "Senior Secondary - Otterbeck, Uttarakhand"
        placed = not own and _is_before_place(row.text, end)
        # Behind a certificate of a school stands the school: what it is called may be plain words.
        certificate = CERTIFICATE.search(row.text, 0, start) if own and n == 1 and " " in cell else None
        certified = certificate is not None and _VOCATIONAL.match(certificate[0]) is None
        if _can_be_school(
            cell,
            lexicon,
            alone=len(bounds) == 2 and not dated and not placed,
            small=small,
            slot=slot or placed or certified,
            placed=placed,
        ):
            at = row.start + row.text.index(cell, start)
            return at, at + len(cell)
        if not own:
            return None  # what follows a field or a grade is a town
        if n and any(True for _ in lexicon.protected.find(read_words(cell))):
            return None  # what was learnt: "Diploma in Web Design, Photoshop, Dreamweaver"
    return None


def cells_beside_school(row: Row, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Cells of a row with a degree and a school that name a second school: "BCA, SBRM Ostwald, Mysore University", "..., QTU".

    A degree awarded by a university is often studied for at a college of it. Behind the school only abbreviations count.
    """
    if row.kind == "work" or not row.schools or len(row.text) > _LONGEST_LINE:
        return
    first = row.schools[0][0]
    places = [at for mark in _CELL.finditer(row.text) for at in mark.span()]
    bounds = [0, *places, len(row.text)]
    behind_degree = False
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        cell = row.text[start:end].strip()
        if not behind_degree:
            behind_degree = (DEGREE_OR_DIPLOMA.search(cell) or CERTIFICATE.search(cell)) is not None
            continue
        bracketed = start > 0 and row.text[start - 1] in "(["
        if bracketed or not cell or any(a < end and b > start for a, b in row.schools):
            continue
        if cell in _SHORT_UNIVERSITIES or (
            (start < first or _ACRONYM.fullmatch(cell)) and _can_be_school(cell, lexicon, alone=False)
        ):
            at = row.start + row.text.index(cell, start)
            yield at, at + len(cell)


def _is_before_place(text: str, end: int) -> bool:
    """True if a town and its State follow behind a dash: "Valencia - Orlando, FL"."""
    place = _PLACE_BEHIND_DASH.match(text, end)
    if place is None:
        return False
    region = place["region"]
    return (len(region) == 2 and region.isupper()) or fold(region) in REGIONS or fold(region) in _COUNTRIES


def _goes_on_with_year(text: str, end: int) -> bool:
    """True if a year stands in the rest of the brackets: "(Otterbeck, 2004)"."""
    rest = text[end : end + 40].split(")")[0]
    return rest.startswith(",") and YEAR.search(rest) is not None


def behind_field(row: Row, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """What stands behind the field in a cell that holds all: "B.Tech in Computer Science COEP 1993"."""
    if row.kind == "work" or len(row.text) > _LONGEST_ROW:
        return
    words = read_words(row.text)
    for pattern in (DEGREE_OR_DIPLOMA, CERTIFICATE):
        for match in pattern.finditer(row.text):
            found = _behind(match.end(), row, words, lexicon)
            if found is not None:
                yield found


def _behind(end: int, row: Row, words: Words, lexicon: Lexicon) -> tuple[int, int] | None:
    """What stands behind the degree that ends at `end`."""
    i = bisect_left(words.starts, end)
    first = i
    while i < len(words) and (
        words.folded[i] in FIELDS
        or words.folded[i] in ("in", "of", "and", "s")
        or (words.folded[i] in ABBREVIATIONS and words.written[i].isupper())
    ):
        i += 1
    bare = i == first  # "B.Com QSTM 2009"
    if not bare and words.folded[i - 1] in ("in", "of", "and", "s"):
        return None
    start = i
    if i < len(words) and words.folded[i] in ("from", "at", "with", "by"):
        return None
    while i < len(words) and words.capitalised[i] and i - start < 6:
        if i > start and row.text[words.ends[i - 1] : words.starts[i]] not in (" ", ".", ". ", "-", "'", "’"):
            break
        i += 1
    if i == start or row.text[words.ends[start - 1] : words.starts[start]] not in (" ", ") "):
        return None
    at, end = words.starts[start], words.ends[i - 1]
    end += row.text.startswith(".", end)
    rest = row.text[end:]
    town = _TOWN_BEHIND.match(rest)
    if (
        town is not None
        and rest.lstrip()[0] == ","
        and (fold(town[1]) in REGIONS or fold(town[1].split()[0]) in REGIONS)
    ):
        return None  # "B.E. Civil Gondia, Maharashtra"
    placed = town is not None and (fold(town[1]) in TOWNS or fold(town[1].split()[0]) in TOWNS)
    if (
        not placed
        and not YEAR.match(rest.lstrip(" ,("))
        and (bare or (rest.strip() and not _TOWN_AND_YEAR.match(rest)))
    ):
        return None
    if not _can_be_school(row.text[at:end], lexicon, alone=False):
        return None
    return row.start + at, row.start + end


def _can_be_school(
    cell: str,
    lexicon: Lexicon,
    *,
    alone: bool,
    small: bool = False,
    slot: bool = False,
    placed: bool = False,
) -> bool:
    """True if nothing says that a cell is something else.

    `alone`: it is a whole row. `slot`: schools stand there. `placed`: a town follows, so the cell is none.
    """
    number = _NUMBER_AT_END.search(cell)
    name = cell[: number.start()] if number else cell
    if any(ch.isdigit() for ch in name) or "[" in cell or "@" in cell:
        return False
    words = read_words(name)
    if not 1 <= len(words) <= 6:
        return False
    folded = words.folded
    if _HEADS.issuperset(folded) or _LANGUAGES.issuperset(folded) or NOT_IN_NAME.issuperset(folded):
        return False  # "French (fluent)" below the last degree
    if _ACRONYM.fullmatch(cell) or (
        len(folded) == 1 and cell.isupper() and 3 <= len(cell) <= 10 and folded[0] not in lexicon.english
    ):
        plain = "".join(folded)
        return (
            (plain not in ABBREVIATIONS or (slot and plain in BOARD_WORDS))
            and plain not in DEGREES
            and plain not in FIELDS
            and plain not in lexicon.protected_words
            and plain not in TOWNS
            and len(plain) > 2
        )
    if (
        DEGREE_OR_DIPLOMA.search(cell)
        or (CERTIFICATE.match(cell) if slot else CERTIFICATE.search(cell))
        or (cell.endswith(".") and not _ABBREVIATED_END.search(cell))
    ):
        return False
    written = small or all(
        capital or len(word) <= 3 for word, capital in zip(folded, words.capitalised, strict=True)
    )
    if not written or not (small or words.capitalised[0]):
        return False
    if slot and len(folded) > 1 and folded[-1] in ("public", "model", "international"):
        folded = folded[:-1]
    known = (FIELDS, GRADES, DEGREES, POSTS, COMPANIES, ABBREVIATIONS)
    if any(word in group for word in folded for group in known) or any(
        _FIELD_ENDING.match(word) for word in folded
    ):
        return False
    whole = " ".join(folded)
    if not placed and (
        whole in TOWNS or whole in _COUNTRIES or all(word in TOWNS or word in _COUNTRIES for word in folded)
    ):
        return False
    if len(words.written[-1]) <= 2 and words.written[-1].isupper():
        return False  # an author: "Williams SJ"
    rare = [word for word in folded if word not in lexicon.english and len(word) > 1]
    if slot and not any(True for _ in lexicon.protected.find(words)):
        return len(folded) > 1 or len(folded[0]) > 3
    if not rare or any(True for _ in lexicon.protected.find(words)):
        return False
    return len(folded) >= 2 or (
        not alone and len(rare[0]) > (2 if small else 4) and rare[0] not in lexicon.protected_words
    )


def schools_behind_degree(line: Line, lexicon: Lexicon) -> Iterator[Span]:
    """Abbreviations of schools outside education: "Diploma in Statistics, QSTM, 2019" as a line, or up to a colon.

    Behind the degree and its field nothing but the school, a town and a year may stand: a row of tools has more cells.
    """
    if line.section == "education" or line.heading or len(line.text) > _LONGEST_LINE or "," not in line.text:
        return
    text = line.text.split(":")[0]
    degree, _, rest = text.partition(",")
    if not DEGREE_OR_DIPLOMA.search(degree):
        return
    cells = [cell.strip(" .") for cell in rest.split(",")]
    if FIELDS.isdisjoint(fold(degree).replace("(", " ").replace(")", " ").split()) or not _ACRONYM.fullmatch(
        cells[0]
    ):
        return
    others_are_places = all(YEAR.match(cell) or "[YEAR]" in cell or fold(cell) in TOWNS for cell in cells[1:])
    if others_are_places and _can_be_school(cells[0], lexicon, alone=False):
        at = text.index(cells[0], len(degree))
        yield Span(at, at + len(cells[0]), "school", TOKENS["school"], reason="school.cell")
