"""Whether a text holds the resumes of two people: two headers, two name fields, two names at the heads of pages.

Referees, managers and authors are named in the resume of one person: none of them has a header of their own.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from service.core.redaction.names.body import FoundName, found_if_name
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.things import names_a_thing
from service.core.redaction.words import fold

_BESIDE = 120
"""Characters behind a name within which the contact data of a header begin."""

_NAME_FIELD = re.compile(
    r"(?:^|[\n|•;,]|[ ]{2})[ \t]{0,4}(?:(?:full|candidate(?:['’]s)?|applicant(?:['’]s)?)[ ])?name[ ]{0,3}[:：=][ \t]{0,8}$",
    re.IGNORECASE,
)
"""Not the father's name, and not "First name", which one person has beside a last name."""

_LONG = 160
_MAIN_SECTIONS = ("experience", "education")


_LEAD = " \t•|*-–—#"


def names_beside_addresses(resume: ParsedResume) -> Iterator[FoundName]:
    """Names that begin the line of an e-mail address, or the line above it, and stand in the address too."""
    for i, (line, features) in enumerate(zip(resume.lines, resume.features, strict=True)):
        if not features.contacts:
            continue
        users = fold(" ".join(features.contacts)).lower()
        for place in (line, resume.lines[i - 1]) if i else (line,):
            if place.heading or len(place.text) > _LONG:
                continue
            lead = len(place.text) - len(place.text.lstrip(_LEAD))
            candidate = resume.placed_candidate_at(place.start + lead, most=5)
            if (
                candidate is None
                or not 2 <= len(candidate) <= 4
                or resume.starts[candidate.first] >= place.end
            ):
                continue
            parts = [resume.folded[j] for j in range(candidate.first, candidate.stop)]
            if any(len(part) > 2 and part in users for part in parts) and not names_a_thing(
                resume, candidate
            ):
                yield from found_if_name(resume, candidate, "name.address", need=0.5, own=False, placed=True)


def count_second_resumes(resume: ParsedResume, found: Sequence[FoundName], own: Collection[str]) -> int:
    """How many names in `found` head another resume. `own`: parts of the candidate's name, folded."""
    line_starts = [line.start for line in resume.lines]
    people: set[tuple[str, ...]] = set()
    for name in found:
        candidate = name.candidate
        parts = tuple(resume.folded[candidate.first : candidate.stop])
        if len(parts) < 2 or not own or any(part in own for part in parts if len(part) > 1):
            continue
        line = resume.lines[max(0, bisect_right(line_starts, resume.starts[candidate.first]) - 1)]
        if line.section == "references":
            continue
        if name.reason == "name.page" or _is_field(resume, candidate) or _heads_a_resume(resume, candidate):
            people.add(parts)
    return len(people)


def _is_field(resume: ParsedResume, candidate: NameCandidate) -> bool:
    start = resume.starts[candidate.first]
    return _NAME_FIELD.search(resume.text, max(0, start - 40), start) is not None


def _heads_a_resume(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True if contact data follow, and a section that the text had before comes again behind them."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    if not resume.holds_excluded(end, end + _BESIDE):
        return False
    before = {line.section for line in resume.lines if line.heading and line.start < start}
    behind = {line.section for line in resume.lines if line.heading and line.start > end}
    return any(section in before and section in behind for section in _MAIN_SECTIONS)
