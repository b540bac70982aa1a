"""The candidate's name in the first lines: the best of all segments that could be one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import NameForm, Run
from service.core.redaction.names.header_line import LONG_LINE, HeaderLine
from service.core.redaction.names.words import CREDENTIALS, PARTICLES, STOP_WORDS
from service.core.redaction.policy import TOKENS

_LINES = 8
_CHARACTERS = 800

_ENOUGH = 2.5
_BONUS_OF_LINE = {1: 1.5, 2: 0.75, 3: 0.5}
_CITY_TAIL = re.compile(r",\s*(?:[A-Z]{2}\b|[A-Z][a-z]+\s*\d{4,})")
_EAST_ASIAN = re.compile(
    r"^[\u4e00-\u9fff]{2,4}$|^[\uac00-\ud7a3]{2,4}$"
    r"|^[\u4e00-\u9fff\u3040-\u30ff]{1,4}[ \u3000][\u4e00-\u9fff\u3040-\u30ff]{1,4}$"
)

_Candidate = tuple[float, list[Run]]


def header_name(form: NameForm) -> list[Run]:
    """The runs that hold the candidate's name (two if it stands on two lines), or none."""
    if TOKENS["name"] in form.text[:_CHARACTERS]:
        return []  # redacted before
    best: _Candidate = (0.0, [])
    rank = 0
    previous: Run | None = None
    for line, known in zip(form.lines, form.facts, strict=True):
        if line.heading:
            if rank or line.section in ("education", "experience", "references"):
                break
            continue
        if known.header.says_nothing:
            continue
        rank += 1
        if rank > _LINES or line.start > _CHARACTERS:
            break
        for candidate in _candidates(form, line, known.header, rank):
            best = max(best, candidate, key=lambda c: c[0])
        alone = _alone(form, line) if known.header.may_be_alone else None
        if alone is not None and previous is not None and rank <= 3:
            together = 1.0 + form.score(previous) + form.score(alone)
            best = max(best, (together, [previous, alone]), key=lambda c: c[0])
        previous = alone if alone is not None and known.header.tokens == 1 else None
    return best[1] if best[0] >= _ENOUGH else []


def _candidates(form: NameForm, line: Line, known: HeaderLine, rank: int) -> Iterator[_Candidate]:
    bonus = _BONUS_OF_LINE.get(rank, 0.0) + (1.0 if known.has_prefix else 0.0)
    if known.spaced:
        inside = form.words_in(line.start, line.end)
        if inside:
            yield 4.0 + bonus, [Run(inside[0], inside[-1] + 1)]
        return
    if len(known.segments) == 1 and len(line.text) <= LONG_LINE:
        bonus += 0.75
    for start, segment in known.segments:
        yield from _in_segment(form, line, segment, line.start + start, rank, bonus)
    if rank <= 2 and known.inverted is not None:
        yield from _inverted(form, line, known.inverted, bonus)


def _in_segment(
    form: NameForm, line: Line, segment: str, at: int, rank: int, bonus: float
) -> Iterator[_Candidate]:
    if _EAST_ASIAN.match(segment) and rank <= 3:
        inside = form.words_in(at, at + len(segment))
        if inside:
            yield 3.0 + bonus, [Run(inside[0], inside[-1] + 1)]
        return
    run = form.run_at(at, most=6, strict=False) or _lower_case(form, at, segment)
    if run is None or form.is_taken(form.starts[run.first]):
        return
    whole = form.ends[run.stop - 1] >= at + len(segment.rstrip(" .,;:'’!?"))
    if whole and not form.holds_stop_word(run):
        score = form.score(run)
        if len(line.text) > LONG_LINE and score < 2.0:
            return
        if len(run) == 1:
            score -= 1.5
        if _CITY_TAIL.match(form.text, form.ends[run.stop - 1]):
            score -= 1.5  # "Austin, TX"
        yield score + bonus, [run]
    elif rank <= 3:
        leading = _leading(form, run)
        if leading is not None:
            yield form.score(leading) + bonus - 0.5, [leading]


def _inverted(form: NameForm, line: Line, starts: tuple[int, int], bonus: float) -> Iterator[_Candidate]:
    """Surname first: "Doe, Jane"."""
    surname = form.run_at(line.start + starts[0], most=3)
    given = form.run_at(line.start + starts[1], most=3)
    if surname is None or given is None or form.is_place(given):
        return
    if not form.holds_stop_word(surname) and not form.holds_stop_word(given):
        yield form.score(surname) + form.score(given) + bonus, [Run(surname.first, given.stop)]


def _leading(form: NameForm, run: Run) -> Run | None:
    """The name at the start of a longer run of capitalised words: "Jane Doe Software Engineer"."""
    lexicon, folded = form.lexicon, form.folded
    first = folded[run.first]
    if first in STOP_WORDS or not (lexicon.is_given_name(first) or first in form.evidence):
        return None
    stop = run.first + 1
    while stop < min(run.stop, run.first + 4):
        word = folded[stop]
        if word in STOP_WORDS or stop in form.protected or word in CREDENTIALS:
            break
        known = lexicon.is_surname(word) or lexicon.is_given_name(word) or word in form.evidence
        if not (known or word not in lexicon.english or len(word) == 1 or word in PARTICLES):
            break
        stop += 1
    return Run(run.first, stop) if stop - run.first >= 2 else None


def _lower_case(form: NameForm, start: int, segment: str) -> Run | None:
    """A name in small letters, "jane doe", if both are in the lexicon or in the e-mail address."""
    inside = form.words_in(start, start + len(segment))
    if not 2 <= len(inside) <= 4 or any(ch.isdigit() or ch == "@" for ch in segment):
        return None
    if any(form.is_taken(form.starts[i]) for i in inside):
        return None
    known = sum(form.is_known(form.folded[i]) for i in inside)
    return Run(inside[0], inside[-1] + 1) if known >= 2 else None


def _alone(form: NameForm, line: Line) -> Run | None:
    """A line of up to three capitalised words and nothing else."""
    inside = form.words_in(line.start, line.end)
    if not 1 <= len(inside) <= 3:
        return None
    if not all(form.capitalised[i] and form.folded[i] not in STOP_WORDS for i in inside):
        return None
    return Run(inside[0], inside[-1] + 1)
