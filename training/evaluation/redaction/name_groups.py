"""Groups of names, to see whose names stay: by given name, by surname, and by form.

Given names and surnames stand for groups as `names_by_group.csv` sees them, which holds names of the United
States borne nearly by one group alone. Most names are in no group: they are `unknown`, a group of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Literal

from service.core.groups import UNKNOWN
from service.core.redaction.lexicon import load_lexicon, read_rows
from service.core.redaction.words import fold, words_of

Grouping = Literal["given_name", "surname", "form"]

SHORT = 3
"""Letters up to which a surname is short."""

FORMS = ("short_surname", "surname_is_a_word", "in_the_census", "in_no_list")


def group_of(name: str, grouping: Grouping) -> str:
    """The group of a name as written.

    `given_name`: `race:sex` of the given name. `surname`: race of the surname. `form`: the first of `FORMS`
    that holds: the surname has up to `SHORT` letters; it is an English word too; all parts are in the
    census's lists; some part is in none.
    """
    parts = _parts(name)
    return _GROUPINGS[grouping](parts) if parts else UNKNOWN


def _parts(name: str) -> list[str]:
    """Folded parts, given name first: of "Doe, Jane" the surname is put last. Initials are no parts."""
    first, comma, second = name.partition(",")
    folded = [word.folded for word in words_of(f"{second} {first}" if comma and second.strip() else name)]
    long = [part for part in folded if len(part) > 1]
    return [part for part in long if part not in _TITLES]


_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam"})


def _by_given_name(parts: list[str]) -> str:
    return _lists()["given"].get(parts[0], UNKNOWN)


def _by_surname(parts: list[str]) -> str:
    return _lists()["surname"].get(parts[-1], UNKNOWN) if len(parts) > 1 else UNKNOWN


def _by_form(parts: list[str]) -> str:
    if len(parts) < 2:
        return UNKNOWN
    lexicon = load_lexicon()
    if len(parts[-1]) <= SHORT:
        return "short_surname"
    if parts[-1] in lexicon.english:
        return "surname_is_a_word"
    known = all(part in lexicon.given_names or part in lexicon.surnames for part in parts)
    return "in_the_census" if known else "in_no_list"


@cache
def _lists() -> Mapping[str, Mapping[str, str]]:
    """Folded given names to `race:sex`, surnames to race; a name that stands for two groups is in none."""
    found: dict[str, dict[str, str]] = {"given": {}, "surname": {}}
    for row in read_rows("names_by_group.csv"):
        group = f"{row['race_ethnicity']}:{row['sex']}" if row["kind"] == "given" else row["race_ethnicity"]
        names = found[row["kind"]]
        name = fold(row["name"])
        names[name] = group if names.get(name, group) == group else UNKNOWN
    return found


_GROUPINGS: Mapping[Grouping, Callable[[list[str]], str]] = {
    "given_name": _by_given_name,
    "surname": _by_surname,
    "form": _by_form,
}
