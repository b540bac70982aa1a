"""A resume as names are read from it, and the words in it that are written as a name is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.names.line_features import LineFeatures
from service.core.redaction.names.word_lists import (
    CREDENTIALS,
    PARTICLES,
    PERSON_VERBS,
    PLACES,
    STOP_WORDS,
)
from service.core.redaction.spans import Span
from service.core.redaction.words import Words, fold

_AFTER_PREPOSITION = re.compile(r"\b(?:at|for|@|with|by|of|using|in)\s+$")
_AFTER_AT = re.compile(r"(?:\b[Aa]t|@)\s{1,2}$")
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "mx"})
_TITLE_GAPS = frozenset({"", ".", " ", ". "})
_MOST_TITLES = 8
"""Before one name; what stands after more is announced by the later ones."""

_HEAD_WORDS = 150
_HYPHENS = ("-", "‐", "‑")
_DUTCH = (" '", " ’")
"""Before the article in "van 't Hof"."""

_BEFORE_ARTICLE = frozenset({"in", "op", "aan", "uit", "onder"})
_ARTICLES = frozenset({"t", "de", "den", "der", "het"})
_GAPS = (" ", *_HYPHENS, ". ", ".", "")
_OPENINGS = {" (": ")", ' "': '"', " “": "”", " '": "'", " ‘": "’", " [": "]", " „": "“", " «": "»"}
"""What opens a nickname, and what closes it: Wei (Vivian) Zhang, Tunde "TJ" Bakare."""

_MOST_NICKNAMES = 3
"""Words between the brackets."""

_SHUT = frozenset(_OPENINGS.values())
_CLOSINGS = frozenset(f"{closing} " for closing in _SHUT)
_MAIDEN = frozenset({"nee", "born", "geb", "geborene", "formerly", "alias", "aka"})
_NEE = frozenset({"nee", "geb", "geborene"})
_NO_INITIALS = frozenset("ai")
"""Letters that are words after a full stop."""

_DOTTED_DEGREES = frozenset(
    pair
    for pair in (
        ("ph", "d"), ("m", "d"), ("ed", "d"), ("psy", "d"), ("pharm", "d"), ("j", "d"), ("d", "phil"), ("m", "phil"),
        ("m", "a"), ("b", "a"), ("m", "s"), ("b", "s"), ("m", "sc"), ("b", "sc"), ("m", "tech"), ("b", "tech"),
        ("b", "e"), ("m", "e"), ("m", "ed"), ("b", "ed"), ("b", "com"), ("m", "com"), ("ll", "b"), ("ll", "m"),
        ("b", "eng"), ("m", "eng"), ("p", "e"), ("r", "n"), ("d", "sc"), ("sc", "d"), ("dr", "ing"),
    )
)  # fmt: skip
"""Degrees with dots, read as two words: Ph.D."""


class NameCandidate(NamedTuple):
    """Consecutive words that may be a name, as indices [first, stop) into the words of the text."""

    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first


class ReadResume:
    """One text with its lines and words, read for names.

    `features` belong to `lines`. `starts`, `ends`, `written`, `folded` and `capitalised` are those of its
    words; `protected` and `protected_phrases` are indices of words of tools and employers that look like names.
    `evidence`: words of the header that stand in an e-mail address or a profile link too.
    `excluded`: links, addresses, schools; nothing in them is a name.
    """

    def __init__(
        self,
        text: str,
        lines: Sequence[Line],
        words: Words,
        lexicon: Lexicon,
        excluded: Sequence[Span],
        features: Sequence[LineFeatures],
    ) -> None:
        self.text, self.lines, self.features, self.lexicon = text, lines, features, lexicon
        self.starts, self.ends, self.written = words.starts, words.ends, words.written
        self.folded, self.capitalised = words.folded, words.capitalised
        self._excluded_starts, self._excluded_ends = _merged(excluded)
        self._titles = (0, 0)
        """Words [first, stop) that are titles, each of them joined to the word behind it."""
        self.protected: set[int] = set()
        self.protected_phrases: set[int] = set()
        for line, one in zip(lines, features, strict=True):
            if one.protected:
                first = bisect_left(self.starts, line.start)
                for a, b in one.protected:
                    self.protected.update(range(first + a, first + b))
                    if b - a > 1:
                        self.protected_phrases.update(range(first + a, first + b))
        self.contact_words: dict[str, None] = {}  # in the order of the text, which a set would not keep
        self.evidence = self._contact_evidence()

    def words_in(self, start: int, end: int) -> range:
        """Indices of the words that begin in [start, end)."""
        return range(bisect_left(self.starts, start), bisect_left(self.starts, end))

    def follows_preposition(self, i: int) -> bool:
        """True after "at", "for" and so on, where an employer or a tool stands."""
        start = self.starts[i]
        return _AFTER_PREPOSITION.search(self.text[max(0, start - 8) : start]) is not None

    def follows_employer_preposition(self, i: int) -> bool:
        """True after "at" and "@", where an employer stands and nothing else."""
        start = self.starts[i]
        return _AFTER_AT.search(self.text[max(0, start - 5) : start]) is not None

    def is_followed_by_capital(self, candidate: NameCandidate) -> bool:
        """True if another word with a capital comes right behind."""
        after = candidate.stop
        return (
            after < len(self.starts)
            and self.capitalised[after]
            and self.text[self.ends[after - 1] : self.starts[after]] == " "
        )

    def precedes_person_verb(self, candidate: NameCandidate) -> bool:
        """True if a person does something right behind: "is", "has", "worked"."""
        after = candidate.stop
        if after >= len(self.folded) or self.capitalised[after] or self.folded[after] not in PERSON_VERBS:
            return False
        return self.text[self.ends[after - 1] : self.starts[after]] in (" ", ", ")

    def candidate_at(self, start: int, *, most: int, strict: bool = True) -> NameCandidate | None:
        """Up to `most` words from `start` on that are written as a name is, without titles and credentials.

        `strict`: words of job titles and excluded characters end it.
        """
        starts, ends, folded, capitalised = self.starts, self.ends, self.folded, self.capitalised
        count = len(starts)
        first = bisect_left(starts, start)
        if first == count or starts[first] >= start + 4 or self.text[start : starts[first]].strip(" .-\"'("):
            return None
        opening, last_title = first, min(count, first + _MOST_TITLES)
        if self._titles[0] <= first < self._titles[1]:  # many titles in a row are looked at once
            first = min(self._titles[1], last_title)
        while first < last_title and folded[first] in _TITLES:
            if first + 1 == count or self.text[ends[first] : starts[first + 1]] not in _TITLE_GAPS:
                return None
            first += 1
        if first > opening:
            self._titles = opening, first
        if first >= count or (not capitalised[first] and folded[first] not in PARTICLES):
            return None
        stop = first + 1
        while stop < count and stop - first < most:
            gap = self.text[ends[stop - 1] : starts[stop]]
            if gap != " ":
                is_dutch = gap in _DUTCH and folded[stop] in ("t", "s")
                if gap in _OPENINGS and not is_dutch:
                    after = self._after_nickname(stop, _OPENINGS[gap])
                    if after == stop:
                        break
                    stop = after
                    continue
                if gap[:2] in _CLOSINGS and gap[-1:] == " " and len(gap) == 2 and stop - first > 1:
                    gap = " "  # behind a nickname
                if gap not in _GAPS and not is_dutch:
                    break
                if (
                    gap in (". ", ".")
                    and len(self.written[stop - 1]) > 2
                    # "Ramya. P" where names stand; elsewhere a new sentence begins.
                    and (
                        strict
                        or len(folded[stop]) > 1
                        or folded[stop] in _NO_INITIALS
                        or not capitalised[stop]
                    )
                ):
                    break
            if gap == " " and folded[stop] in _NEE and self._opens_maiden_name(stop):
                stop += 2
                continue
            joined = (
                capitalised[stop]
                or gap in _HYPHENS
                or gap in _DUTCH
                or folded[stop] in PARTICLES
                or self._opens_dutch_surname(stop)
            )
            if not joined and (folded[stop] not in self.evidence or self.is_excluded(starts[stop])):
                break  # "jane doe" with jane.doe@ goes on, but not into the address
            if strict and (folded[stop] in STOP_WORDS or self.is_excluded(starts[stop])):
                break
            stop += 1
        stop = self._without_credentials(first, stop)
        return NameCandidate(first, stop) if stop > first else None

    def _opens_dutch_surname(self, i: int) -> bool:
        """True for the "in" of "in 't Veld" and the "op" of "op den Camp"."""
        after = i + 2
        return (
            self.folded[i] in _BEFORE_ARTICLE
            and after < len(self.folded)
            and self.folded[i + 1] in _ARTICLES
            and self.capitalised[after]
            and self.ends[i] + 2 >= self.starts[i + 1]
            and self.ends[i + 1] + 1 == self.starts[after]
        )

    def _after_nickname(self, first: int, closing: str) -> int:
        """The first word behind a nickname in brackets that begins with word `first`, or `first` if it is none."""
        last = first
        while last < min(len(self.starts), first + _MOST_NICKNAMES):
            following = self.text[self.ends[last] : self.ends[last] + 1]
            if following == closing:
                break
            if following not in (" ", ".", "-") or last + 1 == len(self.starts):
                return first
            last += 1
        else:
            return first
        inside = range(first, last + 1)
        # "Pesha (Pip) Quarvel": a tool's name may be a nickname, but not behind another tool.
        tool = first > 0 and first - 1 in self.protected
        if self.folded[first] in _MAIDEN and last > first:
            return last + 1
        if any(
            not self.capitalised[i]
            or self.folded[i] in STOP_WORDS
            or self.folded[i] in PLACES
            or self.folded[i] in CREDENTIALS
            or (i in self.protected and (tool or len(inside) > 1))
            for i in inside
        ):
            return first
        # In the middle of a name any word may be a nickname; at its end only one that is a name elsewhere.
        after = last + 1
        if (
            after < len(self.starts)
            and self.capitalised[after]
            and self.starts[after] == self.ends[last] + 2
            and self.folded[after] not in STOP_WORDS
        ):
            return after
        return after if all(self.lexicon.is_given_name(self.folded[i]) for i in inside) else first

    def _opens_maiden_name(self, i: int) -> bool:
        """True if word `i` is the "née" of "Mary Toogood née Ferrant"."""
        after = i + 1
        return (
            self.folded[i] in _NEE
            and after < len(self.starts)
            and self.capitalised[after]
            and self.text[self.ends[i] : self.starts[after]] in (" ", ". ")
        )

    def _without_credentials(self, first: int, stop: int) -> int:
        """Where the name [first, stop) ends if particles, "MBA" and "Ph.D." at its end are left out."""
        folded, written = self.folded, self.written
        while stop > first:
            last = folded[stop - 1]
            if (
                stop - first > 2
                and (folded[stop - 2], last) in _DOTTED_DEGREES
                and self.text[self.ends[stop - 2] : self.starts[stop - 1]] in (".", ". ")
                and (len(folded[stop - 2]) > 1 or stop - first > 3)
            ):
                stop -= 2
                continue
            is_credential = (
                last in CREDENTIALS
                and stop - first > 2
                and (
                    not self.is_known(last) or (written[stop - 1].isupper() and not written[first].isupper())
                )
            )
            if not is_credential and (last not in PARTICLES or self.capitalised[stop - 1]):
                break
            stop -= 1
        return stop

    def closes_nickname(self, candidate: NameCandidate) -> bool:
        """True if a bracket or quotation mark that opens inside `candidate` is closed right behind it."""
        if len(candidate) < 2:
            return False
        end = self.ends[candidate.stop - 1]
        closing = self.text[end : end + 1]
        if closing not in _SHUT:
            return False
        inside = self.text[self.starts[candidate.first] : end]
        for opening, shut in _OPENINGS.items():
            if closing == shut:
                mark = opening.strip()
                if inside.count(mark) % 2 if mark == shut else inside.count(mark) > inside.count(shut):
                    return True
        return False

    def is_known(self, folded: str) -> bool:
        return (
            folded in self.evidence or folded in self.lexicon.given_names or folded in self.lexicon.surnames
        )

    def is_excluded(self, position: int) -> bool:
        i = bisect_right(self._excluded_starts, position) - 1
        return i >= 0 and position < self._excluded_ends[i]

    def holds_excluded(self, start: int, end: int) -> bool:
        """True if excluded characters begin in [start, end)."""
        i = bisect_left(self._excluded_starts, start)
        return i < len(self._excluded_starts) and self._excluded_starts[i] < end

    def _contact_evidence(self) -> frozenset[str]:
        """Words of the text that also stand in an e-mail address or a profile link."""
        places = " ".join(contact for one in self.features for contact in one.contacts).lower()
        if not places:
            return frozenset()
        flat = fold(places)
        self.contact_words = contact_words = dict.fromkeys(re.split(r"[^a-z]+", flat))
        head = self.folded[:_HEAD_WORDS]
        inside = {word for word in head if word in flat}
        # "contact77@", "hello@": words that nobody bears as a name.
        inside = {
            word
            for word in inside
            if word not in self.lexicon.english
            or word in self.lexicon.given_names
            or (word in self.lexicon.surnames and word not in STOP_WORDS)
        }
        found = {word for word in inside if len(word) > 3 or (len(word) > 1 and word in contact_words)}
        for word in head:
            if not word.isascii():  # people write their addresses without the letters that ASCII lacks
                plain = re.sub(r"[^a-z]", "", word)
                if len(plain) > 3 and plain in flat:
                    found.add(word)
        for a, b in pairwise(head):
            both = a in inside and b in inside and len(a) > 1 and len(b) > 1
            if both and (a + b in contact_words or b + a in contact_words):
                found |= {a, b}
        return frozenset(found)


def _merged(spans: Sequence[Span]) -> tuple[list[int], list[int]]:
    """Starts and ends of the intervals that `spans` cover together, in order and apart."""
    starts: list[int] = []
    ends: list[int] = []
    for span in sorted(spans):
        if ends and span.start <= ends[-1]:
            ends[-1] = max(ends[-1], span.end)
        else:
            starts.append(span.start)
            ends.append(span.end)
    return starts, ends
