"""Name candidates: words that are written as names are, and the evidence that they are one."""

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
    GENERATIONS,
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
_MOST_TITLES = 8
"""Before one name; what stands after more is announced by the later ones."""

_RARE_COUNT = 1000
_SURNAME_THOUGH_A_POST = 2000
_GIVEN_THOUGH_A_MONTH = 20_000
_NEVER_SURNAMES = frozenset(
    "male female junior senior co data sales center current student human general".split()
)
"""The census has bearers of these, but where they stand behind a word they are no surname."""

_HEAD_WORDS = 150
_HYPHENS = ("-", "‐", "‑")
_DUTCH = (" '", " ’")
"""Before the article in "van 't Hof"."""

_GAPS = (" ", *_HYPHENS, ". ", ".", "")
_OPENINGS = {" (": ")", ' "': '"', " “": "”", " '": "'", " ‘": "’", " [": "]", " „": "“", " «": "»"}
"""What opens a nickname, and what closes it: Wei (Vivian) Zhang, Tunde "TJ" Bakare."""

_MOST_NICKNAMES = 3
"""Words between the brackets."""

_CLOSINGS = frozenset(f"{closing} " for closing in _OPENINGS.values())
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


class ParsedResume:
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

    def is_name_word(self, i: int) -> bool:
        """True if word `i` is surely a name somewhere."""
        return self.lexicon.is_given_name(self.folded[i]) or self.lexicon.is_surname(self.folded[i])

    def candidate_at(self, start: int, *, most: int, strict: bool = True) -> NameCandidate | None:
        """Up to `most` words from `start` on that are written as a name is, without titles and credentials.

        `strict`: words of job titles and excluded characters end it.
        """
        starts, ends, folded, capitalised = self.starts, self.ends, self.folded, self.capitalised
        count = len(starts)
        first = bisect_left(starts, start)
        if first == count or starts[first] >= start + 4 or self.text[start : starts[first]].strip(" .-\"'("):
            return None
        last_title = min(count, first + _MOST_TITLES)
        while first < last_title and folded[first] in _TITLES:
            if not re.fullmatch(
                r"\.? ?", self.text[ends[first] : starts[first + 1]] if first + 1 < count else "x"
            ):
                return None
            first += 1
        if first >= count or (not capitalised[first] and folded[first] not in PARTICLES):
            return None
        stop = first + 1
        while stop < count and stop - first < most:
            gap = self.text[ends[stop - 1] : starts[stop]]
            if gap in _OPENINGS and not (gap in _DUTCH and folded[stop] in ("t", "s")):
                after = self._after_nickname(stop, _OPENINGS[gap])
                if after == stop:
                    break
                stop = after
                continue
            if gap[:2] in _CLOSINGS and gap[-1:] == " " and len(gap) == 2 and stop - first > 1:
                gap = " "  # behind a nickname
            if gap not in _GAPS and not (gap in _DUTCH and folded[stop] in ("t", "s")):
                break
            if (
                gap in (". ", ".")
                and len(self.written[stop - 1]) > 2
                # "Ramya. P" where names stand; elsewhere a new sentence begins.
                and (strict or len(folded[stop]) > 1 or folded[stop] in _NO_INITIALS or not capitalised[stop])
            ):
                break
            if gap == " " and self._opens_maiden_name(stop):
                stop += 2
                continue
            joined = capitalised[stop] or gap in _HYPHENS or gap in _DUTCH or folded[stop] in PARTICLES
            if not joined and folded[stop] not in self.evidence:
                break
            if strict and (folded[stop] in STOP_WORDS or self.is_excluded(starts[stop])):
                break
            stop += 1
        stop = self._without_credentials(first, stop)
        return NameCandidate(first, stop) if stop > first else None

    def placed_candidate_at(self, start: int, *, most: int) -> NameCandidate | None:
        """As `candidate_at` where a name is announced: words of posts in it are read as surnames if they may be."""
        loose = self.candidate_at(start, most=most, strict=False)
        if loose is not None and not self.holds_stop_word(loose, placed=True):
            return loose
        return self.candidate_at(start, most=most)

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
        if self.folded[first] in _MAIDEN and last > first:
            return last + 1
        if any(
            not self.capitalised[i]
            or self.folded[i] in STOP_WORDS
            or self.folded[i] in PLACES
            or self.folded[i] in CREDENTIALS
            or i in self.protected
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
        inside = self.text[self.starts[candidate.first] : end]
        for opening, shut in _OPENINGS.items():
            if closing == shut:
                mark = opening.strip()
                if inside.count(mark) % 2 if mark == shut else inside.count(mark) > inside.count(shut):
                    return True
        return False

    def score(self, candidate: NameCandidate, *, placed: bool = False) -> float:
        """Evidence that a candidate is a name, by its words alone.

        A known name counts 2, an unknown word 0.5, an English word -1.5, a word of the contact data 3 more.
        `placed`: it stands where names stand, so that short names which are words too (Yen Do) speak for it.
        """
        score = 0.0
        for i in range(candidate.first, candidate.stop):
            word = self.folded[i]
            if word not in self.evidence and (
                i in self.protected_phrases or (i in self.protected and len(candidate) == 1)
            ):
                score -= 2.0
                continue
            if word in self.evidence and len(word) > 2:
                score += 3.0
            given, surname = self.lexicon.is_given_name(word), self.lexicon.is_surname(word)
            small = word in PARTICLES and not (placed and self.capitalised[i] and self.is_rare_name(word))
            if len(word) == 1 or word in GENERATIONS or small:
                score += 0.25
            elif given or surname:
                score += 2.0
            elif placed and self.is_rare_name(word):
                score += 0.75
            elif word in self.lexicon.english:
                score -= 0.5 if self.is_known(word) else 1.0 if placed else 1.5
            elif len(word) <= 4 and self.written[i].isupper() and not self._in_capitals(i):
                score -= 0.0 if placed and self._all_capitals(candidate) else 1.0  # an acronym
            else:
                score += 0.5
            if (
                word in PLACES
                and word not in self.evidence
                and not (placed and self._is_bearer(candidate, i))
            ):
                score -= 1.5
        return score

    def _is_bearer(self, candidate: NameCandidate, i: int) -> bool:
        """True if place `i` is a name too and stands beside words of names that are no places: "Kofi Washington"."""
        others = [self.folded[j] for j in range(candidate.first, candidate.stop) if j != i]
        others = [word for word in others if len(word) > 1 and word not in PARTICLES]
        return (
            self.is_rare_name(self.folded[i])
            and bool(others)
            and all(
                (word not in PLACES and word not in self.lexicon.english) or self.is_rare_name(word)
                for word in others
            )
            and any(word not in PLACES for word in others)
        )

    def is_rare_name(self, folded: str) -> bool:
        """True for a word of a language that some hundred people or more have as a name."""
        counts = self.lexicon.given_names.get(folded, 0), self.lexicon.surnames.get(folded, 0)
        return max(counts) >= _RARE_COUNT

    def is_full_name(self, candidate: NameCandidate) -> bool:
        """True if every word of two or more is known as a name, however famous they are together."""
        return len(candidate) >= 2 and all(
            len(self.folded[i]) == 1
            or self.folded[i] in GENERATIONS
            or self.lexicon.is_given_name(self.folded[i])
            or self.lexicon.is_surname(self.folded[i])
            for i in range(candidate.first, candidate.stop)
        )

    def is_name(self, candidate: NameCandidate, *, need: float, placed: bool = False) -> bool:
        return (
            not self.holds_stop_word(candidate, placed=placed)
            and self.score(candidate, placed=placed) >= need
            and not self.is_excluded(self.starts[candidate.first])
        )

    def is_known(self, folded: str) -> bool:
        return (
            folded in self.evidence or folded in self.lexicon.given_names or folded in self.lexicon.surnames
        )

    def _in_capitals(self, i: int) -> bool:
        """True if a neighbour is in capitals and longer than an acronym: JANE DOE."""
        return any(
            len(self.written[j]) > 4 and self.written[j].isupper()
            for j in (i - 1, i + 1)
            if 0 <= j < len(self.written)
        )

    def _all_capitals(self, candidate: NameCandidate) -> bool:
        return len(candidate) > 1 and all(
            self.written[i].isupper() for i in range(candidate.first, candidate.stop)
        )

    def is_place(self, candidate: NameCandidate) -> bool:
        return any(self.folded[i] in PLACES for i in range(candidate.first, candidate.stop))

    def holds_stop_word(self, candidate: NameCandidate, *, placed: bool = False) -> bool:
        """True if a word of posts, months or organisations says that this is no name.

        `placed`: it stands where names stand, so that "Hope Page" and "June Carter" are names.
        """
        stops = [
            i
            for i in range(candidate.first, candidate.stop)
            if self.folded[i] in STOP_WORDS and self.folded[i] not in self.evidence
        ]
        if not stops or not placed or len(stops) > 1:
            return bool(stops)
        full = [i for i in range(candidate.first, candidate.stop) if len(self.folded[i]) > 1]
        if len(full) != 2 or any(i in self.protected for i in full):
            return True
        given, surname = (self.folded[i] for i in full)
        if stops[0] == full[1]:
            common = self.lexicon.surnames.get(surname, 0) >= _SURNAME_THOUGH_A_POST
            return not (common and surname not in _NEVER_SURNAMES and self._may_be_given_name(given))
        return not (
            self.lexicon.given_names.get(given, 0) >= _GIVEN_THOUGH_A_MONTH
            and given not in _NEVER_SURNAMES
            and surname not in PLACES
            and (self.lexicon.is_surname(surname) or self.is_rare_name(surname))
        )

    def _may_be_given_name(self, folded: str) -> bool:
        """True for a given name, and for one that nobody knows and that is no English word."""
        if folded in self.lexicon.english:
            return self.is_rare_name(folded)
        return folded not in PLACES and folded not in PARTICLES

    def refers_to_person(self, i: int) -> bool:
        """True for "Grace's", "Grace leads", "Dear Grace"."""
        start, end = self.starts[i], self.ends[i]
        if self.written[i].endswith(("'s", "’s")) or re.match(r"['’]s\b", self.text[end : end + 2]):
            return True
        following = i + 1
        if (
            following < len(self.folded)
            and self.folded[following] in PERSON_VERBS
            and self.starts[following] == end + 1
        ):
            return i not in self.protected_phrases
        return bool(
            re.search(r"\b(?:Dear|Hi|Hello|Mr\.?|Ms\.?|Mrs\.?|Dr\.?) $", self.text[max(0, start - 8) : start])
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
