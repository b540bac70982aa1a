"""Labels of groups as files have them -> groups of the schema: `F`, `Black or African American`, `Decline`.

For files only: a request over the API names groups exactly. Labels are compared without case, accents,
punctuation and the words "not Hispanic or Latino", which forms add to every race. A label that stands for
no group is counted, and at the end refused or taken as unknown (docs/groups.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from service.core.errors import UnknownGroupError
from service.core.groups import UNKNOWN, GroupSchema
from service.core.shown_labels import CountedLabels

UnknownLabels = Literal["refuse", "unknown"]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "female": ("f", "woman", "women", "females", "fem", "cis woman", "cis female", "cisgender woman",
        "cisgender female"),
    "male": ("m", "man", "men", "males", "cis man", "cis male", "cisgender man", "cisgender male"),
    "nonbinary": ("non binary", "nb", "enby", "non binary third gender", "third gender", "genderqueer",
        "non conforming", "gender non conforming", "gender nonconforming", "nonconforming",
        "non binary gender non conforming", "non binary or gender non conforming", "nonbinary third gender"),
    "hispanic_or_latino": (
        "hispanic", "latino", "latina", "latinx", "latine", "hispanic latino", "latino hispanic",
        "hispanic or latina", "hispanic or latinx", "hispanic latinx", "hispanic or latino of any race",
        "hispanic or latino any race", "hispanic latino any race", "hispanic latino of any race",
        "latino or hispanic", "latino a", "latina o", "latino a x",
        "hispanic latino or spanish", "hispanic latino or spanish origin",
        "hispanic latinx or spanish origin",
        "spanish hispanic latino", "hispanic origin", "of hispanic origin", "of hispanic or latino origin",
    ),
    "white": ("caucasian", "white caucasian", "white or caucasian", "caucasian or white", "white american"),
    "black_or_african_american": ("black", "african american", "black african american", "afro american",
        "african american or black", "african american black"),
    "native_hawaiian_or_pacific_islander": (
        "native hawaiian", "pacific islander", "native hawaiian pacific islander", "nhpi",
        "native hawaiian or other pacific islander", "native hawaiian other pacific islander",
        "hawaiian or pacific islander", "hawaiian", "other pacific islander",
        "pacific islander or native hawaiian", "hawaiian or other pacific islander",
    ),
    "asian": ("asian american", "asian or asian american", "east asian", "south asian", "southeast asian",
        "south east asian"),
    "native_american_or_alaska_native": (
        "native american", "alaska native", "american indian", "american indian or alaska native",
        "american indian alaska native", "american indian or alaskan native", "native american alaska native",
        "native american or alaskan native", "alaskan native", "aian",
        "american indian or native american", "native american or american indian",
        "american indian alaskan native",
        "american indian native american", "native american indian",
    ),
    "two_or_more_races": (
        "two or more", "2 or more races", "2 or more", "multiracial", "multi racial", "biracial", "mixed",
        "mixed race", "multiple races", "more than one race", "bi racial", "multiple", "two races or more",
        "two or more ethnicities", "multiethnic", "multi ethnic",
    ),
    UNKNOWN: (
        "decline", "declines", "declined", "refused", "withheld", "undisclosed", "undeclared", "unspecified",
        "unanswered", "unreported", "no answer", "no response", "no data", "no information", "no selection",
        "no value", "missing", "blank", "empty", "n a", "na", "none", "null", "nan", "nil", "tbd", "select",
        "please select", "select one", "choose one", "unsure", "not sure",
    ),
}  # fmt: skip
"""Groups of the default schema, and `unknown`, to further labels, as `key_of_label` has them.

