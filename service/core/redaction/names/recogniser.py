"""The recogniser of persons' names: first where resumes put them, then wherever else the same names stand.

1. In the header (`header`), after context cues, as signatures and among references (`body`).
2. Pairs of a given name and a surname of the lexicon in running text (`body.prose_names`).
3. Mentions of all these in the rest of the text, in file names and user names (`mentions`).

A name need not be in a lexicon: its place, its form and the e-mail address are evidence too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from service.core.redaction.names.body import (
    FoundName,
    closing_names,
    cued_names,
    prose_names,
)
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.header import header_name
from service.core.redaction.names.mentions import find_mentions
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.page_names import page_names
from service.core.redaction.names.referees import referee_names
from service.core.redaction.names.second_resume import count_second_resumes, names_beside_addresses
from service.core.redaction.names.subjects import subject_names
from service.core.redaction.names.word_lists import GENERATIONS, PARTICLES
from service.core.redaction.policy import TOKENS
from service.core.redaction.spans import SURE, Span
from service.core.redaction.words import fold

_POSSESSIVE = re.compile(r"['’]s$")
_GENERATION = re.compile(
    r",?[ \t](?:[Jj]r|Sr|II|III|IV)\b\.?+(?! [A-Z])|,[ \t](?:van|von|de)(?:\s(?:der?|den|het))?(?=\s*(?:$|[^\w\s]|\s\s))",
    re.MULTILINE,
)
"""What may follow a name: a generation, or the particle of an inverted Dutch name ("Berg, van der")."""
_BEFORE_GENERATION = frozenset({",", " ", "\t"})

_MOST_CONTACT_WORDS = 60
"""Words of e-mail addresses that are tried for each initial: nobody has as many."""


@dataclass(frozen=True, slots=True)
class FoundNames:
    """`own`: parts of the candidate's name, folded, in the order found. `other_people`: how many others.

    `other_candidates`: how many of those have a resume of their own in the text.
    """

    spans: list[Span]
    own: tuple[str, ...]
    other_people: int
    other_candidates: int = 0


def find_names(resume: ParsedResume, more: Iterable[FoundName] = ()) -> FoundNames:
    """Every person's name in a text, and which of them is the candidate's. `more`: found by other rules."""
    own: dict[str, None] = {}
    others: dict[str, None] = {}
    places: dict[tuple[int, int], str] = {}
    whole: dict[tuple[str, ...], None] = {}
    other_people = 0
    first_own: frozenset[str] = frozenset()
    all_found: list[FoundName] = []
    read: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    read_as_own: set[tuple[str, ...]] = set()
    for name in chain(_found_in_order(resume), more):
        candidate, is_own, reason, spreads = name
        all_found.append(name)
        written = tuple(resume.written[candidate.first : candidate.stop])
        if written not in read:  # one line may hold a name thousands of times
            read[written] = _parts_of(written)
        parts, named = read[written]
        if not is_own and not any(p in own for p in named) and not all(p in others for p in named):
            other_people += 1
        if is_own or spreads:
            (own if is_own else others).update(dict.fromkeys(named))
        if is_own:
            first_own = first_own or frozenset(named)
            if 2 <= len(parts) <= 6:
                whole[tuple(parts)] = None
            if written not in read_as_own:
                read_as_own.add(written)
                own.update(dict.fromkeys(_given_names_of_initials(resume, parts)))
            own.update(dict.fromkeys(_spaced_parts(resume, candidate)))
        places.setdefault(_extent(resume, candidate), reason)
    for place in find_mentions(resume, list(own), others, list(places), whole):
        places.setdefault(place, "name.mention")
    spans = [
        Span(start, end, "name", TOKENS["name"], SURE, reason) for (start, end), reason in places.items()
    ]
    second = count_second_resumes(resume, all_found, first_own)
    return FoundNames(spans, tuple(own), other_people, second)


def _found_in_order(resume: ParsedResume) -> Iterator[FoundName]:
    cued = list(cued_names(resume))
    yield from (found for found in cued if found.own)
    header = header_name(resume)
    yield from (FoundName(candidate, own=True, reason="name.header") for candidate in header)
    named = bool(header) or any(found.own for found in cued)
    pages = list(page_names(resume, named=named))
    yield from pages
    named = named or any(found.own for found in pages)
    yield from subject_names(resume, named=named)
    # A signature is the candidate's if nothing else says who that is.
    yield from (found._replace(own=found.own and not named) for found in closing_names(resume))
    # The candidate's own name is known by now, and better: here a post may still hang on to it.
    heads = [*header, *(found.candidate for found in cued if found.own)]
    own_words = {i for head in heads for i in range(head.first, head.stop)}
    for found in names_beside_addresses(resume):
        if own_words.isdisjoint(range(found.candidate.first, found.candidate.stop)):
            yield found
    yield from referee_names(resume)
    yield from (found for found in cued if not found.own)
    line_starts = [line.start for line in resume.lines]
    for found in prose_names(resume):
        if not named and _opens_contact_data(resume, found.candidate, line_starts):
            found, named = found._replace(own=True), True
        yield found


def _opens_contact_data(resume: ParsedResume, candidate: NameCandidate, line_starts: list[int]) -> bool:
    """True if a name follows a gap and an address or a number comes next: a header in the middle of a text."""
    start, end = resume.starts[candidate.first], resume.ends[candidate.stop - 1]
    before = resume.text[max(0, start - 2) : start]
    line = resume.lines[max(0, bisect_right(line_starts, start) - 1)]
    return (
        line.section not in ("references", "experience", "education", "skills")
        and (not before or before in ("  ", "\n\n") or before.endswith("\n"))
        and resume.holds_excluded(end, end + 6)
    )


def _parts_of(written: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of a name folded, and those of them that name somebody."""
    parts = [fold(_POSSESSIVE.sub("", word)) for word in written]
    return parts, [
        p
        for i, p in enumerate(parts)
        if len(p) > 1
        and (i in (0, len(parts) - 1) or p not in PARTICLES)  # "Le" is a surname at the end only
        and p not in GENERATIONS
    ]


