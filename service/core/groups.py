"""Self-reported groups: the closed schema that decisions are monitored by.

Groups are never given to the model. A person may belong to one group per attribute, or say nothing
(`unknown`). Two attributes also have an intersection, as New York City's Local Law 144 asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

UNKNOWN = "unknown"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

SEX = ("female", "male", "nonbinary")
RACE_ETHNICITY = (
    "hispanic_or_latino",
    "white",
    "black_or_african_american",
    "native_hawaiian_or_pacific_islander",
    "asian",
    "native_american_or_alaska_native",
    "two_or_more_races",
)
"""The categories of the EEO-1 report."""

MAX_GROUP_PAIRS = 400


class GroupSchema(BaseModel):
    """Attributes, the groups of each, and the pairs of attributes that are crossed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attributes: dict[Name, tuple[Name, ...]] = {"sex": SEX, "race_ethnicity": RACE_ETHNICITY}
    intersections: tuple[tuple[Name, Name], ...] = (("sex", "race_ethnicity"),)

    @model_validator(mode="after")
    def _consistent(self) -> GroupSchema:
        for attribute, groups in self.attributes.items():
            if len(set(groups)) != len(groups) or not groups:
                raise ValueError(f"attribute {attribute} needs groups, each named once")
            if UNKNOWN in groups:
                raise ValueError(f"attribute {attribute}: `{UNKNOWN}` is implied, do not list it")
        for pair in self.intersections:
            if pair[0] == pair[1] or not set(pair) <= set(self.attributes):
                raise ValueError(f"intersection {pair} must cross two different attributes")
        names = [*self.attributes, *(f"{a}_{b}" for a, b in self.intersections)]
        for name in names:
            # Counts go by name: of two with the same, one would vanish.
            if names.count(name) > 1:
                raise ValueError(f"{name} is the name of two attributes or intersections: rename one")
        series = sum(len(names) for names in self.members().values())
        if series > MAX_GROUP_PAIRS:
            raise ValueError(f"{series} attribute-group pairs; the limit is {MAX_GROUP_PAIRS}")
        return self

    def members(self) -> dict[str, list[str]]:
        """Every attribute, intersections included, with all its groups, `unknown` included."""
        plain = {name: [*groups, UNKNOWN] for name, groups in self.attributes.items()}
        crossed = {
            f"{a}_{b}": [
                *(f"{x}:{y}" for x, y in product(self.attributes[a], self.attributes[b])),
                UNKNOWN,
            ]
            for a, b in self.intersections
        }
        return {**plain, **crossed}

    def fitting(self, groups: Mapping[str, str]) -> dict[str, str]:
        """Those of `groups` that this schema knows: what was recorded under another may name others."""
        return {
            attribute: group
            for attribute, group in groups.items()
            if group in self.attributes.get(attribute, ())
        }

    def memberships(self, groups: Mapping[str, str]) -> dict[str, str]:
        """The group of a person per attribute and intersection; `unknown` where nothing was said."""
        plain = {attribute: groups.get(attribute, UNKNOWN) for attribute in self.attributes}
        crossed = {f"{a}_{b}": _crossed(plain[a], plain[b]) for a, b in self.intersections}
        return {**plain, **crossed}


def _crossed(first: str, second: str) -> str:
    """One label for a pair of groups; `unknown` as soon as one of the two is."""
    return UNKNOWN if UNKNOWN in (first, second) else f"{first}:{second}"
