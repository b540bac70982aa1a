"""Names outside the header: fields, introductions, signatures, references, titles, relations, prose."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import NameForm, Run
from service.core.redaction.names.context_cues import ORDER, Anchor
from service.core.redaction.names.words import STOP_WORDS
from service.core.redaction.policy import TOKENS

_BRACED = re.compile(r"\{([^{}\n]{1,60})\}")
_VALUE = re.compile(r"[^\n|;,\[:]{2,40}")
_OF_A_RELATIVE = re.compile(r"father|mother|spouse|husband|wife|guardian", re.IGNORECASE)
_SURE = re.compile(r"name|appelle|heiße|chiamo|llamo|called", re.IGNORECASE)
_YEAR_OR_PRESENT = re.compile(r"\b(?:19|20)\d\d\b|\b[Pp]resent\b")


class Found(NamedTuple):
    """A run that is a name. `own`: the candidate's."""

    run: Run
    own: bool


def anchored_names(form: NameForm) -> Iterator[Found]:
    """Names that an anchor announces, the sure kinds first."""
    placed = [
        (line.start, anchor)
        for line, known in zip(form.lines, form.facts, strict=True)
        for anchor in known.anchors
    ]
    for offset, anchor in sorted(placed, key=lambda pair: ORDER[pair[1].kind]):
        yield from _announced(form, anchor, offset)


def _announced(form: NameForm, anchor: Anchor, offset: int) -> Iterator[Found]:
    at = offset + anchor.end
    match anchor.kind:
        case "latex":
            for part in _BRACED.finditer(anchor.written):
                run = form.run_at(offset + anchor.start + part.start(1), most=6, strict=False)
                if run is not None and not form.holds_stop_word(run):
                    yield Found(run, own=True)
        case "label":
            run = form.run_at(at, most=6, strict=False)
            if run is None or form.holds_stop_word(run):
                run = _value(form, at)
            if run is not None:
                yield Found(run, own=not _OF_A_RELATIVE.search(anchor.written))
        case "person_label":
            yield from _if_name(form, form.run_at(at, most=5), need=1.0, own=False)
        case "introduction":
            sure = _SURE.search(anchor.written) is not None
            yield from _if_name(form, form.run_at(at, most=4), need=0.0 if sure else 2.0, own=True)
        case "honorific":
            yield from _if_name(form, form.run_at(at, most=4), need=0.0, own=False)
        case "relation" | "companion":
            run = form.run_at(at, most=4)
            if run is not None and len(run) >= 2:
                yield from _if_name(form, run, need=2.0 if anchor.kind == "relation" else 3.5, own=False)


def closing_names(form: NameForm) -> Iterator[Found]:
    """Signatures after "Sincerely" and the like, and a name that stands alone in the last line."""
    for i, known in enumerate(form.facts[:-1]):
        if known.closes:
            line = form.lines[i + 1]
            start = line.start + len(line.text) - len(line.text.lstrip())
            yield from _if_name(form, form.run_at(start, most=4), need=0.5, own=True)
    last = next((line for line in reversed(form.lines) if not line.heading), None)
    if last is not None and len(form.lines) > 3 and len(last.text) < 40:
        start = last.start + len(last.text) - len(last.text.lstrip(" \t(-–—~*_"))
        run = form.run_at(start, most=4)
        if run is not None and len(run) > 1:
            yield from _if_name(form, run, need=3.5, own=False)


def referee_names(form: NameForm) -> Iterator[Found]:
    """In a reference block every segment that looks like a name is one, the first of a line above all."""
    for line, known in zip(form.lines, form.facts, strict=True):
        if line.section != "references" or line.heading:
            continue
        first = True
        for start, end in known.segments:
            segment = line.text[start:end]
            if line.text[max(0, start - 9) : start].endswith((TOKENS["phone"], TOKENS["email"])):
                first = True  # the next person in a text without line breaks
            if f"[{segment.strip()}]" in TOKENS.values():
                continue
            lead = len(segment) - len(segment.lstrip(" .-–•\t'0123456789)"))
            run = form.run_at(line.start + start + lead, most=5)
            if run is None or form.holds_stop_word(run) or len(run) < 2:
                first = first and run is None
                continue
            yield from _if_name(form, run, need=-1.0 if first else 3.0, own=False)
            first = False


def prose_names(form: NameForm) -> Iterator[Found]:
    """Given name and surname side by side in prose; not in lists, and not where an employer stands."""
    line_starts = [line.start for line in form.lines]
    at, is_prose = -1, False
    for i in _given_names(form):
        place = bisect_right(line_starts, form.starts[i]) - 1
        if place != at:  # once a line: a long one holds thousands of names
            at, is_prose = place, _is_prose(form.lines[place])
        if not is_prose:
            continue
        if form.follows_preposition(i):
            continue
        run = form.run_at(form.starts[i], most=4)
        if run is not None and len(run) >= 2 and form.lexicon.is_surname(form.folded[run.stop - 1]):
            yield from _if_name(form, run, need=4.0, own=False)


def _given_names(form: NameForm) -> list[int]:
    """Indices of the words that could be given names."""
    known = form.lexicon.given_names
    return [
        i
        for i, folded in enumerate(form.folded)
        if folded in known
        and form.capitalised[i]
        and i not in form.protected
        and form.lexicon.is_given_name(folded)
    ]


def _if_name(form: NameForm, run: Run | None, *, need: float, own: bool) -> Iterator[Found]:
    if run is not None and form.is_name(run, need=need):
        yield Found(run, own)


def _value(form: NameForm, start: int) -> Run | None:
    """What follows "Name:" in small letters or in a script without capitals."""
    value = _VALUE.match(form.text, start, start + 41)
    if value is None or any(ch.isdigit() for ch in value[0]):
        return None
    inside = form.words_in(start, start + len(value[0].rstrip()))
    if not 1 <= len(inside) <= 5 or any(form.folded[i] in STOP_WORDS for i in inside):
        return None
    return Run(inside[0], inside[-1] + 1)


def _is_prose(line: Line) -> bool:
    if line.heading or (line.section == "experience" and _is_entry(line.text)):
        return False
    is_list = line.text.count(",") > 4 and line.section != "references" and "." not in line.text.strip()[:-1]
    return not is_list


def _is_entry(line: str) -> bool:
    """A line that names a post or an employer: short, or with years."""
    return len(line.split()) <= 8 or _YEAR_OR_PRESENT.search(line) is not None
