"""The name in a profile exported from a network: below a sidebar (contact, top skills), above headline and place."""

from __future__ import annotations

import re

from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.opening_name import name_before_a_post
from service.core.redaction.names.word_lists import STOP_WORDS

_SIDEBARS = frozenset({"contact", "top skills"})
_FIRST_SECTIONS = frozenset({"summary", "experience", "education"})
_LINES = 60
"""Within which the sidebar ends."""

_ABOVE = 6
"""Lines above the first section that hold the name, the headline and the place."""

_MIN_SCORE = 1.5
_HEADLINE = 1.5
_WORDS_ONLY = 1.0
_HEADLINE_SIGNS = (" at ", " | ", " @ ", " - ")


def profile_name(resume: ParsedResume) -> NameCandidate | None:
    """The candidate's name if the text begins with the sidebar of an exported profile."""
    lines = resume.lines[:_LINES]
    texts = [line.text.strip().casefold() for line in lines]
    if not texts or texts[0] not in _SIDEBARS:
        return _name_in_one_line(resume)
    if "top skills" not in texts and "linkedin" not in " ".join(texts):
        return None
    section = next((i for i, text in enumerate(texts) if i and text in _FIRST_SECTIONS), None)
    if section is None:
        return None
    best, found = _MIN_SCORE, None
    for i in range(max(1, section - _ABOVE), section):
        candidate = _name_in_line(resume, lines[i].start, lines[i].end)
        if candidate is None:
            continue
        score = resume.score(candidate, placed=True)
        if i + 1 < section and not lines[i + 1].heading:
            score += _HEADLINE * _is_headline(resume, lines[i + 1].start, lines[i + 1].end)
        if all(resume.folded[j] in resume.lexicon.english for j in range(candidate.first, candidate.stop)):
            score -= _WORDS_ONLY  # "Best Seller", an award
        if score > best:
            best, found = score, candidate
    return found


def _name_in_line(resume: ParsedResume, start: int, end: int) -> NameCandidate | None:
    """Two words or more that fill a line, save for what stands behind a comma: "Jane Doe, PMP"."""
    text = resume.text[start:end]
    candidate = resume.candidate_at(start + len(text) - len(text.lstrip()), most=5, strict=False)
    if candidate is None or len(candidate) < 2 or resume.holds_stop_word(candidate, placed=True):
        return None
    rest = resume.text[resume.ends[candidate.stop - 1] : end].strip(" .)")
    if (rest and not rest.startswith(",")) or any(
        i in resume.protected and not _is_hyphened(resume, i) for i in range(candidate.first, candidate.stop)
    ):
        return None
    return candidate


def _is_hyphened(resume: ParsedResume, i: int) -> bool:
    """True for the "Seo" of "Seo-yeon Bae", which is no tool."""
    return resume.text[resume.ends[i] : resume.ends[i] + 1] == "-" and resume.written[i].istitle()


_IN_ONE_LINE = re.compile(r"\s{0,5}(?:Contact\b.{1,300}?Top Skills|Top Skills)\s{1,5}")
_END_OF_SIDEBAR = re.compile(r"\b(?:Summary|Experience)\b")
_LONGEST_SIDEBAR = 900


def _name_in_one_line(resume: ParsedResume) -> NameCandidate | None:
    """The name in a profile that lost its line breaks: the last words before a headline that mean nothing else."""
    opening = _IN_ONE_LINE.match(resume.text)
    if opening is None:
        return None
    closing = _END_OF_SIDEBAR.search(resume.text, opening.end(), opening.end() + _LONGEST_SIDEBAR)
    end = closing.start() if closing else opening.end() + _LONGEST_SIDEBAR
    found: NameCandidate | None = None
    for i in resume.words_in(opening.end(), end):
        if not resume.capitalised[i] or (found is not None and i < found.stop):
            continue
        found = name_before_a_post(resume, resume.starts[i], end) or found
    return found


def _is_headline(resume: ParsedResume, start: int, end: int) -> bool:
    """True for a line that names a post or an employer."""
    inside = resume.words_in(start, end)
    if len(inside) < 2:
        return False
    return any(sign in resume.text[start:end] for sign in _HEADLINE_SIGNS) or any(
        resume.folded[i] in STOP_WORDS for i in inside
    )
