"""The hard facts that a posting asks for.

Read are its sentences (`posting_sentences`) without the boilerplate. Age, origin, religion, family and whether a
language is native are not read, and neither is the most that somebody may have of anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from service.core.posting_boilerplate import boilerplate_sentences
from service.core.posting_phrases import ROLE_HEADING, SECTION_HEADINGS
from service.core.posting_sentences import Sentence, sentences_of
from service.core.requirements.facts import Fact, facts_in
from service.core.requirements.kinds import MAX_REQUIREMENTS, MAX_TEXT, Requirement
from service.core.requirements.wording import PREFERRED, clause_at, is_required, small_letters

_READ = 1500
"""Characters of a sentence that are looked at."""

_ALSO_READ = {
    "header": ("shift", "place"),
    "legal": ("right_to_work",),
    "application": ("right_to_work", "place"),
}
"""What is read in sentences of boilerplate, by kind."""


def requirements_of(text: str) -> tuple[Requirement, ...]:
    """What a normalised posting asks for, in order, each fact once; at most `MAX_REQUIREMENTS`.

    Takes time that grows with the length of the text.
    """
    boilerplate = {span.start: span.kind for span in boilerplate_sentences(text)}
    found: dict[tuple[object, ...], Requirement] = {}
    by_default = True
    label = ""
    for sentence in sentences_of(text):
        small = small_letters(sentence.text[:_READ])
        kind = boilerplate.get(sentence.start)
        allowed = None if kind is None else _ALSO_READ.get(kind, ())
        if allowed == ():
            continue
        if _is_list_of_words(small):
            continue
        matches = [
            one
            for one in facts_in(sentence.text[:_READ], small, label)
            if allowed is None or one.kind in allowed
        ]
        label = small if sentence.label else ""
        opened = _opens(sentence, small, bool(matches))
        if opened is not None:
            by_default = opened
        for requirement in _requirements(sentence, small, matches, by_default=by_default):
            key = _key(requirement)
            known = found.get(key)
            if known is None or (requirement.required and not known.required):
                found[key] = requirement
    every = sorted(found.values(), key=lambda one: one.start)[:MAX_REQUIREMENTS]
    # "A master's, or a bachelor's and three years": who has the lowest of several may do.
    lowest = min((one.level for one in every if one.kind == "degree" and one.required), default=0)
    return tuple(
        replace(one, lenient=True) if one.kind == "degree" and one.required and one.level > lowest else one
        for one in every
    )


def _key(one: Requirement) -> tuple[object, ...]:
    """The same for what asks for the same fact."""
    says = (one.names, one.level, one.years, one.subject)
    return (one.kind, *says) if any(says) else (one.kind, one.text)


def _is_list_of_words(small: str) -> bool:
    """True for what is put below postings to be found by: "RN, nurse, nursing, hospital, ..."."""
    parts = small.count(",") + 1
    return parts > _WORDS_OF_LIST and len(small.split()) < _WORDS_BETWEEN_COMMAS * parts


_WORDS_OF_LIST = 14
_WORDS_BETWEEN_COMMAS = 3.2


def _opens(sentence: Sentence, small: str, holds: bool) -> bool | None:
    """Whether what follows is required (True) or preferred (False) if the sentence is a heading, else None."""
    words = len(small.split())
    if words > _WORDS_OF_HEADING or (holds and not sentence.label):
        return None
    if PREFERRED.search(small) and (sentence.label or _TOPIC.search(small)):
        return False
    if (
        ROLE_HEADING.match(small)
        or sentence.label
        or any(p.pattern.fullmatch(small) for _, p in SECTION_HEADINGS)
    ):
        return True
    return None


_WORDS_OF_HEADING = 7
_TOPIC = re.compile(
    r"qualifications?|skills?|requirements?|experience|education|attributes|competenc|certification"
)


def _requirements(
    sentence: Sentence, small: str, matches: list[Fact], *, by_default: bool
) -> Iterator[Requirement]:
    """The matches of a sentence with what it says about them; alternatives as one."""
    spans = [(one.start, one.end) for one in matches]
    for one in _with_alternatives(matches, small):
        default = by_default or one.kind in _WHATEVER_THE_HEADING
        required = is_required(small, one.start, one.end, spans, by_default=default)
        text, start = _excerpt(sentence.text, one.start, one.end)
        if one.kind == "language":
            text = _NATIVE.sub("", text)
        yield Requirement(
            kind=one.kind,
            text=text,
            start=sentence.start + start,
            required=required,
            names=one.names,
            level=one.level,
            fields=one.fields,
            years=one.years,
            subject=one.subject,
            lenient=one.lenient,
        )


_WHATEVER_THE_HEADING = ("right_to_work", "shift", "place")
_NATIVE = re.compile(
    r"\b(?:near[- ])?native(?:[- ]level)?(?: (?:or|and) (?:near[- ]native|bilingual)\b)?(?: (?:or|/) )?\s?|\bmother[- ]tongue\s?(?:in |is )?|\bfirst language\s?(?:is )?",
    re.IGNORECASE,
)
"""Whether a language was the first that somebody spoke tells their origin, and is nobody's business."""