def _given_names_of_initials(resume: ParsedResume, parts: list[str]) -> Iterator[str]:
    """Initials in full: "D. Patel" with deepa.patel@ is Deepa, and the body may call her so."""
    for initial in (part for part in parts if len(part) == 1):
        for word in islice(resume.contact_words, _MOST_CONTACT_WORDS):
            for part in reversed(parts):  # "marijnvanrossum": the surname goes before its particle
                word = word.removeprefix(part).removesuffix(part) if len(part) > 2 else word
            if len(word) > 2 and word[0] == initial:
                yield word


def _spaced_parts(resume: ParsedResume, candidate: NameCandidate) -> Iterator[str]:
    """The names whose letters stand apart: "jane" and "doe" of "J A N E  D O E"."""
    letters = range(candidate.first, candidate.stop)
    if len(letters) < 3 or any(len(resume.folded[i]) > 1 for i in letters):
        return
    part = resume.folded[candidate.first]
    for i in letters[1:]:
        if resume.starts[i] - resume.ends[i - 1] > 1:
            yield part
            part = ""
        part += resume.folded[i]
    yield part


def _extent(resume: ParsedResume, candidate: NameCandidate) -> tuple[int, int]:
    """From the first word to the last, with the dot of an initial and "Jr.", without a possessive."""
    last, end = resume.written[candidate.stop - 1], resume.ends[candidate.stop - 1]
    if last.endswith(("'s", "’s")):
        end -= 2
    if len(last) == 1 and resume.text[end : end + 1] == ".":
        end += 1
    if resume.closes_nickname(candidate):
        end += 1
    generation = None
    if resume.text[end : end + 1] in _BEFORE_GENERATION:
        generation = _GENERATION.match(resume.text[end : end + 12])
    return resume.starts[candidate.first], end + generation.end() if generation else end
