"""Names of schools around a key word ("University", "high school"), read word by word.

A name reaches to the left over words that names hold, and to the right over "of ...", "for Women", a town or an
abbreviation in brackets. It ends at a comma, a gap or the end of the line, unless the name itself goes on there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from service.core.redaction.education_words import FIELDS
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.school_beginnings import DEGREE_BEHIND, behind_degree, initials_of_degree
from service.core.redaction.school_endings import with_rest
from service.core.redaction.school_neighbours import Neighbours
from service.core.redaction.school_right_side import right_of
from service.core.redaction.school_spelling import FIRST_LETTERS, key_word_meant
from service.core.redaction.school_words import (
    BEFORE_OF,
    ENDINGS,
    FIRM,
    GENERIC,
    GROUPS,
    INSIDE,
    INSIDE_RIGHT,
    KEYWORDS,
    KEYWORDS_OF_EDUCATION,
    LAST_WORDS,
    LOOKS_LIKE_VERB,
    NOT_A_SCHOOL,
    NOT_BEHIND,
    NOT_IN_NAME,
    QUALIFIERS,
    SEXES,
    STUDY_FIELDS,
    TRAINS,
)
from service.core.redaction.words import Words

_MOST_NAMES = 6
_MOST_SMALL_NAMES = 4
_MOST_QUALIFIERS = 4
_MOST_LEFT = 20
_FIELD_ENDING = re.compile(r"\w{3,30}(?:ology|istry|graphy|nomy|ics|sting|ching|ding|ting)$")
_VERB = re.compile(r"\w{2,30}(?:ed|ing)$")


class SchoolReader:
    """Reads the names of schools in one text. `in_education`: it is a section of education, where less is enough."""

    def __init__(self, text: str, words: Words, lexicon: Lexicon, *, in_education: bool) -> None:
        self._text = text
        self._words = words
        self._lexicon = lexicon
        self._in_education = in_education
        self._near = Neighbours(text, words, lexicon, in_education)

    def read(self) -> Iterator[tuple[int, int]]:
        """Where the names stand, as [start, end); some may overlap."""
        folded, in_education = self._words.folded, self._in_education
        for k, word in enumerate(folded):
            if (
                word in KEYWORDS
                or (in_education and word in KEYWORDS_OF_EDUCATION)
                or (len(word) > 9 and word.endswith(ENDINGS))
                or (word[:2] in FIRST_LETTERS and self._is_misspelt(k))
            ):
                found = self._around(k)
            elif word in GROUPS and k > 2 and folded[k - 2 : k] == ["group", "of"]:
                found = self._group(k)
            else:
                continue
            if found:
                yield found

    def _group(self, k: int) -> tuple[int, int] | None:
        """The name in front of "Group of Colleges": all words with capitals before "Group" name it."""
        words = self._words
        first = k - 2
        while (
            first
            and k - first < _MOST_NAMES
            and self._near.joined(first - 1)
            and words.capitalised[first - 1]
        ):
            first -= 1
        if first == k - 2 or words.folded[first] in NOT_IN_NAME:
            return None
        return words.starts[first], words.ends[k]

    def _is_misspelt(self, k: int) -> bool:
        word = self._words.folded[k]
        if not 5 <= len(word) <= 13:
            return False
        if word in self._lexicon.english and not (word == "collage" and self._in_education):
            return False
        return key_word_meant(word) and (self._words.capitalised[k] or self._in_education)

    def _around(self, k: int) -> tuple[int, int] | None:
        words, folded = self._words, self._words.folded
        key = folded[k]
        if (
            k + 1 < len(folded)
            and folded[k + 1] == "college"
            and key == "university"
            and self._near.joined(k)
        ):
            return None  # the college is the key word
        last, named_behind = right_of(self._near, k)
        if key == "faculty":
            if not (named_behind and words.capitalised[k]):
                return None
            return words.starts[k], words.ends[last]
        first, names, qualifiers = self._left(k)
        if key in LAST_WORDS:
            last = last if named_behind else k  # no town: "Gauhati High Court" is none
            if not self._near.ends_cell(last) or (key == "tech" and len(folded[k - 1]) < 3):
                return None  # "B.Tech"
            if key in ("public", "model") and not any(
                len(word) > 2 and word not in self._lexicon.english for word in folded[first:k]
            ):
                return None  # "Business Model"
        if key in ("center", "centre") and (k == 0 or folded[k - 1] not in TRAINS or not names):
            return None
        behind = folded[last + 1] if last + 1 < len(folded) and self._near.joined(last) else ""
        if behind in NOT_BEHIND and (last == k or behind.startswith(("press", "hospital"))):
            return None
        left = folded[first:k]
        if first and folded[first - 1] in NOT_A_SCHOOL and self._near.joined(first - 1):
            return None  # "Summer School of Machine Learning"
        if all(len(word) == 1 for word in left) and "&" in self._text[words.starts[first] : words.starts[k]]:
            return None  # "R&D Institute"
        if any(word in NOT_A_SCHOOL for word in left) or (names and FIRM.intersection(left)):
            return None
        if not names and not named_behind and not self._is_named_by_kind(first, k, qualifiers):
            return None
        if not self._is_written_as_name(first, k, last):
            return None
        if (
            first
            and folded[first - 1] == "the"
            and words.capitalised[first - 1]
            and self._near.joined(first - 1)
        ):
            first -= 1
        first = behind_degree(self._text, words, first, k)
        first = self._behind_field(first, k, named_behind=named_behind)
        start, end = words.starts[first], words.ends[last]
        found = self._text[start:end]
        if self._near.begins_cell(first):
            start += initials_of_degree(found)
        if _CERTIFIES.match(found):
            return None
        return start, with_rest(self._text, end)

    def _behind_field(self, first: int, k: int, *, named_behind: bool) -> int:
        """The first word of the name once a field of study is taken from it: "BA in English Literature Ajasin University"."""
        words, folded = self._words, self._words.folded
        if first and first < k and folded[first - 1] in FIELDS and self._near.joined(first - 1):
            # "B.E. in Computer Science University of Ghent", "... Govt. Polytechnic"
            named = first
            while named < k and folded[named] in FIELDS:
                named += 1
            if named_behind if named == k else self._is_named_by_kind(named, k, folded[named:k]):
                return named
        if not first or folded[first - 1] not in ("in", "of") or not self._near.joined(first - 1):
            return first
        if DEGREE_BEHIND.search(self._text, max(0, words.starts[first] - 40), words.starts[first]) is None:
            return first
        named = first
        while named < k and (
            folded[named] in FIELDS
            or _FIELD_ENDING.match(folded[named])
            or (named + 1 < k and folded[named] in QUALIFIERS and _FIELD_ENDING.match(folded[named + 1]))
        ):
            named += 1
        return (
            named
            if any(word not in QUALIFIERS for word in folded[named:k])
            or self._is_named_by_kind(named, k, folded[named:k])
            else first
        )

    def _left(self, k: int) -> tuple[int, int, list[str]]:
        """The first word of the name, how many words name it, and the words that only say which kind it is."""
        words, folded = self._words, self._words.folded
        first, names, i = k, 0, k - 1
        qualifiers: list[str] = []
        while (
            i >= 0 and k - i <= _MOST_LEFT and (self._near.joined(i) or self._is_in_pair(i, first, k, names))
        ):
            if folded[i] == "s" and i > 0 and self._text[words.starts[i] - 1] in "'’":
                i -= 1  # "Teacher's": the word before says what it is
            word = folded[i]
            if not names and word in QUALIFIERS and len(qualifiers) < _MOST_QUALIFIERS:
                qualifiers.append(word)
            elif names and self._joins_names(i):
                i -= 1
                continue
            elif names == _MOST_NAMES or not self._names(i, k, names):
                break
            else:
                names += 1
            first, i = i, i - 1
        if names and self._is_verb(first):
            first, names = first + 1, names - 1  # "Visited Stanford University"
        return first, names, qualifiers

    def _is_verb(self, i: int) -> bool:
        """True if word i begins a sentence as what somebody did."""
        word = self._words.folded[i]
        return (
            word in self._lexicon.english
            and word not in LOOKS_LIKE_VERB
            and _VERB.match(word) is not None
            and self._near.begins_cell(i)
        )

    def _names(self, i: int, k: int, names: int) -> bool:
        """True if word i can be a part of the name before key word k."""
        words = self._words
        word = words.folded[i]
        if word in NOT_IN_NAME and (len(word) > 1 or not self._is_initial(i)):
            return False
        if words.capitalised[i]:
            return True
        if i and words.capitalised[i - 1] and self._text[words.ends[i - 1] : words.starts[i]] == "-":
            return True  # "Sun Yat-sen"
        if self._in_education and not words.capitalised[k]:
            return names < _MOST_SMALL_NAMES
        return self._near.is_rare(i) and names < 2  # "mumbai University", "Pimpri chinchwad college"

    def _joins_names(self, i: int) -> bool:
        """True if word i stands inside a name: "Federal de Minas", "Lady of Fatima", "St. Francis of Assisi"."""
        words, folded = self._words, self._words.folded
        if i == 0 or not self._near.joined(i - 1) or not words.capitalised[i - 1]:
            return False
        if folded[i] == "of":
            return folded[i - 1] in BEFORE_OF or (i > 1 and folded[i - 2] in ("st", "saint", "san"))
        return folded[i] in INSIDE and folded[i - 1] not in NOT_IN_NAME

    def _is_in_pair(self, i: int, first: int, k: int, names: int) -> bool:
        """True if "&" joins word i to a name that begins right behind it: "Lewis & Clark", "Texas A&M"."""
        if i + 1 != first or first == k or not self._near.is_ampersand(i) or not self._words.capitalised[i]:
            return False
        before, behind = self._words.folded[i], self._words.folded[i + 1]
        return (len(before) > 1) == (len(behind) > 1) and (len(before) > 1 or (names == 1 and i > 0))

    def _is_initial(self, i: int) -> bool:
        """True for the "A" of "A.P.J. Kalam" and "A B Patil", not for the article."""
        words = self._words
        behind = self._text[words.ends[i] : words.ends[i] + 1]
        return words.written[i].isupper() and (behind == "." or len(words.folded[i + 1]) <= 2)

    def _is_named_by_kind(self, first: int, k: int, qualifiers: Sequence[str]) -> bool:
        """True for "National University", which is a school; "technical college" is any."""
        if (
            self._in_education
            and self._words.folded[k] not in KEYWORDS
            and self._words.folded[k].endswith(ENDINGS)
        ):
            return True  # "Realschule am Stadtpark"
        if not qualifiers or not self._words.capitalised[first]:
            return False
        if any(word not in GENERIC for word in qualifiers):
            return True
        if qualifiers[-1] == "state" and self._words.folded[k] in ("university", "college"):
            return self._in_education or (self._near.begins_cell(first) and self._near.ends_cell(k))
        return self._in_education and len(qualifiers) >= 3

    def _is_written_as_name(self, first: int, k: int, last: int) -> bool:
        """True unless the words may be a phrase: a name in small letters needs a rare word, or a cell of its own."""
        words = self._words
        if words.capitalised[k] and words.capitalised[first]:
            return True
        own = [i for i in range(first, k) if words.folded[i] not in QUALIFIERS]
        own += [
            i
            for i in range(k + 1, last + 1)
            if words.folded[i] not in STUDY_FIELDS
            and words.folded[i] not in INSIDE_RIGHT
            and words.folded[i] not in SEXES
        ]
        # The first word of the name, or the only one before a key word with a capital ("mumbai University").
        if any(
            self._near.is_rare(i) and (words.capitalised[i] or self._in_education or words.capitalised[k])
            for i in own
        ):
            return self._in_education or words.capitalised[first] or words.capitalised[k]
        if not self._in_education or not own:
            return words.capitalised[k] and bool(own)
        return (
            self._near.begins_cell(first)
            and self._near.ends_cell(last)
            and not _VERB.match(words.folded[first])
        )


_CERTIFIES = re.compile(
    r"(?:American Institute of|Project Management Institute|Chartered Institute|Royal Institute of British|SANS|CFA Institute|"
    r"American College of|Royal College of|AWS|National Institutes? of (?:Health|Standards)|National Cancer Institute|Infosec|"
    r"Institute for Healthcare|American Culinary)"
)
