"""Names, schools, groups and postal codes that variants are made of.

Each list is split: `train` rows are for training, `audit` rows for audits, `test` rows for neither
(names of Bertrand and Mullainathan, 2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from service.core.once import LoadedOnce
from service.core.redaction.lexicon import read_rows

Split = Literal["train", "audit", "test"]
Pronouns = Literal["she_her", "he_him"]

PRONOUN_GROUPS: tuple[Pronouns, ...] = ("she_her", "he_him")
YEARS_SINCE_GRADUATION = (5, 15, 25, 35)


@dataclass(frozen=True)
class GroupLexicon:
    """Entries by group; `given_names` by `race:sex`, `surnames` by race."""

    given_names: dict[str, tuple[str, ...]]
    surnames: dict[str, tuple[str, ...]]
    schools: dict[str, tuple[str, ...]]
    affinity: dict[str, tuple[str, ...]]
    postal_codes: dict[str, tuple[str, ...]]

    @property
    def name_groups(self) -> tuple[str, ...]:
        """The race x sex groups, `white:female` and so on."""
        return tuple(self.given_names)


def load_groups(split: Split) -> GroupLexicon:
    """The rows of one split, read once a process. Raises `WarmingUpError` if that fails now.

    Surnames of `test` are those of `audit`: the source has given names only.
    """
    return _GROUPS[split]()


def _read(split: Split) -> GroupLexicon:
    given: dict[str, list[str]] = {}
    surnames: dict[str, list[str]] = {}
    for row in read_rows("names_by_group.csv"):
        if row["kind"] == "given" and row["split"] == split:
            given.setdefault(f"{row['race_ethnicity']}:{row['sex']}", []).append(row["name"])
        elif row["kind"] == "surname" and row["split"] == ("audit" if split == "test" else split):
            surnames.setdefault(row["race_ethnicity"], []).append(row["name"])
    return GroupLexicon(
        given_names=_frozen(given),
        surnames=_frozen(surnames),
        schools=_by("schools_by_category.csv", "category", "name", split),
        affinity=_by("affinity_groups.csv", "group", "name", split),
        postal_codes=_by("postal_codes.csv", "majority_race_ethnicity", "postal_code", split),
    )


def _by(file: str, key: str, value: str, split: Split) -> dict[str, tuple[str, ...]]:
    wanted = "audit" if split == "test" else split
    groups: dict[str, list[str]] = {}
    for row in read_rows(file):
        if row["split"] == wanted:
            groups.setdefault(row[key], []).append(row[value])
    return _frozen(groups)


def _frozen(groups: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {group: tuple(values) for group, values in groups.items()}


_GROUPS: dict[Split, LoadedOnce[GroupLexicon]] = {
    split: LoadedOnce("the lists of groups", partial(_read, split)) for split in get_args(Split)
}
