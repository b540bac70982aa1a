"""The candidate's name in the first lines: of all cells that could be one, the one with the highest score."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import NameCandidate, ParsedResume
from service.core.redaction.names.header_line import LONG_LINE, HeaderLine
from service.core.redaction.names.word_lists import CREDENTIALS, PARTICLES, STOP_WORDS
from service.core.redaction.policy import TOKENS

_LINES = 8
"""Lines that are looked at; titles such as "Curriculum Vitae" are not counted."""

_CHARACTERS = 800
_MIN_SCORE = 2.5
"""Two names of the lexicon score 4, two unknown words 1 and the place of the first line 1.5 to 2.25 more."""

_BONUS_OF_LINE = {1: 1.5, 2: 0.75, 3: 0.5}
_CITY_TAIL = re.compile(r",\s*(?:[A-Z]{2}\b|[A-Z][a-z]+\s*\d{4,})")
_EAST_ASIAN = re.compile(
    r"^[\u4e00-\u9fff]{2,4}$|^[\uac00-\ud7a3]{2,4}$"
    r"|^[\u4e00-\u9fff\u3040-\u30ff]{1,4}[ \u3000][\u4e00-\u9fff\u3040-\u30ff]{1,4}$"
)

_Scored = tuple[float, list[NameCandidate]]


def header_name(resume: ParsedResume) -> list[NameCandidate]:
    """The words that hold the candidate's name (two candidates if it stands on two lines), or none."""
    if TOKENS["name"] in resume.text[:_CHARACTERS]:
        return []  # redacted before
    best: _Scored = (0.0, [])
    rank = 0
    previous: NameCandidate | None = None
    for line, features in zip(resume.lines, resume.features, strict=True):
        if line.heading:
            if rank or line.section in ("education", "experience", "references"):
                break
            continue
        shape = features.header
        if shape.is_title:
            continue
        rank += 1
        if rank > _LINES or line.start > _CHARACTERS:
            break
        for candidate in _scored_candidates(resume, line, shape, rank):
            best = max(best, candidate, key=lambda c: c[0])
        alone = _name_alone(resume, line) if shape.may_be_alone else None
        if alone is not None and previous is not None and rank <= 3:
            together = 1.0 + resume.score(previous) + resume.score(alone)
            best = max(best, (together, [previous, alone]), key=lambda c: c[0])
        previous = alone if alone is not None and shape.token_count == 1 else None
    return best[1] if best[0] >= _MIN_SCORE else []


def _scored_candidates(resume: ParsedResume, line: Line, shape: HeaderLine, rank: int) -> Iterator[_Scored]:
    bonus = _BONUS_OF_LINE.get(rank, 0.0) + (1.0 if shape.has_prefix else 0.0)
    if shape.letter_spaced:
        inside = resume.words_in(line.start, line.end)
        if inside:
            yield 4.0 + bonus, [NameCandidate(inside[0], inside[-1] + 1)]
        return
    if len(shape.cells) == 1 and len(line.text) <= LONG_LINE:
        bonus += 0.75
    for start, cell in shape.cells:
        yield from _in_cell(resume, line, cell, line.start + start, rank, bonus)
    if rank <= 2 and shape.inverted is not None:
        yield from _inverted_name(resume, line, shape.inverted, bonus)


def _in_cell(
    resume: ParsedResume, line: Line, cell: str, at: int, rank: int, bonus: float
) -> Iterator[_Scored]:
    if _EAST_ASIAN.match(cell) and rank <= 3:
        inside = resume.words_in(at, at + len(cell))
        if inside:
            yield 3.0 + bonus, [NameCandidate(inside[0], inside[-1] + 1)]
        return
    candidate = resume.candidate_at(at, most=6, strict=False) or _lower_case_name(resume, at, cell)
    if candidate is None or resume.is_excluded(resume.starts[candidate.first]):
        return
    whole = resume.ends[candidate.stop - 1] >= at + len(cell.rstrip(" .,;:'’!?"))
    if whole and not resume.holds_stop_word(candidate):
        score = resume.score(candidate)
        if len(line.text) > LONG_LINE and score < 2.0:
            return
        if len(candidate) == 1:
            score -= 1.5
        if _CITY_TAIL.match(resume.text, resume.ends[candidate.stop - 1]):
            score -= 1.5  # "Austin, TX"
        yield score + bonus, [candidate]
    elif rank <= 3:
        leading = _leading_name(resume, candidate)
        if leading is not None:
            yield resume.score(leading) + bonus - 0.5, [leading]


def _inverted_name(
    resume: ParsedResume, line: Line, starts: tuple[int, int], bonus: float
) -> Iterator[_Scored]:
    """Surname first: "Doe, Jane"."""
    surname = resume.candidate_at(line.start + starts[0], most=3)
    given = resume.candidate_at(line.start + starts[1], most=3)
    if surname is None or given is None or resume.is_place(given):
        return
    if not resume.holds_stop_word(surname) and not resume.holds_stop_word(given):
        yield resume.score(surname) + resume.score(given) + bonus, [NameCandidate(surname.first, given.stop)]


def _leading_name(resume: ParsedResume, candidate: NameCandidate) -> NameCandidate | None:
    """The name at the start of more capitalised words: "Jane Doe Software Engineer"."""
    lexicon, folded = resume.lexicon, resume.folded
    first = folded[candidate.first]
    if first in STOP_WORDS or not (lexicon.is_given_name(first) or first in resume.evidence):
        return None
    stop = candidate.first + 1
    while stop < min(candidate.stop, candidate.first + 4):
        word = folded[stop]
        if word in STOP_WORDS or stop in resume.protected or word in CREDENTIALS:
            break
        known = lexicon.is_surname(word) or lexicon.is_given_name(word) or word in resume.evidence
        if not (known or word not in lexicon.english or len(word) == 1 or word in PARTICLES):
            break
        stop += 1
    return NameCandidate(candidate.first, stop) if stop - candidate.first >= 2 else None


def _lower_case_name(resume: ParsedResume, start: int, cell: str) -> NameCandidate | None:
    """A name in small letters, "jane doe", if both are in the lexicon or in the e-mail address."""
    inside = resume.words_in(start, start + len(cell))
    if not 2 <= len(inside) <= 4 or any(ch.isdigit() or ch == "@" for ch in cell):
        return None
    if any(resume.is_excluded(resume.starts[i]) for i in inside):
        return None
    known = sum(resume.is_known(resume.folded[i]) for i in inside)
    return NameCandidate(inside[0], inside[-1] + 1) if known >= 2 else None


def _name_alone(resume: ParsedResume, line: Line) -> NameCandidate | None:
    """A line of up to three capitalised words and nothing else."""
    inside = resume.words_in(line.start, line.end)
    if not 1 <= len(inside) <= 3:
        return None
    if not all(resume.capitalised[i] and resume.folded[i] not in STOP_WORDS for i in inside):
        return None
    return NameCandidate(inside[0], inside[-1] + 1)
