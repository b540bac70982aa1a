"""Mentions of names that were found elsewhere: in the body, as initials, in file names and user names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.line_features import user_names_of
from service.core.redaction.names.word_lists import (
    CREDENTIALS,
    LEADING_PARTICLES,
    MONTHS,
    PARTICLES,
    PLACES,
    STOP_WORDS,
)

_INITIALS_BEFORE = re.compile(r"\b(?:[A-Z]\.\s?){1,3}$")
_INITIALS_AFTER = re.compile(r",?\s(?:[A-Z]\.){1,3}")

_INITIAL_OF_AUTHOR = re.compile(r",? ([A-Z])\.(?:[A-Z]\.){0,2}(?=[,;&) \n]|$)")
_SPOKEN_OF_BEFORE = re.compile(
    r"\b(?:worked with|working with|work with|hire|hired|recommend|recommended|know|known|knew|met|managed|supervised|"
    r"mentored|taught|trained|thank) $"
)
_SPOKEN_OF_BEHIND = re.compile(
    r"[.,!;]?(?:\s(?:for|again|as|to|and|since|when|at|on|in|because|during|who)\b|[\"”]|$|\n)"
)
_MOST_WHOLE_NAMES = 8
"""Ways in which a resume writes its owner's name; a text with more is none."""

_MOST_PARTICLES = 8
"""Before one name: "de la" and the like."""

_JOINTS = (" ", "  ", "-", " '", " ’")
_NICKNAME_JOINTS = (" (", ") ", ' "', '" ', " “", "” ")
_INITIAL_JOINTS = (". ", ".")


def find_mentions(
    resume: ParsedResume,
    own: Sequence[str],
    others: Collection[str],
    found: Collection[tuple[int, int]],
    whole: Collection[tuple[str, ...]] = (),
) -> Iterator[tuple[int, int]]:
    """Places [start, end) of parts of the names. `own`: the candidate's, folded, in order. `found`: known places.

    `whole`: the candidate's name, folded, as it was found, initials included.
    A part that is a word, a place or a tool too (Grace, Austin, Jenkins) counts only beside another
    part of the name or where the sentence is about a person.
    """
    parts = {part for part in own if len(part) > 1}
    initials = {part[0] for part in parts}
    by_initial: dict[str, set[str]] = {}
    for part in own:
        by_initial.setdefault(part[:1], set()).add(part)
    ambiguous_words: dict[str, bool] = {}
    starts, ends = {start for start, _ in found}, {end for _, end in found}
    yield from _whole_names(resume, whole)
    yield from _multi_part_mentions(resume, parts, own)
    wanted = parts.union(others)
    for i in [i for i, folded in enumerate(resume.folded) if folded in wanted]:
        if not resume.capitalised[i] or resume.is_excluded(resume.starts[i]):
            continue
        folded = resume.folded[i]
        if folded not in ambiguous_words:
            ambiguous_words[folded] = _is_ambiguous(resume, folded)
        ambiguous = ambiguous_words[folded] or i in resume.protected
        # Asked of ambiguous words only: a text may hold thousands of mentions.
        beside = (ambiguous and folded in parts) and (
            _is_beside(resume, i, parts, starts, ends)
            or _follows_initial(resume, i, own, by_initial)
            or _precedes_initial(resume, i, own, by_initial)
            or _is_spoken_of(resume, i)
        )
        if ambiguous and not beside and not resume.refers_to_person(i):
            continue
        start, end = _start_with_particles(resume, i), resume.ends[i]
        if initials:
            before = _INITIALS_BEFORE.search(resume.text[max(0, start - 12) : start])
            if before is not None and before[0][0].lower() in initials:
                start -= len(before[0])
            after = _INITIALS_AFTER.match(resume.text[end : end + 10])
            if (
                after is not None
                and (beside or not ambiguous)
                and re.sub(r"\W", "", after[0])[0].lower() in initials
            ):
                end += len(after[0])
        yield start, end
    yield from _dotted_initials(resume.text, own)
    yield from _file_and_user_names(resume, [part for part in own if len(part) > 2])


