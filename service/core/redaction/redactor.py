"""The redactor: text in, text without what the model may not see out, and counts of what was hidden."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from types import MappingProxyType

from service.core.errors import UnreadableTextError
from service.core.redaction.cache import RedactionCache
from service.core.redaction.education import find_in_education
from service.core.redaction.given import name_parts
from service.core.redaction.json_resume import read_json
from service.core.redaction.layout import lines_of
from service.core.redaction.name_places import NAME_PLACES, may_hold_a_name, names_anywhere
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.ner import EntityFinder
from service.core.redaction.names.recogniser import FoundNames, find_names
from service.core.redaction.personal_fields import find_personal_fields
from service.core.redaction.policy import CATEGORIES, TOKENS, Category
from service.core.redaction.prefilter import SubstringsOfText
from service.core.redaction.recognisers import find_by_layout
from service.core.redaction.resolution import resolve
from service.core.redaction.school_employers import without_employers
from service.core.redaction.spans import PLACEHOLDER, HiddenSpans, Span, replace, shifted, without_overlaps
from service.core.redaction.words import Words

MOST_PASSES = 10
"""Resumes take one or two; text that takes one for every few characters would hold up the service."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """`counts`: how many spans of each category were hidden, those with none left out.

    `has_own_name`: a name was found where the candidate's stands. `other_people`: how many names of others;
    `other_candidates`: how many of them have a resume of their own in the text.
    `spans`: what was hidden, by its places in the text that was given: they point at personal data, never log them.
    """

    text: str
    counts: dict[Category, int]
    has_own_name: bool
    other_people: int
    spans: list[Span]
    other_candidates: int = 0


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one pass finds. `spans` are in order and apart; they point at personal data: never log them.

    `own_name`: the parts of the candidate's name, folded, in order. `other_people`: names of others.
    """

    spans: list[Span]
    own_name: tuple[str, ...]
    other_people: int
    other_candidates: int = 0


