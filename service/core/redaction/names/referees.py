"""Names of referees: one opens each entry of the section, and what stands under it is a post or an employer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.names.body import FoundName
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.things import names_a_thing
from service.core.redaction.policy import TOKENS

_RANK = re.compile(r"\((?:[A-Z]{2,5}|[A-Z][a-z]{1,5}\.?)\)\s{0,2}")
"""A rank or a title in brackets: "(LTC) Koh Ban Seng"."""

_GIVEN_BEHIND = re.compile(r",\s{1,2}(?=[^\W\d_a-z])")
_LEAD = " .-–•\t'0123456789)"
_CONTACT = (TOKENS["phone"], TOKENS["email"])


def referee_names(resume: ParsedResume) -> Iterator[FoundName]:
    """In a reference block the first cell of an entry is a name, and so is any other that looks like one."""
    opens = True  # a blank line, a heading, a label or contact data went before: a new entry
    end = 0
    among_referees = False
    for line, features in zip(resume.lines, resume.features, strict=True):
        # "Contact:" is a field of an entry here, though it opens a section elsewhere.
        among_referees = line.section == "references" or (among_referees and line.section == "contact")
        if not among_referees:
            continue
        if line.heading or "\n\n" in resume.text[end : line.start + 1]:
            opens = True
        end = line.end
        if line.heading:
            continue
        first = True
        rank = _RANK.match(line.text)
        cells = features.cells
        if rank is not None:
            opens, cells = True, [(a, b) for a, b in cells if b > rank.end()]
        for start, stop in cells:
            cell = line.text[start:stop]
            if line.text[max(0, start - 9) : start].endswith(_CONTACT):
                first = opens = True  # the next person in a text without line breaks
            if f"[{cell.strip()}]" in TOKENS.values():
                continue
            lead = len(cell) - len(cell.lstrip(_LEAD))
            candidate = resume.candidate_at(line.start + start + lead, most=5)
            if candidate is None or resume.holds_stop_word(candidate) or len(candidate) < 2:
                first = first and candidate is None
                continue
            candidate = _with_given_name_behind(resume, candidate) if first else candidate
            need = -1.0 if first and opens else 3.0
            if names_a_thing(resume, candidate) or not resume.is_name(
                candidate, need=need, placed=first and opens
            ):
                first = False
                continue
            yield FoundName(candidate, own=False, reason="name.referee")
            first = opens = False
        text = line.text.rstrip()
        opens = (
            (opens and text.endswith(":")) or bool(features.contacts) or any(c.isdigit() for c in text[-8:])
        )


def _with_given_name_behind(resume: ParsedResume, candidate: NameCandidate) -> NameCandidate:
    """The whole of "Koh Ban Seng, Richard"."""
    end = resume.ends[candidate.stop - 1]
    behind = _GIVEN_BEHIND.match(resume.text, end, end + 4)
    if behind is None or candidate.stop >= len(resume.folded):
        return candidate
    given = candidate.stop
    after = resume.ends[given]
    ends_cell = resume.text[after : after + 1] in ("", "\n", ",", ";", "(")
    if (
        ends_cell
        and resume.lexicon.is_given_name(resume.folded[given])
        and resume.starts[given] == behind.end()
    ):
        return NameCandidate(candidate.first, given + 1)
    return candidate
