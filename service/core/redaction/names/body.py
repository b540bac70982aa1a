"""Names outside the header: after context cues, as signatures, among references, in prose."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import NameCandidate, ParsedResume
from service.core.redaction.names.context_cues import CUE_ORDER, ContextCue
from service.core.redaction.names.word_lists import STOP_WORDS
from service.core.redaction.policy import TOKENS

_BRACED = re.compile(r"\{([^{}\n]{1,60})\}")
_VALUE = re.compile(r"[^\n|;,\[:]{2,40}")
_OF_A_RELATIVE = re.compile(r"father|mother|spouse|husband|wife|guardian", re.IGNORECASE)
_SURE = re.compile(r"name|appelle|heiße|chiamo|llamo|called", re.IGNORECASE)
_YEAR_OR_PRESENT = re.compile(r"\b(?:19|20)\d\d\b|\b[Pp]resent\b")


class FoundName(NamedTuple):
    """Words that are a name. `own`: it is that of the person whose resume this is."""

    candidate: NameCandidate
    own: bool


def cued_names(resume: ParsedResume) -> Iterator[FoundName]:
    """Names that a context cue announces, those of the surest kinds first."""
    placed = [
        (line.start, cue)
        for line, features in zip(resume.lines, resume.features, strict=True)
        for cue in features.cues
    ]
    for offset, cue in sorted(placed, key=lambda pair: CUE_ORDER[pair[1].kind]):
        yield from _after_cue(resume, cue, offset)


def _after_cue(resume: ParsedResume, cue: ContextCue, offset: int) -> Iterator[FoundName]:
    at = offset + cue.end
    match cue.kind:
        case "latex":
            for part in _BRACED.finditer(cue.written):
                candidate = resume.candidate_at(offset + cue.start + part.start(1), most=6, strict=False)
                if candidate is not None and not resume.holds_stop_word(candidate):
                    yield FoundName(candidate, own=True)
        case "label":
            candidate = resume.candidate_at(at, most=6, strict=False)
            if candidate is None or resume.holds_stop_word(candidate):
                candidate = _field_value(resume, at)
            if candidate is not None:
                yield FoundName(candidate, own=not _OF_A_RELATIVE.search(cue.written))
        case "person_label":
            yield from _if_name(resume, resume.candidate_at(at, most=5), need=1.0, own=False)
        case "introduction":
            sure = _SURE.search(cue.written) is not None
            yield from _if_name(resume, resume.candidate_at(at, most=4), need=0.0 if sure else 2.0, own=True)
        case "honorific":
            yield from _if_name(resume, resume.candidate_at(at, most=4), need=0.0, own=False)
        case "relation" | "companion":
            candidate = resume.candidate_at(at, most=4)
            if candidate is not None and len(candidate) >= 2:
                yield from _if_name(resume, candidate, need=2.0 if cue.kind == "relation" else 3.5, own=False)


def closing_names(resume: ParsedResume) -> Iterator[FoundName]:
    """Signatures after "Sincerely" and the like, and a name that stands alone in the last line."""
    for i, features in enumerate(resume.features[:-1]):
        if features.is_closing:
            line = resume.lines[i + 1]
            start = line.start + len(line.text) - len(line.text.lstrip())
            yield from _if_name(resume, resume.candidate_at(start, most=4), need=0.5, own=True)
    last = next((line for line in reversed(resume.lines) if not line.heading), None)
    if last is not None and len(resume.lines) > 3 and len(last.text) < 40:
        start = last.start + len(last.text) - len(last.text.lstrip(" \t(-–—~*_"))
        candidate = resume.candidate_at(start, most=4)
        if candidate is not None and len(candidate) > 1:
            yield from _if_name(resume, candidate, need=3.5, own=False)


def referee_names(resume: ParsedResume) -> Iterator[FoundName]:
    """In a reference block every cell that looks like a name is one, the first of a line above all."""
    for line, features in zip(resume.lines, resume.features, strict=True):
        if line.section != "references" or line.heading:
            continue
        first = True
        for start, end in features.cells:
            cell = line.text[start:end]
            if line.text[max(0, start - 9) : start].endswith((TOKENS["phone"], TOKENS["email"])):
                first = True  # the next person in a text without line breaks
            if f"[{cell.strip()}]" in TOKENS.values():
                continue
            lead = len(cell) - len(cell.lstrip(" .-–•\t'0123456789)"))
            candidate = resume.candidate_at(line.start + start + lead, most=5)
            if candidate is None or resume.holds_stop_word(candidate) or len(candidate) < 2:
                first = first and candidate is None
                continue
            yield from _if_name(resume, candidate, need=-1.0 if first else 3.0, own=False)
            first = False


def prose_names(resume: ParsedResume) -> Iterator[FoundName]:
    """Given name and surname side by side in prose; not in lists, and not where an employer stands."""
    line_starts = [line.start for line in resume.lines]
    at, is_prose = -1, False
    for i in _given_names(resume):
        place = bisect_right(line_starts, resume.starts[i]) - 1
        if place != at:  # once a line: a long one holds thousands of names
            at, is_prose = place, _is_prose(resume.lines[place])
        if not is_prose or resume.follows_preposition(i):
            continue
        candidate = resume.candidate_at(resume.starts[i], most=4)
        if (
            candidate is not None
            and len(candidate) >= 2
            and resume.lexicon.is_surname(resume.folded[candidate.stop - 1])
        ):
            yield from _if_name(resume, candidate, need=4.0, own=False)


def _given_names(resume: ParsedResume) -> list[int]:
    """Indices of the words that could be given names."""
    known = resume.lexicon.given_names
    return [
        i
        for i, folded in enumerate(resume.folded)
        if folded in known
        and resume.capitalised[i]
        and i not in resume.protected
        and resume.lexicon.is_given_name(folded)
    ]


def _if_name(
    resume: ParsedResume, candidate: NameCandidate | None, *, need: float, own: bool
) -> Iterator[FoundName]:
    if candidate is not None and resume.is_name(candidate, need=need):
        yield FoundName(candidate, own)


def _field_value(resume: ParsedResume, start: int) -> NameCandidate | None:
    """What follows "Name:" in small letters or in a script without capitals."""
    value = _VALUE.match(resume.text, start, start + 41)
    if value is None or any(ch.isdigit() for ch in value[0]):
        return None
    inside = resume.words_in(start, start + len(value[0].rstrip()))
    if not 1 <= len(inside) <= 5 or any(resume.folded[i] in STOP_WORDS for i in inside):
        return None
    return NameCandidate(inside[0], inside[-1] + 1)


def _is_prose(line: Line) -> bool:
    if line.heading or (line.section == "experience" and _is_entry(line.text)):
        return False
    is_list = line.text.count(",") > 4 and line.section != "references" and "." not in line.text.strip()[:-1]
    return not is_list


def _is_entry(line: str) -> bool:
    """A line that names a post or an employer: short, or with years."""
    return len(line.split()) <= 8 or _YEAR_OR_PRESENT.search(line) is not None
