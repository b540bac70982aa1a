"""Every recogniser but that of names (`names.recogniser`), by how much of the text it looks at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.core.redaction.address_lines import address_lines
from service.core.redaction.affinity_groups import AFFINITY_GROUPS
from service.core.redaction.age_and_family import AGE, FAMILY
from service.core.redaction.education_cells import schools_behind_degree
from service.core.redaction.emails_and_links import EMAILS, LINKS, links_in_line
from service.core.redaction.gender import OCCUPATIONS, PRONOUNS, TITLES
from service.core.redaction.graduation_years import GRADUATION_YEARS, graduation_years_in_line
from service.core.redaction.handles import handles_in_line, handles_of_resume
from service.core.redaction.identity_numbers import NAMED_NUMBERS, NUMBER_FORMS
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.origin_and_religion import ORIGIN, RELIGION
from service.core.redaction.phone_numbers import PHONES
from service.core.redaction.photos import PHOTOS
from service.core.redaction.postal_addresses import (
    NAMED_POSTCODES,
    POSTCODES,
    RESIDENCES,
    addresses_in_line,
)
from service.core.redaction.prefilter import PrefilterSet, PrefilterText, Recogniser, prefilter_text
from service.core.redaction.schools import SCHOOL_PREFILTER, find_schools, schools_in_line
from service.core.redaction.spans import Span
from service.core.redaction.streets import EUROPEAN_STREETS, OTHER_STREETS, STREETS
from service.core.redaction.words import Words

LINE_RECOGNISERS: tuple[Recogniser, ...] = (
    EMAILS,
    LINKS,
    PHONES,
    NAMED_NUMBERS,
    NUMBER_FORMS,
    POSTCODES,
    STREETS,
    EUROPEAN_STREETS,
    OTHER_STREETS,
    NAMED_POSTCODES,
    PRONOUNS,
    TITLES,
)
"""For entities that never go over the end of a line."""

PARAGRAPH_RECOGNISERS: tuple[Recogniser, ...] = (
    PHOTOS,
    GRADUATION_YEARS,
    RESIDENCES,
    FAMILY,
    AGE,
    ORIGIN,
    RELIGION,
    AFFINITY_GROUPS,
    OCCUPATIONS,
)
"""For phrases, which a line break may cut in two."""


LINE_PREFILTERS = PrefilterSet([recogniser.prefilter for recogniser in LINE_RECOGNISERS])
PARAGRAPH_PREFILTERS = PrefilterSet(
    [*(recogniser.prefilter for recogniser in PARAGRAPH_RECOGNISERS), SCHOOL_PREFILTER]
)


def find_in_line(
    text: str, seen: PrefilterText, substrings: Sequence[tuple[str, int]] | None = None
) -> Iterator[Span]:
    """What a line holds, wherever it stands. `seen`: what prefilters look at in it.

    `substrings`: those of `LINE_PREFILTERS` that stand in the paragraph of the line.
    """
    for i in LINE_PREFILTERS.passed(seen, substrings):
        yield from LINE_RECOGNISERS[i].find(text)


def find_in_paragraph(
    text: str, words: Words, lexicon: Lexicon, substrings: Sequence[tuple[str, int]] | None = None
) -> Iterator[Span]:
    """What a paragraph holds beside what its lines hold. `words` are its own.

    `substrings`: those of `PARAGRAPH_PREFILTERS` that stand in the text of the paragraph.
    """
    passed = PARAGRAPH_PREFILTERS.passed(prefilter_text(text, words), substrings)
    by_pattern = len(PARAGRAPH_RECOGNISERS) in passed
    for i in passed[:-1] if by_pattern else passed:
        yield from PARAGRAPH_RECOGNISERS[i].find(text)
    yield from find_schools(text, words, lexicon, by_pattern=by_pattern)


def find_by_section(line: Line, words: Words, seen: PrefilterText, lexicon: Lexicon) -> Iterator[Span]:
    """What depends on the section that a line stands in. `words`, `seen` and offsets are those of the line."""
    yield from links_in_line(line, seen)
    yield from handles_in_line(line, seen, lexicon)
    yield from addresses_in_line(line, seen)
    yield from schools_in_line(line, words, seen, lexicon)
    yield from schools_behind_degree(line, lexicon)
    yield from graduation_years_in_line(line)


def find_by_layout(
    text: str, lines: Sequence[Line], found: Sequence[Span], lexicon: Lexicon
) -> Iterator[Span]:
    """What only other lines show. `found`: what was found so far in `text`, which `lines` are of."""
    yield from handles_of_resume(text, lines, found, lexicon)
    yield from address_lines(lines, found)
