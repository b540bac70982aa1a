"""Person names: found where resumes put them, then wherever else they stand.

1. The header, fields, signatures, reference blocks, titles ("Dr. ..."), introductions, relations.
2. Pairs of a given name and a surname of the lexicon in running text.
3. Echoes: the same names in the rest of the text, in file names and user names.

A name need not be in a lexicon: position, form and the e-mail address speak for it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from service.core.redaction.names.body import (
    Found,
    anchored_names,
    closing_names,
    prose_names,
    referee_names,
)
from service.core.redaction.names.candidates import NameForm, Run
from service.core.redaction.names.header import header_name
from service.core.redaction.names.mentions import echoes, spans_at
from service.core.redaction.names.words import GENERATIONS, PARTICLES
from service.core.redaction.policy import TOKENS
from service.core.redaction.spans import Span
from service.core.redaction.words import fold

_POSSESSIVE = re.compile(r"['’]s$")
_GENERATION = re.compile(
    r",?\s(?:Jr|Sr|II|III|IV)\b\.?|,\s(?:van|von|de)(?:\s(?:der?|den|het))?(?=\s*(?:$|[^\w\s]|\s\s))",
    re.MULTILINE,
)
"""What may follow: a generation, or the particle of a Dutch name that stands inverted."""

_MOST_CHUNKS = 60
"""Parts of e-mail addresses that initials are spelt out by: no candidate has as many."""


@dataclass(frozen=True, slots=True)
class Names:
    """`own`: parts of the candidate's name, folded, in the order found. `other_people`: how many others."""

    spans: list[Span]
    own: tuple[str, ...]
    other_people: int


def find_names(form: NameForm) -> Names:
    """Every person's name in a text."""
    own: dict[str, None] = {}
    others: dict[str, None] = {}
    places: dict[tuple[int, int], None] = {}
    other_people = 0
    for run, is_own in _all_found(form):
        parts = [fold(_POSSESSIVE.sub("", form.written[i])) for i in range(run.first, run.stop)]
        named = [
            p
            for i, p in enumerate(parts)
            if len(p) > 1 and (i == 0 or p not in PARTICLES) and p not in GENERATIONS
        ]
        if not is_own and not any(p in own for p in named) and not all(p in others for p in named):
            other_people += 1
        (own if is_own else others).update(dict.fromkeys(named))
        if is_own:
            own.update(dict.fromkeys(_spelt_out(form, parts)))
        places[_extent(form, run)] = None
    places.update(dict.fromkeys(echoes(form, list(own), others, list(places))))
    return Names(spans_at(places, TOKENS["name"]), tuple(own), other_people)


def _all_found(form: NameForm) -> Iterator[Found]:
    anchored = list(anchored_names(form))
    yield from (found for found in anchored if found.own)
    header = header_name(form)
    yield from (Found(run, own=True) for run in header)
    named = bool(header) or any(found.own for found in anchored)
    # A signature is the candidate's if nothing else says who that is.
    yield from (found._replace(own=found.own and not named) for found in closing_names(form))
    yield from referee_names(form)
    yield from (found for found in anchored if not found.own)
    yield from prose_names(form)


def _spelt_out(form: NameForm, parts: list[str]) -> Iterator[str]:
    """Initials in full: "D. Patel" with deepa.patel@ is Deepa, and the body may call her so."""
    for initial in (part for part in parts if len(part) == 1):
        for chunk in islice(form.chunks, _MOST_CHUNKS):
            for part in reversed(parts):  # "marijnvanrossum": the surname goes before its particle
                chunk = chunk.removeprefix(part).removesuffix(part) if len(part) > 2 else chunk
            if len(chunk) > 2 and chunk[0] == initial:
                yield chunk


def _extent(form: NameForm, run: Run) -> tuple[int, int]:
    """From the first word to the last, with the dot of an initial and "Jr.", without a possessive."""
    last, end = form.written[run.stop - 1], form.ends[run.stop - 1]
    if _POSSESSIVE.search(last):
        end -= 2
    if len(last) == 1 and form.text[end : end + 1] == ".":
        end += 1
    generation = _GENERATION.match(form.text[end : end + 12])
    return form.starts[run.first], end + generation.end() if generation else end