The EEO-1 report's own labels are among them. "X" in a passport, "other", and a single letter for a race are
not: forms mean different groups by them, so a person says which (`--group-value`).
"""

_VERB = (
    r"(?:(?:self )?(?:answer|say|respond|disclose|specify|identify|provide|state|share|report|declare|reveal"
    r"|indicate|tell|participate|define|describe|complete)\b.*)"
)
_NO_ANSWER = re.compile(
    r"(?:(?:i|the|applicant|candidate|employee|respondent|he|she|they) ){0,2}(?:"
    rf"(?:(?:would |d )?(?:prefer|prefers|preferred|rather|choose|chooses|chose|chosen|elect|elects|elected"
    rf"|opt|opts|opted|wish|wishes|wished|want|wants) not|(?:do|does|did|will|would)(?: not|n t| n t)"
    rf"(?: (?:wish|want|care|choose|prefer|intend|like|elect))?)(?: to)? {_VERB}"
    rf"|(?:don|doesn|didn|won|wouldn) t(?: (?:wish|want|care|choose|prefer|like))?(?: to)? {_VERB}"
    rf"|(?:decline|declines|declined|declining|refuse|refuses|refused)(?: to)? {_VERB}"
    r"|(?:not|non|never) (?:yet )?(?:declared|disclosed|specified|stated|provided|given|reported|known"
    r"|available|applicable|answered|identified|self identified|selected|indicated|supplied|listed|entered"
    r"|collected|recorded|on file|asked|submitted|completed|determined|set)\b.*"
    r"|information not (?:provided|available|disclosed).*"
    r")"
)
"""That somebody says nothing, in whatever words: `I don't wish to answer`, `Not declared`."""

_COUNTRY = re.compile(r"(?<=.) (?:united states of america|united states|usa|us)$")
"""Workday names the country that a label is of."""

_EXPLAINED = re.compile(
    r"(?<=.) (?:a person (?:of|having|with|who)|all persons|e g|eg|i e|such as|including) .*",
    re.DOTALL,
)
"""How forms explain a group: "Asian - A person having origins in ..."."""

_PARTS = re.compile(r"[/|:;()\[\],\u2013\u2014]|\s-\s|^\d{1,9}\s*[.)-]\s*|\s-|-\s")
_LONGEST_CODE = 2
_MOST_KEPT = 1_000

_NOT_HISPANIC = re.compile(r"(?<=.) (?:not|non) (?:of )?hispanic(?: or)?(?: latin[oax])?(?: origin)?$")
_ONLY_NOT_HISPANIC = re.compile(r"(?:not|non) (?:of )?hispanic(?: or)?(?: latin[oax])?(?: origin)?")


def key_of_label(label: str) -> str:
    """A label as it is compared: words in lower case without accents and punctuation, blanks between them."""
    decomposed = unicodedata.normalize("NFKD", label.casefold())
    letters = "".join(ch if ch.isalnum() else " " for ch in decomposed if not unicodedata.combining(ch))
    key = _EXPLAINED.sub("", " ".join(letters.split()))
    return _NOT_HISPANIC.sub("", _COUNTRY.sub("", key))


def known_labels(groups: Sequence[str], values: Mapping[str, str] | None = None) -> dict[str, str]:
    """Labels, as compared, to the groups they stand for: by the table, and by `values` before it."""
    known: dict[str, str] = {}
    for group in (UNKNOWN, *groups):
        known |= dict.fromkeys(ALIASES.get(group, ()), group)
    for group in (UNKNOWN, *groups):  # after all aliases: a group's own name is no other's alias
        known[key_of_label(group)] = group
    return known | {key_of_label(label): group for label, group in (values or {}).items()}


def group_of_label(label: str, known: Mapping[str, str]) -> str | None:
    """The group that a label stands for, by what `known_labels` gives; None if it is not known.

    `unknown` for a blank label, and for one that says in any words that somebody says nothing. A label may
    say its group twice or with a code: `F - Female`, `1: White`.
    """
    key = key_of_label(label)
    if not key:  # empty, or a dash
        return UNKNOWN
    group = known.get(key)
    if group is not None:
        return group
    if _NO_ANSWER.fullmatch(key):
        return UNKNOWN
    parts = [part for one in _PARTS.split(label) if (part := key_of_label(one))]
    parts = [part for part in parts if not _ONLY_NOT_HISPANIC.fullmatch(part)]
    if len(parts) < 2:
        return known.get(parts[0]) if parts else None
    groups = set(known.values())
    found = {UNKNOWN if _NO_ANSWER.fullmatch(part) else known.get(part, part) for part in parts}
    found = {one for one in found if one in groups or len(one) > _LONGEST_CODE}
    return found.pop() if len(found) == 1 and found <= groups else None


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """`values`: attribute to label to group, before the table. `unknown_labels`: what becomes of others."""

    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unknown_labels: UnknownLabels = "refuse"


def values_given(given: Sequence[str]) -> dict[str, dict[str, str]] | None:
    """Attribute to label to group, of `sex.W=female` and the like; None if one is not of this form."""
    values: dict[str, dict[str, str]] = {}
    for one in given:
        named, equals, group = one.rpartition("=")
        attribute, dot, label = named.partition(".")
        if not (equals and dot and attribute.strip() and label.strip() and group.strip()):
            return None
        values.setdefault(attribute.strip(), {})[label] = group.strip()
    return values


def check_values(values: Mapping[str, Mapping[str, str]], schema: GroupSchema) -> None:
    """Raise `UnknownGroupError` for an attribute or a group that the schema has not."""
    for attribute, labels in values.items():
        if attribute not in schema.attributes:
            raise UnknownGroupError(
                f"--group-value names an attribute that is none of {', '.join(schema.attributes)}"
            )
        allowed = (*schema.attributes[attribute], UNKNOWN)
        if not set(labels.values()) <= set(allowed):
            raise UnknownGroupError(
                f"--group-value {attribute}.LABEL=GROUP takes a group out of {', '.join(allowed)}"
            )


class LabelReader:
    """Reads the labels of one attribute, and counts those that it does not know."""

    def __init__(
        self, attribute: str, groups: tuple[str, ...], values: Mapping[str, str] | None = None
    ) -> None:
        self.attribute = attribute
        self.groups = groups
        self.mapped: Counter[tuple[str, str]] = Counter()
        """Labels, as compared, that stand for a group of another name, with that group."""
        self.unknown = CountedLabels()
        self._known = known_labels(groups, values)
        self._read: dict[str, tuple[str, str | None]] = {}
        """Labels that were read, with their keys and groups: a column has few of them in many rows."""

    def read(self, cell: object) -> str:
        """The group; `unknown` for an empty cell, and for a label that is not known, which is counted."""
        group = self.known(cell)
        return UNKNOWN if group is None else group

    def known(self, cell: object) -> str | None:
        """The group, or `unknown` for an empty cell; None for a label that is not known, which is counted."""
        if cell is None or (isinstance(cell, float) and cell != cell):
            return UNKNOWN
        label = cell.strip() if isinstance(cell, str) else f"{cell}"
        read = self._read.get(label)
        if read is None:
            read = key_of_label(label), group_of_label(label, self._known)
            if len(self._read) < _MOST_KEPT:
                self._read[label] = read
        key, group = read
        if group is None:
            self.unknown.add(label)
        elif key and key != key_of_label(group):
            self.mapped[key, group] += 1
        return group

    @property
    def said_of_mapped(self) -> str | None:
        """Which labels were read as which groups; None if there were only groups' own names."""
        if not self.mapped:
            return None
        parts = [f"{key!r} as {group} ({rows:,})" for (key, group), rows in sorted(self.mapped.items())]
        return f"{self.attribute}: read {', '.join(parts)}"

    @property
    def said_of_unknown(self) -> str | None:
        """Which labels are not known, and in how many rows, as far as they can be shown; None if all are."""
        if not self.unknown.rows:
            return None
        stand = "label stands" if len(self.unknown.counts) == 1 else "labels stand"
        allowed = ", ".join((*self.groups, UNKNOWN))
        return (
            f"{self.attribute}: {self.unknown.total} {stand} for none of {allowed}: {self.unknown.listed()}"
        )


def refuse_unknown(readers: Mapping[str, LabelReader], source: str, hint: str = "") -> None:
    """Raise `UnknownGroupError`, which names attributes and counts, if a reader met unknown labels."""
    found = [said for reader in readers.values() if (said := reader.said_of_unknown)]
    if found:
        raise UnknownGroupError(f"{source}: {'. '.join(found)}{hint}")


HINT = (
    "; say what one means with --group-value ATTRIBUTE.LABEL=GROUP, or count them all as unknown with "
    "--unknown-labels unknown"
)
