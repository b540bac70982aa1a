"""Forms of names in one line of the header that are no plain row of words with capitals, each with its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.header_line import SPACED_WORD
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.word_lists import CREDENTIALS, PARTICLES, PLACES, STOP_WORDS, THING_NOUNS

MIN_SCORE = 2.5
"""Two names of the lexicon score 4, two unknown words 1 and the place of the first line 1.5 to 2.25 more."""

Scored = tuple[float, list[NameCandidate]]
"""How much speaks for them, and the candidates: two if the name stands on two lines."""

_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA "
    "RI SC SD TN TX UT VA VT WA WI WV WY DC NSW VIC QLD ON BC AB QC".split()
)
_FIRM_ENDS = re.compile(r"\W{0,3}(?:$|[|,;(•·–—-])")
_BLANKS = re.compile(r"[ \t]{1,4}")


def unknown_in_small_letters(resume: ParsedResume, line: Line, bonus: float) -> Iterator[Scored]:
    """A first line of two names or more that nobody knows, in small letters, above contact data: "jane van der doe"."""
    inside = resume.words_in(line.start, line.end)
    named = [i for i in inside if resume.folded[i] not in PARTICLES]
    if (
        2 <= len(named) <= 3
        and len(inside) <= 6
        and line.text.islower()
        and not any(ch.isdigit() or ch in "@/:" for ch in line.text)
        and all(
            len(resume.folded[i]) > 2
            and resume.folded[i] not in resume.lexicon.english
            and resume.folded[i] not in STOP_WORDS
            and resume.folded[i] not in PLACES
            and resume.folded[i] not in CREDENTIALS
            and i not in resume.protected
            for i in named
        )
    ):
        yield 1.0 + bonus, [NameCandidate(inside[0], inside[-1] + 1)]


def with_wide_gaps(resume: ParsedResume, line: Line, bonus: float) -> Iterator[Scored]:
    """Two to four names and nothing else in a line, with more than one blank between them: "Anil  Kumar"."""
    inside = resume.words_in(line.start, line.end)
    if not 2 <= len(inside) <= 4 or "  " not in line.text.strip():
        return
    gaps = [resume.text[resume.ends[a] : resume.starts[a + 1]] for a in inside[:-1]]
    candidate = NameCandidate(inside[0], inside[-1] + 1)
    if (
        all(_BLANKS.fullmatch(gap) for gap in gaps)
        and all(resume.capitalised[i] for i in inside)
        and not resume.is_place(candidate)
        and not resume.holds_stop_word(candidate)
    ):
        yield resume.score(candidate, placed=True) + bonus, [candidate]


def surname_like_a_post(
    resume: ParsedResume, line: Line, bonus: float, beside_contact: bool
) -> Iterator[Scored]:
    """As "Farokh Engineer", if contact data or the lexicon say that a person stands there."""
    inside = resume.words_in(line.start, line.end)
    if len(inside) != 2 or not all(resume.capitalised[i] for i in inside):
        return
    given, surname = (resume.folded[i] for i in inside)
    if surname not in STOP_WORDS or surname not in resume.lexicon.surnames or given in STOP_WORDS:
        return
    if inside[0] in resume.protected or resume.text[resume.ends[inside[0]] : resume.starts[inside[1]]] != " ":
        return
    known = resume.lexicon.is_given_name(given)
    if known or (beside_contact and given not in resume.lexicon.english and given not in PLACES):
        yield 2.0 + bonus, [NameCandidate(inside[0], inside[-1] + 1)]


def one_word(resume: ParsedResume, line: Line, beside_contact: bool) -> Iterator[Scored]:
    """One word on top, if contact data follow and it means nothing else."""
    inside = resume.words_in(line.start, line.end)
    if len(inside) != 1 or not beside_contact:
        return
    i = inside[0]
    word, lexicon = resume.folded[i], resume.lexicon
    is_name = lexicon.is_given_name(word) or lexicon.is_surname(word)
    if (
        resume.capitalised[i]
        and len(word) > 2
        and word not in STOP_WORDS
        and word not in PLACES
        and word not in CREDENTIALS
        and i not in resume.protected
        and (is_name or word not in lexicon.english)
        and not resume.is_excluded(resume.starts[i])
        and line.text.strip(" \t.*#_") == resume.written[i]
        and (len(word) > 4 or is_name or not resume.written[i].isupper())
    ):
        yield MIN_SCORE, [NameCandidate(i, i + 1)]


def inverted_name(
    resume: ParsedResume, line: Line, starts: tuple[int, int], bonus: float
) -> Iterator[Scored]:
    """Surname first: "Doe, Jane"."""
    surname = resume.candidate_at(line.start + starts[0], most=3)
    given = resume.candidate_at(line.start + starts[1], most=3)
    if surname is None or given is None or resume.is_place(given):
        return
    if _is_town(resume, surname, given):
        return
    if all(
        len(resume.folded[i]) == 1 or resume.folded[i] in CREDENTIALS for i in range(given.first, given.stop)
    ):
        return  # "Jane Doe, M.A."
    if not resume.holds_stop_word(surname) and not resume.holds_stop_word(given):
        yield resume.score(surname) + resume.score(given) + bonus, [NameCandidate(surname.first, given.stop)]


def _is_town(resume: ParsedResume, town: NameCandidate, state: NameCandidate) -> bool:
    """True for "Dallas, TX": no town is somebody's surname because the letters of a state follow."""
    return (
        len(state) == 1
        and resume.written[state.first] in _STATES
        and not any(resume.folded[i] in resume.evidence for i in range(town.first, town.stop))
    )


