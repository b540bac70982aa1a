"""The candidate's name in the first lines: of all cells that could be one, the one with the highest score."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.header_forms import (
    MIN_SCORE,
    Scored,
    inverted_name,
    is_firm,
    leading_name,
    lower_case_name,
    name_alone,
    one_word,
    surname_like_a_post,
    unknown_in_small_letters,
    with_wide_gaps,
)
from service.core.redaction.names.header_line import LONG_LINE, HeaderLine
from service.core.redaction.names.header_pieces import header_pieces
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.opening_name import (
    is_unknown_pair,
    opening_name,
    surname_below,
    tells_of_a_name,
)
from service.core.redaction.names.profile import profile_name
from service.core.redaction.names.sidebar_name import name_below_sidebar
from service.core.redaction.names.word_lists import (
    CREDENTIALS,
    GENERATIONS,
    PLACES,
    STOP_WORDS,
    THING_NOUNS,
)
from service.core.redaction.policy import TOKENS

_LINES = 8
"""Lines that are looked at; titles such as "Curriculum Vitae" are not counted."""

_CHARACTERS = 800

_BONUS_OF_LINE = {1: 1.5, 2: 0.75, 3: 0.5}
_BESIDE_CONTACT = 0.75
"""More if contact data come next: a phone number tells a name from a slogan."""

_COMMAS_OF_A_LIST = 3
_FIRST_CELL = 0.75
_LATER_CELL = 1.5
_BESIDE_TITLES = 0.75
"""More for a first line that is written as a name with a nickname or with letters of titles."""

_PLAUSIBLE = 1.0
"""In the first line the name stands first: "Jane Doe | Tata Steel | Leeds"."""

_AHEAD = 2.25
"""By so much a later line must be better than a name that nobody knows in the first: firms are called like persons."""

_CITY_TAIL = re.compile(r",\s*(?:[A-Z]{2}\b|[A-Z][a-z]+\s*\d{4,})")
_LABEL_COLON = re.compile(r"\s{0,2}:")
_STAGES = frozenset({"ssc", "hsc", "sslc", "hslc", "puc", "icse", "isc", "cbse"})
"""Stages of school, which are written with dots before its name: "S.S.C Vidya Bhawan"."""

_EAST_ASIAN = re.compile(
    r"^[\u4e00-\u9fff]{2,4}$|^[\uac00-\ud7a3]{2,4}$"
    r"|^[\u4e00-\u9fff\u3040-\u30ff]{1,4}[ \u3000][\u4e00-\u9fff\u3040-\u30ff]{1,4}$"
)


def header_name(resume: ParsedResume) -> list[NameCandidate]:
    """The words that hold the candidate's name (two candidates if it stands on two lines), or none."""
    if TOKENS["name"] in resume.text[:_CHARACTERS]:
        return []  # redacted before
    exported = profile_name(resume)
    if exported is not None:
        return [exported]
    best: Scored = (0.0, [])
    margin = 0.0
    rank = contacts = 0
    previous: NameCandidate | None = None
    # Pieces are read when they are needed, three ahead: the name is mostly found long before the last one.
    coming = header_pieces(resume, _CHARACTERS)
    pieces = list(islice(coming, 3))
    for at, (line, shape) in enumerate(pieces):
        pieces.extend(islice(coming, 1))
        if line.heading:
            if rank or line.section in ("education", "experience", "references"):
                break
            continue
        if shape.is_title:
            continue
        rank += 0 if shape.names_document and not shape.has_prefix else 1
        if rank > _LINES:
            break
        beside = any(_holds_contact(resume, piece.line) for piece in pieces[at + 1 : at + 2])
        near = beside or (
            rank <= 1
            and (
                resume.holds_excluded(line.start, line.end)
                or any(_holds_contact(resume, piece.line) for piece in pieces[at + 2 : at + 3])
            )
        )
        if best[0] >= MIN_SCORE:
            near = False  # what stands below a name is a post or an employer
        contacts += contacts == rank - 1 and _holds_contact(resume, line)
        # Below nothing but contact data a line stands where the first one does otherwise.
        place = rank - contacts if shape.may_be_alone and rank > contacts else rank
        for score, found in _scored_candidates(resume, line, shape, max(place, 1), beside, near):
            if score > best[0] + margin:
                best = (score, found)
        if place <= 1 and best[0] < MIN_SCORE:
            below = pieces[at + 1].line if at + 1 < len(pieces) else None
            told = beside or tells_of_a_name(resume, below)
            for score, found in opening_name(resume, line, shape, told=told):
                best = max(best, (score, found))
        if place <= 1 and best[0] >= MIN_SCORE and _is_likely(resume, best[1]):
            margin = _AHEAD
        alone = name_alone(resume, line) if shape.may_be_alone else None
        if alone is not None and previous is not None and rank <= 3:
            together = 1.0 + resume.score(previous) + resume.score(alone)
            if is_unknown_pair(resume, previous, alone) and (
                tells_of_a_name(resume, pieces[at + 1].line if at + 1 < len(pieces) else None)
            ):
                together += _BESIDE_CONTACT
            if shape.spaced_word and pieces[at - 1].shape.spaced_word:
                together = 8.0
            if together > best[0] + margin:
                best = (together, [previous, alone])
        one_word = shape.token_count == 1 or shape.spaced_word
        previous = alone if alone is not None and one_word else None
    if best[0] >= MIN_SCORE:
        names = [_without_post(resume, name) for name in best[1]]
        return names if len(names) > 1 else [*names, *surname_below(resume, names[0])]
    sidebar = name_below_sidebar(resume)
    return [] if sidebar is None else [sidebar]


