"""Names that were found once, found again: in the body, in initials, in file names and user names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from service.core.redaction.name_form import PLACES, NameForm
from service.core.redaction.name_words import LEADING_PARTICLES, PARTICLES, ROLE_WORDS
from service.core.redaction.spans import Span

_INITIALS_BEFORE = re.compile(r"\b(?:[A-Z]\.\s?){1,3}$")
_INITIALS_AFTER = re.compile(r",?\s(?:[A-Z]\.){1,3}")


def echoes(
    form: NameForm, own: Sequence[str], others: Collection[str], found: Collection[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Places [start, end) of parts of the names. `own`: the candidate's, folded, in order.

    A part that is a word, a place or a tool too (Grace, Austin, Jenkins) counts only beside another
    part of the name or where it stands for a person.
    """
    parts = {part for part in own if len(part) > 1}
    initials = {part[0] for part in parts}
    starts, ends = {start for start, _ in found}, {end for _, end in found}
    yield from _together(form, parts)
    for i, word in enumerate(form.words):
        folded = form.folded[i]
        mine = folded in parts
        if not (mine or folded in others) or not word.capitalised or form.is_taken(word.start):
            continue
        ambiguous = _is_ambiguous(form, i)
        beside = mine and _is_beside(form, i, parts, starts, ends)
        if ambiguous and not beside and not form.stands_for_person(i):
            continue
        start, end = _with_particles(form, i), word.end
        before = _INITIALS_BEFORE.search(form.text[max(0, start - 12) : start])
        if before is not None and before[0][0].lower() in initials:
            start -= len(before[0])
        after = _INITIALS_AFTER.match(form.text[end : end + 10])
        if after is not None and not ambiguous and re.sub(r"\W", "", after[0])[0].lower() in initials:
            end += len(after[0])
        yield start, end
    yield from _dotted_initials(form.text, own)
    yield from _file_names(form, [part for part in own if len(part) > 2])


def _with_particles(form: NameForm, i: int) -> int:
    """Where the name begins: at word `i`, or at the particles before it."""
    start = form.words[i].start
    while i > 0 and form.folded[i - 1] in LEADING_PARTICLES:
        if form.text[form.words[i - 1].end : start] not in (" ", " '", " ’"):
            break
        i -= 1
        start = form.words[i].start
    return start


def _together(form: NameForm, parts: set[str]) -> Iterator[tuple[int, int]]:
    """Two parts of the name or more, with nothing but particles between them: "Dean de la Cruz"."""
    first: int | None = None
    last = count = 0
    for i, word in enumerate(form.words):
        joined = first is not None and form.text[form.words[i - 1].end : word.start] in (" ", "-", " '", " ’")
        if first is not None and not (joined and (form.folded[i] in parts or form.folded[i] in PARTICLES)):
            if count > 1:
                yield form.words[first].start, form.words[last].end
            first, count = None, 0
        if form.folded[i] in parts and word.capitalised:
            first = i if first is None else first
            last, count = i, count + 1
    if first is not None and count > 1:
        yield form.words[first].start, form.words[last].end


def _is_ambiguous(form: NameForm, i: int) -> bool:
    folded = form.folded[i]
    return (
        form.lexicon.is_ambiguous(folded) or folded in ROLE_WORDS or folded in PLACES or i in form.protected
    )


def _is_beside(form: NameForm, i: int, parts: set[str], starts: set[int], ends: set[int]) -> bool:
    """True if another part of the name stands next to word `i`, one space or hyphen away."""
    word, words, folded = form.words[i], form.words, form.folded
    if form.text[word.end : word.end + 1] in (" ", "-"):
        following = i + 1 < len(words) and words[i + 1].start == word.end + 1 and folded[i + 1] in parts
        if following or word.end + 1 in starts:
            return True
    if form.text[word.start - 1 : word.start] not in (" ", "-"):
        return False
    preceding = i > 0 and words[i - 1].end == word.start - 1 and folded[i - 1] in parts
    return word.start - 1 in ends or (preceding and words[i - 1].capitalised)


def _dotted_initials(text: str, own: Sequence[str]) -> Iterator[tuple[int, int]]:
    """J.R.O. for a name of three parts."""
    letters = [part[0].upper() for part in own]
    if 2 <= len(letters) <= 4 and all(letter.isalpha() for letter in letters):
        dotted = r"\.\s?".join(map(re.escape, letters)) + r"\."
        for match in re.finditer(rf"(?<![\w.]){dotted}(?!\w)", text):
            yield match.span()


def _file_names(form: NameForm, own: Sequence[str]) -> Iterator[tuple[int, int]]:
    """jane_doe_resume.pdf, and user names such as janedoe or jdoe."""
    for line, known in zip(form.lines, form.facts, strict=True):
        for file in known.files:
            if file.of_resume or any(part in file.plain for part in own):
                yield line.start + file.start, line.start + file.end
        if len(own) < 2:
            continue
        full, short = (own[0] + own[-1], own[-1] + own[0]), own[0][0] + own[-1]
        for start, end, plain in known.user_names:
            if any(name in plain for name in full) or (len(short) > 4 and plain.startswith(short)):
                yield line.start + start, line.start + end


def spans_at(places: Collection[tuple[int, int]], token: str) -> list[Span]:
    """Places as spans of names."""
    return [Span(start, end, "name", token) for start, end in places]
