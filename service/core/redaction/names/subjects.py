"""Names that begin a line and do what persons do: "Yen Le is a nurse"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.names.body import FoundName, found_if_name
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.word_lists import PLACES, STOP_WORDS, THING_NOUNS

_FIRM_BEHIND = re.compile(
    r"\b(?:compan(?:y|ies)|firm|provider|platform|manufacturer|retailer|brand|product|tool|library|framework|language|"
    r"software|agency|organi[sz]ation|start-?up|supplier|vendor|leader in|service|database)\b"
)
_PERSON_BEHIND = re.compile(
    r"^ (?:is|was) an? (?:[a-z-]{3,15},? ){0,3}(?:worker|professional|graduate|student|person|leader|team player|nurse|"
    r"teacher|engineer|developer|manager|analyst|accountant|designer|specialist|assistant|officer|technician|driver|"
    r"clerk|consultant|administrator|supervisor|cook|chef|cleaner|scientist|researcher|writer|lawyer)\b"
    r"|^ (?:has|brings|have) (?:[a-z+-]{1,12} ){0,4}(?:\d{1,2}\+? )?years\b|^,? who\b"
)


def subject_names(resume: ParsedResume, *, named: bool) -> Iterator[FoundName]:
    """Two names or more that begin a line and do what persons do: "Yen Le is a nurse".

    `named`: the candidate's name is known, so that another one needs a word that is surely a name.
    """
    for line in resume.lines:
        if line.heading or line.section in ("experience", "skills", "education"):
            continue
        start = line.start + len(line.text) - len(line.text.lstrip())
        candidate = resume.placed_candidate_at(start, most=5)
        if candidate is None or len(candidate) < 2 or not resume.precedes_person_verb(candidate):
            continue
        words = range(candidate.first, candidate.stop)
        end = resume.ends[candidate.stop - 1]
        if _FIRM_BEHIND.search(resume.text[end : end + 80]):
            continue
        tools = [i for i in words if i in resume.protected and len(resume.folded[i]) > 1]
        if not named and tools in ([], [words[-1]]) and _is_persons_subject(resume, candidate):
            yield FoundName(candidate, own=True, reason="name.subject")
            continue
        if any(i in resume.protected_phrases or not resume.is_rare_name(resume.folded[i]) for i in tools):
            continue
        if not named or any(resume.is_name_word(i) for i in words):
            yield from found_if_name(resume, candidate, "name.subject", need=1.0, own=not named, placed=True)


def _is_persons_subject(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True for "Wanjiru Samba is a careful worker": no firm or product has years of work or a post."""
    first, end = candidate.first, resume.ends[candidate.stop - 1]
    return (
        len(candidate) == 2
        and resume.folded[first] not in resume.lexicon.english
        and resume.folded[first] not in PLACES
        and not resume.written[first].isupper()
        and resume.folded[first + 1] not in PLACES
        and resume.folded[first + 1] not in STOP_WORDS
        and resume.folded[first + 1] not in THING_NOUNS
        and first + 1 not in resume.protected_phrases
        and _PERSON_BEHIND.search(resume.text[end : end + 90].split("\n", 1)[0]) is not None
    )