def _without_post(resume: ParsedResume, found: NameCandidate) -> NameCandidate:
    """`found` without a post behind it: "Jane Doe Truck Driver jdoe@…", where the address proves the first words.

    Words after the last one that the contact data prove are cut off if a tool, a place or a word of posts is among
    them, or if all are English, unless all of them are names too and nothing of a post comes next.
    """
    proven = [i for i in range(found.first, found.stop) if resume.folded[i] in resume.evidence]
    if len(proven) < 2:
        post = next(
            (i for i in range(found.first + 1, found.stop) if _opens_post(resume, i, found.stop)), None
        )
        return found if post is None or not proven or post < proven[-1] else NameCandidate(found.first, post)
    behind = range(proven[-1] + 1, found.stop)
    goes_on = (
        found.stop < len(resume.folded)
        and resume.folded[found.stop] in STOP_WORDS
        and resume.text[resume.ends[found.stop - 1] : resume.starts[found.stop]] == " "
    )
    is_post = any(
        i in resume.protected or resume.folded[i] in PLACES or resume.folded[i] in STOP_WORDS for i in behind
    ) or (
        all(resume.folded[i] in resume.lexicon.english for i in behind)
        and (goes_on or not all(resume.is_name_word(i) for i in behind))
    )
    return NameCandidate(found.first, proven[-1] + 1) if is_post else found


def _opens_post(resume: ParsedResume, i: int, stop: int) -> bool:
    """True for the "Sr" of "Jane D Sr. Oracle Developer" and for a tool."""
    return i in resume.protected or (resume.folded[i] in GENERATIONS and i + 1 < stop)


def _is_likely(resume: ParsedResume, found: list[NameCandidate]) -> bool:
    """True for words that say nothing else, known or not."""
    words = [i for candidate in found for i in range(candidate.first, candidate.stop)]
    full = [resume.folded[i] for i in words if len(resume.folded[i]) > 1]
    return (
        len(words) > 1
        and not any(i in resume.protected for i in words)
        and not any(word in PLACES or word in STOP_WORDS or word in THING_NOUNS for word in full)
        and any(word not in resume.lexicon.english for word in full)
    )


def _scored_candidates(
    resume: ParsedResume, line: Line, shape: HeaderLine, rank: int, beside_contact: bool, near_contact: bool
) -> Iterator[Scored]:
    bonus = _BONUS_OF_LINE.get(rank, 0.0) + (1.0 if shape.has_prefix else 0.0)
    if near_contact and rank <= 3:
        bonus += _BESIDE_CONTACT
    if shape.letter_spaced or (shape.spaced_word and beside_contact):
        inside = resume.words_in(line.start, line.end)
        if inside:
            yield 4.0 + bonus, [NameCandidate(inside[0], inside[-1] + 1)]
        return
    if len(line.text) <= LONG_LINE and len(shape.cells) == 1:
        bonus += 0.75
    elif rank == 1:
        bonus += _FIRST_CELL
        bonus += _BESIDE_TITLES if _is_name_with_titles(line.text) else 0.0
    if rank <= 2 and shape.inverted is not None:
        yield from inverted_name(resume, line, shape.inverted, bonus)
    is_list = rank > 1 and line.text.count(",") > _COMMAS_OF_A_LIST
    for start, cell in shape.cells[:1] if is_list else shape.cells:
        found = list(_in_cell(resume, line, cell, line.start + start, rank, bonus))
        if not found and rank == 1 and beside_contact and len(shape.cells) == 1:
            found = list(unknown_in_small_letters(resume, line, bonus))
        yield from found
        if rank == 1 and (start, cell) == shape.cells[0]:
            bonus -= _FIRST_CELL
            if found and found[0][0] - bonus >= _PLAUSIBLE:
                bonus -= _LATER_CELL
    if shape.may_be_alone and rank <= 3:
        yield from with_wide_gaps(resume, line, bonus)
        if rank == 1:
            yield from surname_like_a_post(resume, line, bonus, beside_contact)
            yield from one_word(resume, line, beside_contact)


