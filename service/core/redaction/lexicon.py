"""The word lists behind redaction and counterfactuals, which lie in `service/core/lexicons`.

The short ones are read with the module that makes a set or a pattern of them; the long ones when
`load_lexicon` is first called.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from service.core.errors import ConfigurationError
from service.core.once import LoadedOnce
from service.core.redaction.words import Words, fold, read_words

LEXICONS = Path(__file__).resolve().parents[1] / "lexicons"

_COMMON_COUNT = 20_000
"""A name borne by more people than this (census 2020) is a name even if it is an English word too."""


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of the table `name`, in order. Raises `OSError` if it cannot be read."""
    with (LEXICONS / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def short_table(name: str) -> list[dict[str, str]]:
    """As `read_rows`, for what is read at import. Raises `ConfigurationError` if the file is not there."""
    try:
        return list(read_rows(name))
    except OSError as error:
        raise ConfigurationError(f"the word list {name} cannot be read: {error.strerror}") from None


def words_by(column: str, name: str) -> dict[str, frozenset[str]]:
    """The words of a short table by what `column` says of them. Raises as `short_table`."""
    found: dict[str, set[str]] = {}
    for row in short_table(name):
        found.setdefault(row[column], set()).add(row["word"])
    return {key: frozenset(words) for key, words in found.items()}


def any_of(words: Iterable[str]) -> str:
    """A pattern of one of `words`, the longest first, so that it takes "South Sudan" whole.

    Words are grouped by their first letter: `re` tries the branches one after the other, and where none begins
    it tries one a letter instead of one a word. What matches is the same.
    """
    by_letter: dict[str, list[str]] = {}
    for word in sorted(words, key=lambda word: (-len(word), word)):
        by_letter.setdefault(word[0], []).append(re.escape(word[1:]))
    return (
        "(?:"
        + "|".join(f"{re.escape(letter)}(?:{'|'.join(rest)})" for letter, rest in sorted(by_letter.items()))
        + ")"
    )


_COUNTRIES = short_table("countries.csv")
COUNTRY_NAMES = frozenset(row["country"] for row in _COUNTRIES)
"""In English."""

DEMONYMS = frozenset(row["demonym"] for row in _COUNTRIES)
ANY_COUNTRY = any_of(COUNTRY_NAMES)
ANY_DEMONYM = any_of(DEMONYMS)


def _in_both_cases(phrase: str) -> tuple[str, ...]:
    return (phrase, phrase.upper()) if phrase.endswith("'s") or "'s " in phrase else (phrase,)


class Phrases:
    """A set of phrases that is found in a list of words, longest first."""

    def __init__(self, phrases: Iterable[str]) -> None:
        # In capitals "JOHN'S" is read as one word.
        written = [one for phrase in phrases for one in _in_both_cases(phrase)]
        self._phrases = {tuple(read_words(phrase).folded) for phrase in written} - {()}
        lengths: dict[str, set[int]] = {}
        for phrase in self._phrases:
            lengths.setdefault(phrase[0], set()).add(len(phrase))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}
        """Of the phrases that begin with a word: how many words they have, most first."""

    def find(self, words: Words, *, small: bool = False) -> Iterator[tuple[int, int]]:
        """Index ranges [first, stop) into `words`, apart from each other.

        A phrase of one or two words counts only if it starts with a capital, unless `small`.
        """
        lengths, folded = self._lengths, words.folded
        if lengths.keys().isdisjoint(folded):
            return
        free = 0  # the first word that no phrase holds yet
        for i in [i for i, first in enumerate(folded) if first in lengths]:
            if i < free:
                continue
            for length in lengths[folded[i]]:
                stop = i + length
                if (
                    stop <= len(folded)
                    and (length > 2 or small or words.capitalised[i])
                    and tuple(folded[i:stop]) in self._phrases
                ):
                    yield i, stop
                    free = stop
                    break


@dataclass(frozen=True)
class Lexicon:
    """`given_names` and `surnames`: folded name -> people in the United States who bear it."""

    given_names: dict[str, int]
    surnames: dict[str, int]
    english: frozenset[str]
    protected: Phrases
    protected_words: frozenset[str]
    universities: Phrases
    school_acronyms: frozenset[str]
    school_names: Phrases
    school_brands: Phrases

    def is_given_name(self, folded: str) -> bool:
        """True for a given name that is no English word, or that is far commoner as a name."""
        count = self.given_names.get(folded, 0)
        return count > 0 and (folded not in self.english or count >= _COMMON_COUNT)

    def is_surname(self, folded: str) -> bool:
        """True for a surname that is no English word, or that is far commoner as a name."""
        count = self.surnames.get(folded, 0)
        return count > 0 and (folded not in self.english or count >= _COMMON_COUNT)

    def is_ambiguous(self, folded: str) -> bool:
        """True if the word means something else too: it is hidden only where it refers to a person."""
        return folded in self.english or folded in self.protected_words


def load_lexicon() -> Lexicon:
    """Every list, read once a process: about 0.4 s and 23 MiB. Raises `WarmingUpError` if that fails now."""
    return _LEXICON()


def _read() -> Lexicon:
    aliases = list(read_rows("school_aliases.csv"))
    protected = [row["term"] for row in read_rows("protected_terms.csv")]
    protected += [row["firm"] for row in read_rows("gendered_firms.csv")]
    return Lexicon(
        given_names={row["name"]: int(row["count"]) for row in read_rows("given_names.csv")},
        surnames={row["name"]: int(row["count"]) for row in read_rows("surnames.csv")},
        english=frozenset((LEXICONS / "english_words.txt").read_text("utf-8").split()),
        protected=Phrases(protected),
        protected_words=frozenset(fold(term) for term in protected if " " not in term),
        universities=Phrases(row["name"] for row in read_rows("universities.csv")),
        school_acronyms=frozenset(row["alias"] for row in aliases if row["form"] == "acronym"),
        school_names=Phrases(row["alias"] for row in aliases if row["form"] == "name"),
        school_brands=Phrases(row["alias"] for row in aliases if row["form"] == "brand"),
    )


_LEXICON = LoadedOnce("the word lists", _read)