def _whole_names(resume: ParsedResume, names: Collection[tuple[str, ...]]) -> Iterator[tuple[int, int]]:
    """Where all words of one of `names` stand again, with the dot of an initial at the end."""
    if len(names) > _MOST_WHOLE_NAMES:
        return
    folded, starts, ends = resume.folded, resume.starts, resume.ends
    firsts = {name[0] for name in names}
    for i in [i for i, word in enumerate(folded) if word in firsts]:
        for name in names if resume.capitalised[i] else ():
            stop = i + len(name)
            if tuple(folded[i:stop]) != name:
                continue
            gaps = (resume.text[ends[j] : starts[j + 1]] for j in range(i, stop - 1))
            if any(gap.strip(" .-'’()\"“”") for gap in gaps):
                continue
            end = ends[stop - 1]
            yield starts[i], end + (len(name[-1]) == 1 and resume.text[end : end + 1] == ".")


def _start_with_particles(resume: ParsedResume, i: int) -> int:
    """Where the name begins: at word `i`, or at the particles before it."""
    start = resume.starts[i]
    for before in range(i - 1, max(-1, i - 1 - _MOST_PARTICLES), -1):
        gap = resume.text[resume.ends[before] : start]
        hyphened = gap == "-" and resume.folded[before] in PARTICLES  # "Ben-Ami"
        if not hyphened and (resume.folded[before] not in LEADING_PARTICLES or gap not in (" ", " '", " ’")):
            break
        start = resume.starts[before]
    return start


