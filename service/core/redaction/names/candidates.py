"""The evidence that words which are written as a name are one."""

from __future__ import annotations

import math
import re
from functools import cached_property

from service.core.redaction.names.name_forms import NameCandidate, ReadResume
from service.core.redaction.names.word_lists import (
    GENERATIONS,
    PARTICLES,
    PERSON_VERBS,
    PLACES,
    STOP_WORDS,
)

_RARE_COUNT = 1000
_SURNAME_THOUGH_A_POST = 2000
_GIVEN_THOUGH_A_MONTH = 20_000
_NEVER_SURNAMES = frozenset(
    "male female junior senior co data sales center current student human general".split()
)
"""The census has bearers of these, but where they stand behind a word they are no surname."""


class ParsedResume(ReadResume):
    """One text with its lines and words, and what in it speaks for a name."""

    @cached_property
    def _word_scores(self) -> dict[tuple[tuple[str, ...], bool, int, bool], float]:
        return {}

    def is_name_word(self, i: int) -> bool:
        """True if word `i` is surely a name somewhere."""
        return self.lexicon.is_given_name(self.folded[i]) or self.lexicon.is_surname(self.folded[i])

    def placed_candidate_at(self, start: int, *, most: int) -> NameCandidate | None:
        """As `candidate_at` where a name is announced: words of posts in it are read as surnames if they may be."""
        loose = self.candidate_at(start, most=most, strict=False)
        if loose is not None and not self.holds_stop_word(loose, placed=True):
            return loose
        return self.candidate_at(start, most=most)

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
        return self._word_score(candidate, placed) >= need and not self.is_excluded(
            self.starts[candidate.first]
        )

    def _word_score(self, candidate: NameCandidate, placed: bool) -> float:
        """As `score`; less than any need where a stop word says that this is no name.

        One long line may hold the same name thousands of times, so what was found for its words is kept.
        """
        first, stop = candidate
        if not self.protected.isdisjoint(range(first, stop)):
            return self._score_unless_stopped(candidate, placed)
        # The words beside it count too: they tell capitals from an acronym.
        key = tuple(self.written[max(0, first - 1) : stop + 1]), first == 0, stop - first, placed
        score = self._word_scores.get(key)
        if score is None:
            score = self._word_scores[key] = self._score_unless_stopped(candidate, placed)
        return score

    def _score_unless_stopped(self, candidate: NameCandidate, placed: bool) -> float:
        stopped = self.holds_stop_word(candidate, placed=placed)
        return -math.inf if stopped else self.score(candidate, placed=placed)

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
        if len(full) != 2 or any(i in self.protected and not self.is_name_word(i) for i in full):
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
        return folded not in PLACES and (folded not in PARTICLES or self.is_rare_name(folded))

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
