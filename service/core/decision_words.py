"""What people write for a decision: `1.0`, `TRUE`, `Yes`, `Hired`, or words that a caller gives."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from service.core.shown_labels import CountedLabels

Read = Literal["selected", "not_selected", "left_out"]

_PLAIN: Mapping[str, Read] = {
    "selected": "selected",
    "1": "selected",
    "true": "selected",
    "yes": "selected",
    "not selected": "not_selected",
    "0": "not_selected",
    "false": "not_selected",
    "no": "not_selected",
}

WORDS: Mapping[str, Read] = {
    **dict.fromkeys(("y", "t", "hired", "hire", "select", "was selected", "was hired"), "selected"),
    **dict.fromkeys(
        ("n", "f", "rejected", "reject", "not hired", "unselected", "non selected", "was rejected",
         "was not selected", "was not hired", "not select", "no hire"),
        "not_selected",
    ),
    # As spreadsheets of other languages write TRUE and FALSE, and what people there write for yes and no.
    **dict.fromkeys(
        ("wahr", "vrai", "vero", "verdadero", "verdadeiro", "waar", "ja", "oui", "si", "sim"), "selected"
    ),
    **dict.fromkeys(("falsch", "faux", "falso", "onwaar", "nein", "nee", "non", "nao"), "not_selected"),
}  # fmt: skip
"""Further words that mean one thing, as `key_of_decision` has them."""

AMBIGUOUS = frozenset(
    {
        "offer", "offered", "offer extended", "offer made", "offer accepted", "offer declined",
        "offer rescinded", "accepted", "declined", "withdrawn", "withdrew", "candidate withdrew", "pending",
        "in progress", "in process", "in review", "under review", "active", "inactive", "closed", "open",
        "new", "new applicant", "applied", "application review", "screen", "screened", "screening",
        "phone screen", "recruiter screen", "shortlisted", "shortlist", "short listed", "interview",
        "interviewed", "interviewing", "phone interview", "onsite", "onsite interview", "final interview",
        "assessment", "background check", "reference check", "on hold", "hold", "waitlist", "waitlisted",
        "maybe", "advance", "advanced", "advance to next stage", "moved forward", "pass", "passed", "fail",
        "failed", "archived", "disqualified", "not qualified", "qualified", "unqualified", "dispositioned",
        "no show", "not considered", "duplicate", "unknown", "n a", "na", "none", "null", "tbd", "other",
        "recommended", "not recommended", "approved", "not approved", "denied", "successful", "unsuccessful",
        "invited", "contacted", "talent pool", "internal", "x", "positive", "negative", "won", "lost",
    }
)  # fmt: skip
"""What recruiting writes and means different things by. They are no names, so that they may be shown."""

_INTEGRAL = re.compile(r"([+-]?\d{1,12})[.,]0*")


@dataclass(frozen=True, slots=True)
class DecisionWords:
    """What a caller says that cells mean.

    With `selected`, every other cell that is not empty is `not_selected`, unless that is given, too: then
    the others are faults. With `not_selected` alone, every other cell is `selected`. `left_out`: rows that
    are not counted, as of people who withdrew.
    """

    selected: tuple[str, ...] = ()
    not_selected: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def twice(self) -> str | None:
        """A word that is given two meanings; None if none is."""
        given = [
            key_of_decision(w)
            for words in (self.selected, self.not_selected, self.left_out)
            for w in set(words)
        ]
        return next((word for word in given if given.count(word) > 1), None)


def words_given(given: Sequence[str]) -> tuple[str, ...]:
    """The words of `Hired,"Offer, accepted"`, given once or several times. An empty one is an empty cell."""
    return tuple(word.strip() for row in csv.reader(given, skipinitialspace=True) for word in row or [""])


def key_of_decision(cell: object) -> str:
    """A cell as it is compared: in lower case, with blanks for hyphens and underscores; `1.0` is `1`."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = f"{cell}".strip()
    if integral := _INTEGRAL.fullmatch(text):
        return integral[1].removeprefix("+")
    return (
        " ".join(text.casefold().replace("_", " ").replace("-", " ").replace("\u2019", "'").split()) or text
    )


class DecisionReader:
    """Reads cells as decisions, and counts what was read how and what could not be."""

    def __init__(self, words: DecisionWords | None = None) -> None:
        words = words or DecisionWords()
        self.unknown = CountedLabels(harmless=_HARMLESS)
        self.empty = 0
        self._rest: Read | None = None
        self._given = bool(words.selected or words.not_selected)
        self._known: dict[str, Read] = {} if self._given else {**_PLAIN, **WORDS}
        given: tuple[tuple[Read, Sequence[str]], ...] = (
            ("selected", words.selected),
            ("not_selected", words.not_selected),
            ("left_out", words.left_out),
        )
        for meaning, of_meaning in given:
            self._known |= dict.fromkeys(map(key_of_decision, of_meaning), meaning)
        if self._given and not (words.selected and words.not_selected):
            self._rest = "not_selected" if words.selected else "selected"
        self._asked = {
            key_of_decision(word): word for word in (*words.selected, *words.not_selected, *words.left_out)
        }
        self.read_as: Counter[tuple[str, Read]] = Counter()
        self._others = CountedLabels(harmless=_HARMLESS)
        """Of the rest that `_rest` decides."""

    def read(self, cell: object) -> Read | None:
        """What the cell means; None for what is no decision, which is counted."""
        key = key_of_decision(cell)
        known = self._known.get(key)
        if known is not None:
            if self._given or key not in _PLAIN:
                self.read_as[key, known] += 1
            return known
        if not key:
            self.empty += 1
            return None
        if self._rest is None:
            self.unknown.add(key)
            return None
        self._others.add(key)
        return self._rest

    @property
    def notes(self) -> list[str]:
        """Which words were read how, and which of those that a caller gave stand nowhere."""
        notes = []
        parts = [f"{key!r} as {meaning} ({rows:,})" for (key, meaning), rows in sorted(self.read_as.items())]
        if parts:
            notes.append(f"decision: read {', '.join(parts)}")
        if self._others.rows:
            notes.append(f"decision: all else is read as {self._rest}: {self._others.listed()}")
        found = {key for key, _ in self.read_as}
        if missing := [word for key, word in self._asked.items() if key not in found]:
            notes.append(f"decision: no row holds {', '.join(map(repr, missing))}")
        return notes

    @property
    def nothing_asked_for_is_there(self) -> bool:
        """Whether a caller named words and no row holds any of them: then they name another column's."""
        return self._given and not self.read_as

    def fault(self) -> str:
        """What is wrong with the cells that are no decisions, and what to do about it."""
        said = []
        if self.empty:
            said.append(f"{self.empty:,} empty")
        if self.unknown.rows:
            values = "value" if len(self.unknown.counts) == 1 else "different values"
            said.append(f"{self.unknown.total} {values}: {self.unknown.listed()}")
        if not self.unknown.rows:
            hint = "rows without a decision do not count with --left-out-values ''"
        elif self._given:
            hint = "give them to --selected-values, --not-selected-values or --left-out-values"
        elif self.unknown.many:
            hint = "name the column of decisions with --decision-column"
        else:
            hint = (
                "read are selected, hired, 1, true, yes and not_selected, not hired, rejected, 0, false, no; "
                "of other words say which mean selected, as --selected-values 'Hired,Offer accepted', and "
                "which rows do not count, as --left-out-values Withdrawn"
            )
        return f"is not a decision ({'; '.join(said)}); {hint}"


_HARMLESS = AMBIGUOUS | frozenset(WORDS) | frozenset(_PLAIN)