class Redactor:
    """Hides the given categories by rules and lexicons, and names by `entities` too if given.

    `names_alone`: of these categories only what may hold a person's name (`name_places`).
    """

    def __init__(
        self,
        categories: Collection[Category] = CATEGORIES,
        *,
        entities: EntityFinder | None = None,
        names_alone: bool = False,
    ) -> None:
        self.categories = frozenset(categories)
        self._entities = entities
        self._names_alone = names_alone

    def with_categories(self, categories: Collection[Category]) -> Redactor:
        """The same redactor for other categories."""
        return Redactor(categories, entities=self._entities)

    def of_names_alone(self) -> Redactor:
        """One that hides names and what is made of them: for resumes that are not to be redacted."""
        return Redactor(NAME_PLACES, entities=self._entities, names_alone=True)

    def redact(self, text: str, *, field: str = "resume", given: Sequence[Span] = ()) -> Redacted:
        """Redact normalised `text`. Redacting the result again changes nothing.

        `given`: spans that a caller named (`given.find_given`), hidden whatever `categories` says. Raises `UnreadableTextError`, which names `field`, if that takes more than `MOST_PASSES` passes.
        """
        return self._redact(text, field, RedactionCache(), {}, given)

    def redact_all(
        self,
        texts: Iterable[str],
        cache: RedactionCache | None = None,
        given: Mapping[str, Sequence[Span]] = MappingProxyType({}),
    ) -> Iterator[Redacted]:
        """As `redact` of each, with the spans `given` for it, but what several texts share is searched once."""
        cache = cache or RedactionCache()
        analyses: dict[str, Analysis] = {}
        for text in texts:
            yield self._redact(text, "resume", cache, analyses, given.get(text, ()))

    def analyse(self, text: str, cache: RedactionCache | None = None, given: Sequence[Span] = ()) -> Analysis:
        """What one pass over normalised `text` finds."""
        return self._analyse(text, cache or RedactionCache(), given)

    def _redact(
        self,
        text: str,
        field: str,
        cache: RedactionCache,
        analyses: dict[str, Analysis],
        given: Sequence[Span],
    ) -> Redacted:
        # A pattern may match only once the span beside it is a token ("[SCHOOL], 2012"), so passes are made
        # until one finds nothing. Each pass hides characters, so there is a last one.
        hidden = HiddenSpans()
        first = analysis = self._analyse(text, cache, given)
        passes = 0
        while analysis.spans:
            passes += 1
            if passes > MOST_PASSES:
                raise UnreadableTextError(
                    f"{field} cannot be redacted: after {MOST_PASSES} passes something was still found to hide",
                    field=field,
                    limit=MOST_PASSES,
                )
            hidden.add(analysis.spans)
            text = replace(text, analysis.spans)
            if text not in analyses:  # variants of one resume are one text from the second pass on
                analyses[text] = self._analyse(text, cache)
            analysis = analyses[text]
        counts = Counter(span.category for span in hidden.spans)
        return Redacted(
            text,
            {category: counts[category] for category in CATEGORIES if counts[category]},
            has_own_name=bool(first.own_name),
            other_people=first.other_people,
            other_candidates=first.other_candidates,
            spans=hidden.spans,
        )

    def _analyse(self, text: str, cache: RedactionCache, given: Sequence[Span] = ()) -> Analysis:
        json = read_json(text)
        if json is None:
            return self._analyse_text(text, cache, given)
        found = self._analyse_text(json.text, cache, ())
        spans = self._wanted(json.to_source(found.spans, found.own_name, self.categories), text)
        return replace_fields(
            found,
            spans=without_overlaps([*spans, *given]),
            own_name=tuple(dict.fromkeys((*name_parts(text, given), *found.own_name))),
        )

    def _analyse_text(self, text: str, cache: RedactionCache, given: Sequence[Span]) -> Analysis:
        words = Words()
        found: list[Span] = []
        substrings = SubstringsOfText(text)
        for start, paragraph in _paragraphs(text):
            read = cache.paragraph(paragraph, substrings)
            words.add(read.words, start)
            found += shifted(read.spans, start)
        lines = lines_of(text, cache.segments_of)
        for line in lines:
            found += shifted(cache.spans_in(line), line.start)
        features = [cache.features_of(line.text) for line in lines]
        found += find_in_education(lines, text, cache.lexicon)
        found = without_employers(found, text, lines, cache.lexicon)
        found += find_personal_fields(lines, [one.words for one in features])
        found += list(find_by_layout(text, lines, found, cache.lexicon))
        names = FoundNames([], (), 0)
        if "name" in self.categories:
            excluded = [span for span in found if span.category in _NO_NAMES_INSIDE]
            resume = ParsedResume(text, lines, words, cache.lexicon, excluded, features)
            anywhere = names_anywhere(resume) if self._names_alone else ()
            names = find_names(resume, anywhere)
            found += names.spans
            if self._entities is not None:
                found += self._entities.find(text)
        placeholders = _Placeholders(match.span() for match in PLACEHOLDER.finditer(text))
        wanted = [*self._wanted(found, text), *given]
        return Analysis(
            resolve((clipped for span in wanted for clipped in placeholders.outside(span)), lines),
            tuple(dict.fromkeys((*name_parts(text, given), *names.own))),
            names.other_people,
            names.other_candidates,
        )

    def _wanted(self, found: Sequence[Span], text: str) -> list[Span]:
        """Those of the spans `found` in `text` that are to be hidden."""
        wanted = [span for span in found if span.category in self.categories]
        if not self._names_alone:
            return wanted
        # The token of a name: an earlier pass, or the caller, hid one.
        named = TOKENS["name"] in text or any(span.category == "name" for span in wanted)
        return [span for span in wanted if may_hold_a_name(span, text, named=named)]


_NO_NAMES_INSIDE = frozenset({"email", "link", "phone", "photo", "address", "school", "affinity"})


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    position = 0
    for paragraph in text.split("\n\n"):
        if paragraph:
            yield position, paragraph
        position += len(paragraph) + 2


class _Placeholders:
    """The tokens of an earlier pass in a text, in order: they are not hidden again."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._places = list(places)
        self._ends = [end for _, end in self._places]

    def outside(self, span: Span) -> Iterator[Span]:
        """The parts of `span` that lie outside every token."""
        start = span.start
        for i in range(bisect_right(self._ends, span.start), len(self._places)):
            token_start, token_end = self._places[i]
            if token_start >= span.end:
                break
            if start < token_start:
                yield span._replace(start=start, end=token_start)
            start = token_end
        if start == span.start:
            yield span
        elif start < span.end:
            yield span._replace(start=start)