def _with_alternatives(matches: list[Fact], small: str) -> Iterator[Fact]:
    """The matches in order, those that are joined by "or" as one."""
    joined: Fact | None = None
    for one in sorted(matches, key=lambda one: (one.start, -one.end)):
        if joined is None:
            joined = one
        elif one.kind == joined.kind and one.start < joined.end:
            if (
                one.kind in ("licence", "certification")
                and one.names != joined.names
                and one.end <= joined.end
            ):
                continue  # inside of a longer name
            joined = _either(joined, one) if one.kind == "degree" else joined
        elif _is_either(joined, one, small) or (
            one.kind == joined.kind == "degree" and one.start - joined.end < _NEXT_TO
        ):
            joined = _either(joined, one)
        else:
            yield joined
            joined = one
    if joined is not None:
        yield joined


def _is_either(first: Fact, second: Fact, small: str) -> bool:
    kinds = {first.kind, second.kind}
    if len(kinds) > 1 or not kinds <= {"licence", "certification", "degree", "language"}:
        return False
    between = small[first.end : second.start]
    if len(between) > _BETWEEN or re.search(r"[.;]|\band\b(?!/or)", between):
        return False
    if first.kind == "language":  # "Spanish/English interpreter" is to speak both
        return re.search(r"\bor\b", between) is not None
    if _OR.search(between):
        return True
    # "CPA, CMA or CFA"
    clause = clause_at(small, first.start, second.end)
    return (
        "," in between
        and len(between) < _BETWEEN_OF_LIST
        and bool(_OR.search(small[second.end : clause.end][:_BETWEEN]))
    )


_NEXT_TO = 4
_OR = re.compile(r"\bor\b|/|\band/or\b")
_BETWEEN = 60
_BETWEEN_OF_LIST = 15


def _either(first: Fact, second: Fact) -> Fact:
    levels = [level for level in (first.level, second.level) if level]
    return replace(
        first,
        end=max(first.end, second.end),
        names=tuple(dict.fromkeys((*first.names, *second.names))),
        level=min(levels, default=0),
        fields=tuple(dict.fromkeys((*first.fields, *second.fields))),
        lenient=first.lenient or second.lenient,
    )


def _excerpt(text: str, start: int, end: int) -> tuple[str, int]:
    """At most `MAX_TEXT` characters of a sentence around [start, end), cut between words, and where they begin."""
    if len(text) <= MAX_TEXT:
        return text, 0
    end = min(end, start + MAX_TEXT)
    first = max(0, min(start - (MAX_TEXT - (end - start)) // 2, len(text) - MAX_TEXT))
    last = first + MAX_TEXT
    if first:
        first = max(
            text.rfind(" ", 0, start) + 1
            if text.find(" ", first, start) < 0
            else text.find(" ", first, start) + 1,
            first,
        )
    if last < len(text):
        cut = text.rfind(" ", end, last)
        last = cut if cut > 0 else last
    return text[first:last], first