def _multi_part_mentions(
    resume: ParsedResume, parts: set[str], own: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Two parts of the name or more, with particles, initials, nicknames or a comma between: "Dean de la Cruz"."""
    letters = {part[0] for part in own if part}
    free = 0  # the first word that was not looked at yet
    for first in [i for i, folded in enumerate(resume.folded) if folded in parts]:
        if first < free or not resume.capitalised[first]:
            continue
        last, count, free = first, 1, first + 1
        while free < len(resume.folded):
            mine = resume.folded[free] in parts
            initial = len(resume.written[free]) == 1 and resume.capitalised[free]
            between = resume.text[resume.ends[free - 1] : resume.starts[free]]
            joined = between in _JOINTS or (
                between in _INITIAL_JOINTS and len(resume.written[free - 1]) == 1 and (mine or initial)
            )
            inverted = between == ", " and (resume.folded[free - 1], resume.folded[free]) == (own[-1], own[0])
            nickname = mine and (inverted or between in _NICKNAME_JOINTS)
            if not nickname and (not joined or not (mine or initial or resume.folded[free] in PARTICLES)):
                break
            if mine and (resume.capitalised[free] or between == "-"):
                last, count = free, count + 1
            free += 1
        if count > 1:
            yield _start_with_initials(resume, first, letters), resume.ends[last]


def _start_with_initials(resume: ParsedResume, i: int, letters: set[str]) -> int:
    start = resume.starts[i]
    before = _INITIALS_BEFORE.search(resume.text[max(0, start - 12) : start])
    return start - len(before[0]) if before is not None and before[0][0].lower() in letters else start


def _is_ambiguous(resume: ParsedResume, folded: str) -> bool:
    return (
        resume.lexicon.is_ambiguous(folded)
        or folded in STOP_WORDS
        or folded in PLACES
        or folded in CREDENTIALS
        or folded in MONTHS
        or folded in PARTICLES
    )


def _has_initial(by_initial: Mapping[str, Collection[str]], letter: str, but: str) -> bool:
    """True if a part of the name other than `but` begins with `letter`."""
    parts = by_initial.get(letter, ())
    return len(parts) > (but in parts)


def _follows_initial(
    resume: ParsedResume, i: int, own: Sequence[str], by_initial: Mapping[str, Collection[str]]
) -> bool:
    """True for "D. Park" and "C. D. Park" if these are the candidate's initials, and Park is no given name."""
    start = resume.starts[i]
    before = _INITIALS_BEFORE.search(resume.text[max(0, start - 12) : start])
    return (
        before is not None
        and len(own) > 1
        and resume.folded[i] != own[0]
        and _has_initial(by_initial, before[0][0].lower(), resume.folded[i])
    )


def _precedes_initial(
    resume: ParsedResume, i: int, own: Sequence[str], by_initial: Mapping[str, Collection[str]]
) -> bool:
    """True for "Cash S." and "Cash, S.", as authors are listed, if these are the candidate's surname and initial."""
    end = resume.ends[i]
    after = _INITIAL_OF_AUTHOR.match(resume.text, end, end + 12)
    return after is not None and len(own) > 1 and _has_initial(by_initial, after[1].lower(), resume.folded[i])


def _is_spoken_of(resume: ParsedResume, i: int) -> bool:
    """True for the given name in "I worked with Loan for three years"."""
    start, end = resume.starts[i], resume.ends[i]
    return (
        _SPOKEN_OF_BEFORE.search(resume.text[max(0, start - 20) : start]) is not None
        and _SPOKEN_OF_BEHIND.match(resume.text, end, end + 10) is not None
    )


def _is_beside(resume: ParsedResume, i: int, parts: set[str], starts: set[int], ends: set[int]) -> bool:
    """True if another part of the name stands next to word `i`, one space or hyphen away."""
    start, end, folded = resume.starts[i], resume.ends[i], resume.folded
    if resume.text[end : end + 1] in (" ", "-"):
        following = i + 1 < len(folded) and resume.starts[i + 1] == end + 1 and folded[i + 1] in parts
        if following or end + 1 in starts:
            return True
    if resume.text[start - 1 : start] not in (" ", "-"):
        return False
    preceding = i > 0 and resume.ends[i - 1] == start - 1 and folded[i - 1] in parts
    return start - 1 in ends or (preceding and resume.capitalised[i - 1])


def _dotted_initials(text: str, own: Sequence[str]) -> Iterator[tuple[int, int]]:
    """J.R.O. for a name of three parts; "J.R. Wolcott" is another person, or a firm."""
    letters = [part[0].upper() for part in own]
    if not 2 <= len(letters) <= 4 or not all(f"{letter}." in text for letter in letters):
        return  # compiling a pattern takes longer than searching with it
    if all(letter.isalpha() for letter in letters):
        dotted = r"\.\s?".join(map(re.escape, letters)) + r"\."
        for match in re.finditer(rf"(?<![\w.]){dotted}(?!\w|\s[A-Z][a-z])", text):
            yield match.span()


def _file_and_user_names(resume: ParsedResume, own: Sequence[str]) -> Iterator[tuple[int, int]]:
    """jane_doe_resume.pdf, and user names such as janedoe or jdoe."""
    by_length: dict[int, set[str]] = {}
    for part in own:
        by_length.setdefault(len(part), set()).add(part)
    for line, features in zip(resume.lines, resume.features, strict=True):
        for file in features.files:
            if file.of_resume or _holds_one_of(file.plain, by_length):
                yield line.start + file.start, line.start + file.end
        if len(own) < 2:
            continue
        full, short = (own[0] + own[-1], own[-1] + own[0]), own[0][0] + own[-1]
        if not features.may_hold_user_name((short, *full)):
            continue
        for start, end, plain in user_names_of(line.text):
            if any(name in plain for name in full) or (len(short) > 4 and plain.startswith(short)):
                yield line.start + start, line.start + end


def _holds_one_of(text: str, by_length: Mapping[int, Collection[str]]) -> bool:
    """True if one of the parts stands in `text`, which is short; there may be thousands of them."""
    return any(
        text[i : i + length] in parts
        for length, parts in by_length.items()
        for i in range(len(text) - length + 1)
    )
