"""Labels of groups as files have them -> groups of the schema: `F`, `Black or African American`, `Decline`.

For files only: a request over the API names groups exactly. Labels are compared without case, accents,
punctuation and the words "not Hispanic or Latino", which forms add to every race. A label that stands for
no group is counted, and at the end refused or taken as unknown (docs/groups.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from service.core.errors import UnknownGroupError
from service.core.groups import UNKNOWN, GroupSchema

UnknownLabels = Literal["refuse", "unknown"]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "female": ("f", "woman", "women", "females", "fem"),
    "male": ("m", "man", "men", "males"),
    "nonbinary": ("non binary", "nb", "enby", "non binary third gender", "third gender", "genderqueer"),
    "hispanic_or_latino": (
        "hispanic", "latino", "latina", "latinx", "latine", "hispanic latino", "latino hispanic",
        "hispanic or latina", "hispanic or latinx", "hispanic latinx", "hispanic or latino of any race",
        "hispanic or latino any race",
    ),
    "white": ("caucasian", "white caucasian", "white or caucasian"),
    "black_or_african_american": ("black", "african american", "black african american", "afro american"),
    "native_hawaiian_or_pacific_islander": (
        "native hawaiian", "pacific islander", "native hawaiian pacific islander", "nhpi",
        "native hawaiian or other pacific islander", "native hawaiian other pacific islander",
        "hawaiian or pacific islander", "hawaiian",
    ),
    "asian": ("asian american", "asian or asian american"),
    "native_american_or_alaska_native": (
        "native american", "alaska native", "american indian", "american indian or alaska native",
        "american indian alaska native", "american indian or alaskan native", "native american alaska native",
        "native american or alaskan native", "alaskan native", "aian",
    ),
    "two_or_more_races": (
        "two or more", "2 or more races", "2 or more", "multiracial", "multi racial", "biracial", "mixed",
        "mixed race", "multiple races", "more than one race",
    ),
    UNKNOWN: (
        "prefer not to say", "prefer not to answer", "prefer not to disclose", "prefer not to specify",
        "prefer not to respond", "prefer not to self identify", "i prefer not to say",
        "i prefer not to answer", "rather not say", "decline", "declined", "decline to answer",
        "decline to state", "decline to say", "decline to self identify", "declined to self identify",
        "decline to identify", "i decline to self identify", "declined to answer", "declined to state",
        "do not wish to answer", "i do not wish to answer", "i don t wish to answer", "choose not to answer",
        "choose not to disclose", "i choose not to disclose", "choose not to identify",
        "choose not to self identify", "i do not wish to self identify", "i don t wish to self identify",
        "not disclosed", "undisclosed", "not specified", "unspecified", "not stated", "not provided",
        "not given", "not reported", "no answer", "no response", "not known", "missing", "n a", "na", "none",
        "null", "nan",
    ),
}  # fmt: skip
"""Groups of the default schema, and `unknown`, to further labels, as `key_of_label` has them.

The EEO-1 report's own labels are among them. "X" in a passport, "other", and a single letter for a race are
not: forms mean different groups by them, so a person says which (`--group-value`).
"""

SHOWN_FROM_ROWS = 10
"""A label in fewer rows may be somebody's name, put into the wrong column, and is counted but not shown."""

MOST_SHOWN = 20
MOST_LABELS = 50
"""A column with more unknown labels is no column of groups, and none of them is shown."""

_LONGEST_SHOWN = 60
_MOST_COUNTED = 1_000
_NOT_HISPANIC = re.compile(r"(?<=.) (?:not|non) (?:of )?hispanic(?: or)?(?: latin[oax])?(?: origin)?$")


def key_of_label(label: str) -> str:
    """A label as it is compared: words in lower case without accents and punctuation, blanks between them."""
    decomposed = unicodedata.normalize("NFKD", label.casefold())
    letters = "".join(ch if ch.isalnum() else " " for ch in decomposed if not unicodedata.combining(ch))
    return _NOT_HISPANIC.sub("", " ".join(letters.split()))


