"""Every variant of one resume that an audit scores."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from service.core.counterfactual import swaps
from service.core.counterfactual.control import control_variants
from service.core.counterfactual.grammar import has_pronouns, with_pronouns
from service.core.counterfactual.lexicons import (
    PRONOUN_GROUPS,
    YEARS_SINCE_GRADUATION,
    GroupLexicon,
    Split,
    load_groups,
)
from service.core.counterfactual.names import NameSlots, PersonName, find_name_slots
from service.core.redaction.cache import RedactionCache
from service.core.redaction.given import GIVEN, GivenSpan, places_of
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.redactor import Redactor
from service.core.redaction.spans import SURE, Span, replace, without_overlaps

Attribute = Literal["name", "pronoun", "school", "graduation_year", "affinity", "postal_code"]
ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)

Reason = Literal[
    "no_name_free",
    "no_pronoun_found",
    "no_school_found",
    "only_secondary_schools",
    "no_graduation_year_found",
    "no_affinity_group_found",
    "no_us_postal_code_found",
    "already_the_only_value",
]
"""Why an attribute was not changed: what was looked for and not recognised, which may stand there all the same."""

_NOT_FOUND: dict[Attribute, Reason] = {
    "name": "no_name_free",
    "pronoun": "no_pronoun_found",
    "school": "no_school_found",
    "graduation_year": "no_graduation_year_found",
    "affinity": "no_affinity_group_found",
    "postal_code": "no_us_postal_code_found",
}

_DRAWS = 50
_Edits = list[Span]
"""Spans to replace, with their new texts as tokens."""

_Change = Callable[[list[str]], _Edits | None]


@dataclass(frozen=True, slots=True)
class Variant:
    """`group` the attribute was changed to; `index` counts the draws of a group (names, schools).

    `reference` is the text that the variant is compared with: the same resume before the change. `named`: where
    in `text` stands now what the caller had named as a span, for redaction.
    """

    attribute: Attribute | Literal["control"]
    group: str
    index: int
    text: str
    reference: str
    named: tuple[Span, ...] = ()

    @property
    def id(self) -> str:
        """Names the variant in reports: attribute/group/index, never its text."""
        return f"{self.attribute}/{self.group}/{self.index}"


@dataclass(frozen=True, slots=True)
class ResumeVariants:
    """`not_applicable`: attributes that were not changed, and why. `name_placed`: no name was found."""

    original: str
    variants: list[Variant]
    not_applicable: dict[Attribute, Reason]
    name_placed: bool
    other_people: int


@dataclass(frozen=True, slots=True)
class VariantOptions:
    """`draws`: names (schools, postal codes ...) of each group. `controls`: benign edits of each resume."""

    attributes: tuple[Attribute, ...] = ATTRIBUTES
    draws: int = 5
    controls: int = 6
    seed: int = 0
    split: Split = "audit"


def make_variants(
    text: str,
    options: VariantOptions,
    redactor: Redactor,
    *,
    key: str = "",
    cache: RedactionCache | None = None,
    given: Sequence[GivenSpan] = (),
) -> ResumeVariants:
    """Variants of normalised `text`, the same for the same options and `key` (the resume's id).

    `redactor` finds where the attributes stand, beside the spans that are `given`; it must hide all categories,
    whatever the audit redacts. `cache`: shared with other texts that are redacted beside it.
    """
    seed = hashlib.sha256(f"{options.seed}:{key}".encode()).digest()
    rng = random.Random(int.from_bytes(seed[:8], "big"))
    lexicon = load_groups(options.split)
    analysis = redactor.analyse(text, cache, places_of(text, given))
    slots = find_name_slots(text, analysis)
    maker = _VariantMaker(text, options.draws, lexicon, analysis.spans, slots, rng, given)
    variants: list[Variant] = []
    not_applicable: dict[Attribute, Reason] = {}
    for attribute in options.attributes:
        made = maker.make(attribute)
        if made is None:
            not_applicable[attribute] = maker.why_not(attribute)
        elif not made:
            not_applicable[attribute] = "already_the_only_value"
        else:
            variants += made
    variants += [
        Variant("control", kind, i, edited, text, tuple(places_of(edited, given)))
        for i, (kind, edited) in enumerate(control_variants(text, analysis.spans, rng, options.controls))
    ]
    return ResumeVariants(
        text, variants, not_applicable, "name" in options.attributes and slots.placed, analysis.other_people
    )


@dataclass(frozen=True, slots=True)
class _VariantMaker:
    text: str
    draws: int
    lexicon: GroupLexicon
    spans: Sequence[Span]
    slots: NameSlots
    rng: random.Random
    given: Sequence[GivenSpan]

    def why_not(self, attribute: Attribute) -> Reason:
        """Why `make` returned None."""
        if attribute == "school" and self._spans("school"):
            return "only_secondary_schools"
        return _NOT_FOUND[attribute]

    def make(self, attribute: Attribute) -> list[Variant] | None:
        """None: nothing to change was found. Variants equal to the text are left out."""
        match attribute:
            case "name":
                return self._names()
            case "pronoun":
                return self._pronouns()
            case "school":
                return self._schools()
            case "graduation_year":
                spans = self._spans("graduation_year")
                years = {
                    f"{n}_years_ago": swaps.with_graduation(self.text, spans, n)
                    for n in YEARS_SINCE_GRADUATION
                }
                return self._edited(attribute, {group: [made] for group, made in years.items()})
            case "affinity":
                spans = self._spans("affinity")
                return self._drawn(
                    attribute,
                    self.lexicon.affinity,
                    len(spans),
                    lambda names: swaps.with_affinity(spans, names),
                )
            case "postal_code":
                spans = self._spans("address")
                return self._drawn(
                    attribute,
                    self.lexicon.postal_codes,
                    1,
                    lambda codes: swaps.with_postal_code(self.text, spans, codes[0]),
                )

    def _names(self) -> list[Variant] | None:
        slots = self.slots
        reference = slots.text
        variants = []
        surnames: dict[tuple[str, int], str] = {}
        for group in self.lexicon.name_groups:
            given_names = self._shuffled(self.lexicon.given_names[group])
            race = group.split(":")[0]
            taken = 0
            for given in given_names:
                if taken == self.draws:
                    break
                # Both sexes of a race share surnames, so that the groups differ in the given name alone.
                surname = surnames.get((race, taken))
                name = PersonName(given, surname or self.rng.choice(self.lexicon.surnames[race]))
                tries = 0
                while surname is None and slots.clashes_with(name) and tries < _DRAWS:
                    name, tries = PersonName(given, self.rng.choice(self.lexicon.surnames[race])), tries + 1
                if slots.clashes_with(name):
                    continue
                surnames[race, taken] = name.surname
                edits = slots.renamed(name)
                variants.append(self._variant("name", group, taken, reference, edits))
                taken += 1
        return variants or None

    def _pronouns(self) -> list[Variant] | None:
        if not has_pronouns(self.text):
            return None
        changed = {group: with_pronouns(self.text, group) for group in PRONOUN_GROUPS}
        return [
            Variant("pronoun", group, 0, text, self.text, tuple(places_of(text, self.given)))
            for group, text in changed.items()
            if text != self.text
        ]

    def _schools(self) -> list[Variant] | None:
        spans = self._spans("school")
        if not spans:
            return None
        made: dict[str, list[_Edits | None]] = {
            group: [
                swaps.with_schools(self.text, spans, self._shuffled(self.lexicon.schools[group]))
                for _ in range(self.draws)
            ]
            for group in ("top_school", "non_top_school")
        }
        made["no_school_mentioned"] = [swaps.without_schools(self.text, spans)]
        return self._edited("school", made)

    def _drawn(
        self, attribute: Attribute, groups: dict[str, tuple[str, ...]], needed: int, change: _Change
    ) -> list[Variant] | None:
        made: dict[str, list[_Edits | None]] = {}
        for group, entries in groups.items():
            draws = min(self.draws, len(entries))
            shuffled = self._shuffled(entries)
            made[group] = [change(shuffled[i:] + shuffled[:i]) for i in range(draws)] if needed else []
        return self._edited(attribute, made)

    def _edited(self, attribute: Attribute, made: dict[str, list[_Edits | None]]) -> list[Variant] | None:
        """The variants that differ from the text; None if there was nothing to edit for any group."""
        edits = [of for group in made.values() for of in group]
        if not any(of is not None for of in edits):
            return None
        variants = [
            self._variant(attribute, group, i, self.text, of)
            for group, changed in made.items()
            for i, of in enumerate(changed)
            if of is not None
        ]
        return [variant for variant in variants if variant.text != self.text]

    def _variant(
        self, attribute: Attribute, group: str, index: int, reference: str, edits: Sequence[Span]
    ) -> Variant:
        text = replace(reference, edits)
        named = self._named(reference, text, edits) if self.given else ()
        return Variant(attribute, group, index, text, reference, named)

    def _named(self, reference: str, text: str, edits: Sequence[Span]) -> tuple[Span, ...]:
        """What the caller named, in a variant: where it still stands, and what stands in its place."""
        places = without_overlaps(places_of(reference, self.given))
        starts = [place.start for place in places]
        found: dict[Span, None] = dict.fromkeys(places_of(text, self.given))
        shift = 0
        for edit in edits:
            start, length = edit.start + shift, len(edit.token)
            shift += length - (edit.end - edit.start)
            at = bisect_left(starts, edit.end) - 1  # the last place that begins before the edit ends
            if length and at >= 0 and places[at].end > edit.start and places[at].category == edit.category:
                token = TOKENS[edit.category]
                found[Span(start, start + length, edit.category, token, SURE, GIVEN)] = None
        return tuple(found)

    def _spans(self, category: Category) -> list[Span]:
        return [span for span in self.spans if span.category == category]

    def _shuffled(self, entries: Sequence[str]) -> list[str]:
        return self.rng.sample(list(entries), len(entries))