def leading_name(resume: ParsedResume, candidate: NameCandidate) -> NameCandidate | None:
    """The name at the start of more capitalised words: "Jane Doe Software Engineer"."""
    lexicon, folded = resume.lexicon, resume.folded
    first = folded[candidate.first]
    if first in STOP_WORDS or not (lexicon.is_given_name(first) or first in resume.evidence):
        return _short_leading_name(resume, candidate)
    stop, most = candidate.first + 1, candidate.first + 4
    while stop < min(candidate.stop, most):
        word = folded[stop]
        most += word in PARTICLES  # "Jan-Erik van den Berg"
        if word in STOP_WORDS or stop in resume.protected or word in CREDENTIALS:
            break
        known = lexicon.is_surname(word) or lexicon.is_given_name(word) or word in resume.evidence
        if not (known or word not in lexicon.english or len(word) == 1 or word in PARTICLES):
            break
        stop += 1
    return NameCandidate(candidate.first, stop) if stop - candidate.first >= 2 else None


def is_firm(resume: ParsedResume, leading: NameCandidate, end: int) -> bool:
    """True for the "Hong Leong" of "Hong Leong Bank": a word of organisations comes next and nothing else."""
    after = leading.stop
    return (
        after < len(resume.folded)
        and resume.folded[after] in THING_NOUNS
        and resume.text[resume.ends[after - 1] : resume.starts[after]] == " "
        and _FIRM_ENDS.match(resume.text[resume.ends[after] : max(end, resume.ends[after])]) is not None
    )


def _short_leading_name(resume: ParsedResume, candidate: NameCandidate) -> NameCandidate | None:
    """Two or three words before a post, of which one is surely a name: "Tran Vy Software Engineer"."""
    stop = candidate.first
    while stop < candidate.stop and resume.folded[stop] not in STOP_WORDS and stop not in resume.protected:
        if resume.folded[stop] in resume.lexicon.english and not resume.is_rare_name(resume.folded[stop]):
            break
        stop += 1
    leading = NameCandidate(candidate.first, stop)
    if len(leading) not in (2, 3) or stop == candidate.stop or resume.is_place(leading):
        return None
    return leading if resume.score(leading) >= 2.0 else None


def lower_case_name(resume: ParsedResume, start: int, cell: str) -> NameCandidate | None:
    """A name in small letters, "jane doe", if both are in the lexicon or in the e-mail address."""
    inside = resume.words_in(start, start + len(cell))
    contact = next((i for i in inside[:7] if resume.is_excluded(resume.starts[i])), None)
    if contact is not None:  # "jane doe jane.doe@…"
        cell, inside = cell[: resume.starts[contact] - start], resume.words_in(start, resume.starts[contact])
    if not 2 <= len(inside) <= 6 or any(ch.isdigit() or ch == "@" for ch in cell):
        return None
    named = [i for i in inside if resume.folded[i] not in PARTICLES]
    known = sum(resume.folded[i] in resume.evidence or resume.is_name_word(i) for i in named)
    if len(named) > 4 or known < 2 or any(resume.folded[i] in STOP_WORDS for i in named):
        return None
    return NameCandidate(inside[0], inside[-1] + 1)


def name_alone(resume: ParsedResume, line: Line) -> NameCandidate | None:
    """A line of up to three capitalised words and nothing else."""
    inside = resume.words_in(line.start, line.end)
    if SPACED_WORD.match(line.text):
        return NameCandidate(inside[0], inside[-1] + 1)
    if not 1 <= len(inside) <= 3:
        return None
    if not all(resume.capitalised[i] and resume.folded[i] not in STOP_WORDS for i in inside):
        return None
    return NameCandidate(inside[0], inside[-1] + 1)
