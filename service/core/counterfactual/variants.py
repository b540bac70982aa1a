"""Every variant of one resume that an audit scores."""

from __future__ import annotations

import hashlib
import random
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
from service.core.redaction.policy import Category
from service.core.redaction.redactor import Redactor
from service.core.redaction.spans import Span

Attribute = Literal["name", "pronoun", "school", "graduation_year", "affinity", "postal_code"]
ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)

Reason = Literal["not_in_text", "already_the_only_value"]

_DRAWS = 50
_Change = Callable[[list[str]], str | None]


@dataclass(frozen=True, slots=True)
class Variant:
    """`group` the attribute was changed to; `index` counts the draws of a group (names, schools).

    `reference` is the text that the variant is compared with: the same resume before the change.
    """

    attribute: Attribute | Literal["control"]
    group: str
    index: int
    text: str
    reference: str

    @property
    def id(self) -> str:
        """Names the variant in reports: attribute/group/index, never its text."""
        return f"{self.attribute}/{self.group}/{self.index}"


@dataclass(frozen=True, slots=True)
class ResumeVariants:
    """`not_applicable`: attributes that are not in this resume, and why. `name_placed`: it had no name."""

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
) -> ResumeVariants:
    """Variants of normalised `text`, the same for the same options and `key` (the resume's id).

    `redactor` finds where the attributes stand; it must hide all categories, whatever the audit redacts.
    `cache`: shared with other texts that are redacted beside it.
    """
    seed = hashlib.sha256(f"{options.seed}:{key}".encode()).digest()
    rng = random.Random(int.from_bytes(seed[:8], "big"))
    lexicon = load_groups(options.split)
    analysis = redactor.analyse(text, cache)
    slots = find_name_slots(text, analysis)
    maker = _VariantMaker(text, options.draws, lexicon, analysis.spans, slots, rng)
    variants: list[Variant] = []
    not_applicable: dict[Attribute, Reason] = {}
    for attribute in options.attributes:
        made = maker.make(attribute)
        if made is None:
            not_applicable[attribute] = "not_in_text"
        elif not made:
            not_applicable[attribute] = "already_the_only_value"
        else:
            variants += made
    variants += [
        Variant("control", kind, i, edited, text)
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

    def make(self, attribute: Attribute) -> list[Variant] | None:
        """None: the attribute does not stand in the text. Variants equal to the text are left out."""
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
                return self._kept(attribute, {group: [made] for group, made in years.items()})
            case "affinity":
                spans = self._spans("affinity")
                return self._drawn(
                    attribute,
                    self.lexicon.affinity,
                    len(spans),
                    lambda names: swaps.with_affinity(self.text, spans, names),
                )
            case "postal_code":
                spans = self._spans("address")
                return self._drawn(
                    attribute,
                    self.lexicon.postal_codes,
                    1,
                    lambda codes: swaps.with_postal_code(self.text, spans, codes[0]),
                )

    def _names(self) -> list[Variant]:
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
                variants.append(Variant("name", group, taken, slots.with_name(name), reference))
                taken += 1
        return variants

    def _pronouns(self) -> list[Variant] | None:
        if not has_pronouns(self.text):
            return None
        return self._kept("pronoun", {group: [with_pronouns(self.text, group)] for group in PRONOUN_GROUPS})

    def _schools(self) -> list[Variant] | None:
        spans = self._spans("school")
        if not spans:
            return None
        made: dict[str, list[str | None]] = {
            group: [
                swaps.with_schools(self.text, spans, self._shuffled(self.lexicon.schools[group]))
                for _ in range(self.draws)
            ]
            for group in ("top_school", "non_top_school")
        }
        made["no_school_mentioned"] = [swaps.without_schools(self.text, spans)]
        return self._kept("school", made)

    def _drawn(
        self, attribute: Attribute, groups: dict[str, tuple[str, ...]], needed: int, change: _Change
    ) -> list[Variant] | None:
        made: dict[str, list[str | None]] = {}
        for group, entries in groups.items():
            draws = min(self.draws, len(entries))
            shuffled = self._shuffled(entries)
            made[group] = [change(shuffled[i:] + shuffled[:i]) for i in range(draws)] if needed else []
        return self._kept(attribute, made)

    def _kept(self, attribute: Attribute, made: dict[str, list[str | None]]) -> list[Variant] | None:
        texts = [text for group in made.values() for text in group]
        if not any(text is not None for text in texts):
            return None
        return [
            Variant(attribute, group, i, text, self.text)
            for group, changed in made.items()
            for i, text in enumerate(changed)
            if text is not None and text != self.text
        ]

    def _spans(self, category: Category) -> list[Span]:
        return [span for span in self.spans if span.category == category]

    def _shuffled(self, entries: Sequence[str]) -> list[str]:
        return self.rng.sample(list(entries), len(entries))
