"""The candidate's name in the headers and footers of pages: "Jane Doe | Page 1 of 2"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from service.core.redaction.names.body import FoundName
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.context_cues import ContextCue
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.opening_name import fills_line
from service.core.redaction.names.things import names_a_thing
from service.core.redaction.names.word_lists import PARTICLES

_MOST_WORDS = 6
_MOST_MARKS = 30
"""Marks of pages that are looked at: no resume has more pages."""

_SHORT_LINE = 80
_OPENS = re.compile(r"(?:^|[|·•–—(\n]|[ \t]-|[ \t]{2}|[.!?)]) {0,2}$")
_JOINTS = (" ", "-", ". ", ".", "'", "’", " '", " ’", "  ")
_SEPARATORS = " \t|·•,;–—-"
_CLOSES = re.compile(r"\s{0,3}(?:$|[|·•–—\n]|-\s|\s{2})")


def page_names(resume: ParsedResume, *, named: bool) -> Iterator[FoundName]:
    """Names that fill the space before or behind a page's number.

    `named`: the candidate's name is known; another one then needs words that are surely names.
    """
    found = list(_beside_marks(resume))
    words = [tuple(resume.folded[candidate.first : candidate.stop]) for candidate in found]
    for candidate, its in zip(found, words, strict=True):
        need = 3.5 if named else 0.75 if words.count(its) == 1 else 0.0
        if resume.is_name(candidate, need=need, placed=True):
            yield FoundName(candidate, own=not named, reason="name.page")
            named = True


def _beside_marks(resume: ParsedResume) -> Iterator[NameCandidate]:
    left = _MOST_MARKS
    for i, (line, features) in enumerate(zip(resume.lines, resume.features, strict=True)):
        for cue in features.cues:
            if cue.kind != "page" or not left:
                continue
            left -= 1
            candidate = _before(resume, cue, line.start)
            if candidate is None and len(line.text) <= _SHORT_LINE:
                candidate = _behind(resume, cue, line.start, line.end)
            if candidate is None and i and not line.text.replace(cue.written, "").strip(_SEPARATORS):
                above = resume.lines[i - 1]
                candidate = None if above.heading else fills_line(resume, above)
            if candidate is None or names_a_thing(resume, candidate):
                continue
            if len(candidate) == 1 and not resume.is_name_word(candidate.first):
                continue
            if not any(j in resume.protected_phrases for j in range(candidate.first, candidate.stop)):
                yield candidate


def _before(resume: ParsedResume, cue: ContextCue, offset: int) -> NameCandidate | None:
    """The words in capitals right before the mark, from the start of the line or from a gap on."""
    stop = bisect_left(resume.starts, offset + cue.start)
    if not stop or resume.text[resume.ends[stop - 1] : offset + cue.start].strip(" \t.,)|·•–—-"):
        return None
    first = stop
    while first > 0 and stop - first < _MOST_WORDS and resume.starts[first - 1] >= offset:
        if first < stop:
            gap = resume.text[resume.ends[first - 1] : resume.starts[first]]
            if gap not in _JOINTS or (gap == ". " and len(resume.written[first - 1]) > 2):
                break
        before = first - 1
        hyphened = resume.text[resume.starts[before] - 1 : resume.starts[before]] == "-"
        if not (resume.capitalised[before] or hyphened or resume.folded[before] in PARTICLES):
            break
        first = before
    if first == stop or not _OPENS.search(
        resume.text[max(offset, resume.starts[first] - 4) : resume.starts[first]]
    ):
        return None
    candidate = resume.placed_candidate_at(resume.starts[first], most=_MOST_WORDS)
    return candidate if candidate is not None and candidate.stop == stop else None


def _behind(resume: ParsedResume, cue: ContextCue, offset: int, end: int) -> NameCandidate | None:
    """What fills the rest of the line behind the mark, up to the next separator."""
    at = offset + cue.end
    at += len(resume.text[at:end]) - len(resume.text[at:end].lstrip(_SEPARATORS))
    candidate = resume.placed_candidate_at(at, most=_MOST_WORDS) if at < end else None
    if candidate is None or resume.starts[candidate.first] >= end:
        return None
    last = resume.ends[candidate.stop - 1]
    return candidate if _CLOSES.match(resume.text[last : min(end, last + 4)].lstrip(".")) else None
