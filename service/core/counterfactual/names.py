"""The candidate's name exchanged for another, wherever it stands and in the form in which it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from service.core.redaction.names.word_lists import PARTICLES
from service.core.redaction.redactor import Analysis
from service.core.redaction.spans import Span, replace
from service.core.redaction.words import fold, read_words, words_of


@dataclass(frozen=True, slots=True)
class PersonName:
    given: str
    surname: str


@dataclass(frozen=True)
class NameSlots:
    """Where the candidate's name stands in a text, and what its parts are (folded)."""

    text: str
    spans: tuple[Span, ...]
    given: str
    surname: tuple[str, ...]
    parts: frozenset[str]
    placed: bool

    def with_name(self, name: PersonName) -> str:
        """The text with `name` in every slot, in the slot's form: full, inverted, initial, capitals, e-mail."""
        return replace(self.text, self.renamed(name))

    def renamed(self, name: PersonName) -> list[Span]:
        """The slots, with what `with_name` puts there as tokens."""
        return [span._replace(token=self._rendered(span, name)) for span in self.spans]

    def clashes_with(self, name: PersonName) -> bool:
        """True if a part of `name` is in the text already: the two could not be told apart."""
        return not self._present.isdisjoint(read_words(f"{name.given} {name.surname}").folded)

    @cached_property
    def _present(self) -> frozenset[str]:
        return frozenset(read_words(self.text).folded)

    def _rendered(self, span: Span, name: PersonName) -> str:
        if self.placed:
            return f"{name.given} {name.surname}"
        written = self.text[span.start : span.end]
        if span.category in ("email", "link", "photo") or re.search(r"\.\w{2,5}$|_", written):
            return self._in_address(written, name)
        words = words_of(written)
        folded = [word.folded for word in words]
        new = _in_case_of(written, name)
        has_surname = any(word in self.surname for word in folded)
        givens = [
            w for w in words if w.folded not in self.surname and (w.capitalised or w.folded not in PARTICLES)
        ]
        if not has_surname:
            return new.given
        if not givens:
            return new.surname
        initial = all(len(w.folded) == 1 for w in givens)
        given = f"{new.given[0]}." if initial else new.given
        if folded[0] in self.surname and folded[-1] not in self.surname:
            return f"{new.surname}{', ' if ',' in written else ' '}{given}"
        return f"{given} {new.surname}"

    def _in_address(self, written: str, name: PersonName) -> str:
        """jane.doe@ -> maria.lopez@, jdoe -> mlopez; what holds neither part stays."""
        place = written.split("@")[0]
        changed = place
        given, surname = _plain(name.given), _plain(name.surname)
        old_given = _plain(self.given)
        whole = r"[._-]?".join(re.escape(_plain(part)) for part in self.surname)
        for old in filter(None, (whole, *(re.escape(_plain(part)) for part in self.surname))):
            initial = rf"(?<![a-z]){old_given[0]}(?=[._-]?{old})" if old_given else r"(?!)"
            if re.search(old, changed, re.IGNORECASE):
                if old_given and (len(old_given) == 1 or old_given not in place.lower()):
                    changed = re.sub(initial, given[0], changed, count=1, flags=re.IGNORECASE)
                changed = re.sub(old, surname, changed, flags=re.IGNORECASE)
                break
        if len(old_given) > 1:
            changed = re.sub(
                rf"(?<![a-z]){old_given}|{old_given}(?![a-z])", given, changed, flags=re.IGNORECASE
            )
        return changed + written[len(place) :]


def find_name_slots(text: str, analysis: Analysis) -> NameSlots:
    """Where the candidate's name stands in normalised `text`, by what redaction found there.

    A resume without a name gets a line for one on top, as resumes have it; `placed` says so.
    """
    parts = list(analysis.own_name[:_MOST_PARTS])
    if not parts:
        placed = f"{_PLACEHOLDER}\n{text}"
        return NameSlots(placed, (Span(0, len(_PLACEHOLDER), "name", ""),), "", (), frozenset(), placed=True)
    given, surname = _split(text, analysis.spans, parts)
    initials = {part[0] for part in parts}
    own = frozenset(parts)
    spans = []
    for span in analysis.spans:
        written = text[span.start : span.end]
        if span.category == "name":
            words = [word.folded for word in words_of(written)]
            if not words and not re.search(r"\w", written):
                continue
            mine = all(
                word in own or word in PARTICLES or (len(word) == 1 and word in initials) for word in words
            )
            if mine or (
                re.search(r"\.\w{2,5}$|_", written) and any(_plain(part) in _plain(written) for part in own)
            ):
                spans.append(span)
        elif span.category in ("email", "link", "photo") and any(
            len(_plain(part)) > 1 and _plain(part) in _plain(written) for part in own
        ):
            spans.append(span)
    return NameSlots(text, tuple(spans), given, surname, own, placed=False)


_PLACEHOLDER = "[NAME]"
_MOST_PARTS = 20
"""Parts of one person's name. A text that gives more names as the candidate's own is no resume."""


def _split(text: str, spans: list[Span], parts: list[str]) -> tuple[str, tuple[str, ...]]:
    """Given name and the parts of the surname, from the fullest form in which the name stands."""
    fullest: list[str] = []
    inverted = False
    for span in spans:
        if span.category != "name":
            continue
        written = text[span.start : span.end]
        words = [w.folded for w in words_of(written)]
        own = [w for w in words if w in parts]
        if len(own) > len([w for w in fullest if w in parts]) and len(own) == len(
            [w for w in words if len(w) > 1 and w not in PARTICLES]
        ):
            fullest, inverted = words, "," in written
    long_words = [w for w in fullest if len(w) > 1 and w not in PARTICLES] or parts
    if len(long_words) == 1:
        others = [p for p in parts if p not in long_words]
        # "D. Patel": the long part is the surname if an initial stands before it.
        if any(len(w) == 1 for w in fullest) or (others and not fullest):
            initial = next((w for w in fullest if len(w) == 1), "")
            return others[0] if others else initial, tuple(long_words)
        return long_words[0], tuple(others)
    if inverted:
        return long_words[-1], tuple(long_words[:-1])
    return long_words[0], tuple(long_words[1:])


def _in_case_of(written: str, name: PersonName) -> PersonName:
    letters = [ch for ch in written if ch.isalpha()]
    if len(letters) > 1 and all(ch.isupper() for ch in letters) and len(written) > 2:
        return PersonName(name.given.upper(), name.surname.upper())
    if all(ch.islower() for ch in letters):
        return PersonName(name.given.lower(), name.surname.lower())
    return name


def _plain(text: str) -> str:
    return re.sub(r"[^a-z]", "", fold(text))