_ACRONYM = r"[A-Z][A-Za-z]{0,2}[A-Z]{1,3}(?:-[A-Z]{1,4})?"
_CREDENTIALS = re.compile(rf"{_ACRONYM}(?:[ ,/]{{1,2}}{_ACRONYM}){{0,5}}")
"""What stands behind a name in capitals: "RN BSN", "PMP, CSM"."""

_NAME = r"[A-Z][^\W\d_]{1,20}"
_WITH_TITLES = re.compile(
    rf"\W{{0,5}}{_NAME}[ ](?:[(\"“'‘]{_NAME}[)\"”'’][ ]{_NAME}(?:,[ ]{_CREDENTIALS.pattern})?|(?:{_NAME}[ ]){{0,2}}{_NAME},[ ]{_CREDENTIALS.pattern})\W{{0,5}}"
)


def _is_name_with_titles(line: str) -> bool:
    """True for a line such as "Jane (Jay) Doe" or "Jane Doe, RN BSN", whatever the names are."""
    return _WITH_TITLES.fullmatch(line) is not None


def _in_cell(
    resume: ParsedResume, line: Line, cell: str, at: int, rank: int, bonus: float
) -> Iterator[Scored]:
    if _EAST_ASIAN.match(cell) and rank <= 3:
        inside = resume.words_in(at, at + len(cell))
        if inside:
            yield 3.0 + bonus, [NameCandidate(inside[0], inside[-1] + 1)]
        return
    candidate = resume.candidate_at(at, most=6, strict=False) or lower_case_name(resume, at, cell)
    if candidate is None or resume.is_excluded(resume.starts[candidate.first]):
        return
    if at > line.start and all(resume.folded[i] in CREDENTIALS for i in range(*candidate)):
        return
    letters = "".join(
        resume.folded[i] for i in range(candidate.first, candidate.stop) if len(resume.folded[i]) == 1
    )
    if letters in _STAGES:
        return
    end = resume.ends[candidate.stop - 1]
    rest = resume.text[end : at + len(cell)].lstrip(" .,;:'’!?")
    whole = (
        not rest or resume.is_excluded(at + len(cell) - len(rest)) or _CREDENTIALS.fullmatch(rest) is not None
    )
    if whole and not resume.holds_stop_word(candidate, placed=rank <= 2):
        score = resume.score(candidate, placed=True)
        if rank <= 2 and resume.is_full_name(candidate) and end >= line.end - 4:
            score = max(score, 2.5)  # a namesake of somebody famous
        if len(line.text) > LONG_LINE and score < 2.0:
            return
        if len(candidate) == 1:
            score -= 1.5
        if _CITY_TAIL.match(resume.text, end):
            score -= 1.5  # "Austin, TX"
        if _LABEL_COLON.match(resume.text, end, end + 3) and not resume.is_full_name(candidate):
            score -= 2.0  # "Font Styles: Arial"
        yield score + bonus, [candidate]
    elif rank <= 3:
        leading = leading_name(resume, candidate)
        if leading is not None and not is_firm(resume, leading, at + len(cell)):
            yield resume.score(leading, placed=True) + bonus - 0.5, [leading]


def _holds_contact(resume: ParsedResume, line: Line) -> bool:
    """True if contact data begin a line, or if it begins with a number or holds an address."""
    text = line.text.lstrip(" \t•|*-–—:(+#")
    at = line.end - len(text)
    return (
        text[:1].isdigit()
        or "@" in text
        or resume.is_excluded(at)
        or text.startswith(_CONTACT_TOKENS)
        or _CONTACT_LABEL.match(text) is not None
        or _TOWN.match(text) is not None
    )


_CONTACT_TOKENS = tuple(TOKENS[category] for category in ("email", "phone", "link", "address"))
_CONTACT_LABEL = re.compile(
    r"(?:mobile|phone|tel|telephone|cell|fax|landline|e-?mail|contact|home|(?:current |permanent |present |postal |mailing )?address|"
    r"residence|linkedin|github|twitter|ph|mob|whats ?app|skype|telegram|wechat|viber|signal|discord|zalo|kakaotalk|line id|"
    r"website|portfolio|web|blog)\b",
    re.IGNORECASE,
)
_TOWN = re.compile(r"[A-Z][\w.'’-]{1,20}(?: [A-Z][\w.'’-]{1,20}){0,2}, (?:[A-Z]{2}\b|[A-Z][a-z]{2,15}\s*$)")