def known_labels(groups: Sequence[str], values: Mapping[str, str] | None = None) -> dict[str, str]:
    """Labels, as compared, to the groups they stand for: by the table, and by `values` before it."""
    known: dict[str, str] = {}
    for group in (UNKNOWN, *groups):
        known |= dict.fromkeys(ALIASES.get(group, ()), group)
    for group in (UNKNOWN, *groups):  # after all aliases: a group's own name is no other's alias
        known[key_of_label(group)] = group
    return known | {key_of_label(label): group for label, group in (values or {}).items()}


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
        self.unknown: Counter[str] = Counter()
        self.unknown_rows = 0
        self._known = known_labels(groups, values)

    def read(self, cell: object) -> str:
        """The group; `unknown` for an empty cell, and for a label that is not known, which is counted."""
        group = self.known(cell)
        return UNKNOWN if group is None else group

    def known(self, cell: object) -> str | None:
        """The group, or `unknown` for an empty cell; None for a label that is not known, which is counted."""
        if cell is None or (isinstance(cell, float) and cell != cell):
            return UNKNOWN
        label = cell.strip() if isinstance(cell, str) else f"{cell}"
        key = key_of_label(label)
        if not key:  # empty, or a dash
            return UNKNOWN
        group = self._known.get(key)
        if group is None:
            self._count_unknown(label)
        elif key != key_of_label(group):
            self.mapped[key, group] += 1
        return group

    def _count_unknown(self, label: str) -> None:
        self.unknown_rows += 1
        label = label[: _LONGEST_SHOWN + 1]
        if label in self.unknown or len(self.unknown) <= _MOST_COUNTED:
            self.unknown[label] += 1

    @property
    def said_of_mapped(self) -> str | None:
        """Which labels were read as which groups; None if there were only groups' own names."""
        if not self.mapped:
            return None
        parts = [f"{key!r} as {group} ({rows:,})" for (key, group), rows in sorted(self.mapped.items())]
        return f"{self.attribute}: read {', '.join(parts)}"

    @property
    def said_of_unknown(self) -> str | None:
        """Which labels are not known, and in how many rows; None if all are.

        A label is shown if `SHOWN_FROM_ROWS` rows have it and the column has no more than `MOST_LABELS`
        unknown ones: names are many, each in few rows.
        """
        if not self.unknown:
            return None
        more = "over " if len(self.unknown) > _MOST_COUNTED else ""
        total = f"{more}{len(self.unknown):,} labels stand" if len(self.unknown) > 1 else "1 label stands"
        shown = list(self._shown())
        parts = [f"{label!r} in {rows:,} rows" for label, rows in shown]
        rest = self.unknown_rows - sum(rows for _, rows in shown)
        if rest:
            others, unit = "others" if shown else "they are", "row" if rest == 1 else "rows"
            parts.append(f"{others} in {rest:,} {unit}, not shown since they may be names")
        allowed = ", ".join((*self.groups, UNKNOWN))
        return f"{self.attribute}: {total} for none of {allowed}: {'; '.join(parts)}"

    def _shown(self) -> Iterator[tuple[str, int]]:
        if len(self.unknown) > MOST_LABELS:
            return
        for label, rows in self.unknown.most_common(MOST_SHOWN):
            if rows >= SHOWN_FROM_ROWS and len(label) <= _LONGEST_SHOWN:
                yield label, rows


def refuse_unknown(readers: Mapping[str, LabelReader], source: str, hint: str = "") -> None:
    """Raise `UnknownGroupError`, which names attributes and counts, if a reader met unknown labels."""
    found = [said for reader in readers.values() if (said := reader.said_of_unknown)]
    if found:
        raise UnknownGroupError(f"{source}: {'. '.join(found)}{hint}")


HINT = (
    "; say what one means with --group-value ATTRIBUTE.LABEL=GROUP, or count them all as unknown with "
    "--unknown-labels unknown"
)
