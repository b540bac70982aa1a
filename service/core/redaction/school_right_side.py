"""What belongs to a school's name behind its key word: "of ...", "for Women", a town."""

from __future__ import annotations

from service.core.redaction.school_neighbours import Neighbours
from service.core.redaction.school_slots import TOWNS
from service.core.redaction.school_words import (
    INSIDE_RIGHT,
    NAMES_RIGHT,
    NOT_BEHIND,
    NOT_IN_NAME,
    OPENS_RIGHT,
    SEXES,
    STOPS_RIGHT,
    STUDY_FIELDS,
)

_MOST_RIGHT = 12


def right_of(near: Neighbours, k: int) -> tuple[int, bool]:
    """The last word of the name, and whether "of ..." behind the key word names it."""
    words, folded = near.words, near.words.folded
    if k + 1 >= len(folded) or not near.joined(k) or folded[k + 1] not in OPENS_RIGHT:
        return _with_town(near, k), False
    if folded[k + 1] == "in" or (folded[k + 1] == "de" and not words.capitalised[k]):
        return k, False
    last, i, taken = k, k + 1, 0
    while i < len(folded) and taken < _MOST_RIGHT:
        word = folded[i]
        if i > k + 1 and not near.joined(i - 1):
            comma = near.text[words.ends[i - 1] : words.starts[i]] == ", "
            listed = comma and last == i - 1 and word in STUDY_FIELDS and folded[i - 1] in STUDY_FIELDS
            if not (near.is_ampersand(i - 1) or listed):
                break
        if word in INSIDE_RIGHT:
            if i + 1 >= len(folded):
                break
            i, taken = i + 1, taken + 1
            continue
        small = (
            not words.capitalised[i]
            and word not in SEXES
            and not (last == i - 1 or i == k + 2) * (word in STUDY_FIELDS)
        )
        if small and (
            words.capitalised[k]
            or not near.in_education
            or (word in near.lexicon.english and word not in STUDY_FIELDS)
        ):
            break
        if word in STOPS_RIGHT or (
            word in NOT_IN_NAME and word not in STUDY_FIELDS and word not in NAMES_RIGHT
        ):
            break
        last, i, taken = i, i + 1, taken + 1
    return last, last > k


def _with_town(near: Neighbours, k: int) -> int:
    """The key word, or in a section of education the town right behind it: "University Chennai"."""
    words, folded = near.words, near.words.folded
    if not words.capitalised[k]:
        return _with_small_town(near, k)
    if not near.in_education:
        return _with_known_town(near, k)
    last = k
    while (
        last < k + 2
        and last + 1 < len(folded)
        and near.text[words.ends[last] : words.starts[last + 1]] == " "
    ):
        word = folded[last + 1]
        if (
            not words.capitalised[last + 1]
            or word in NOT_IN_NAME
            or word in STUDY_FIELDS
            or word in NOT_BEHIND
        ):
            return k if last + 1 < len(folded) and not words.capitalised[last + 1] else last
        last += 1
    return last


def _with_known_town(near: Neighbours, k: int) -> int:
    """The key word, or a town behind it that is in the list: "Heriot-Watt University Dubai"."""
    words = near.words
    for last in (k + 2, k + 1):
        if (
            last < len(words)
            and all(
                words.capitalised[i + 1] and near.text[words.ends[i] : words.starts[i + 1]] in (" ", "-")
                for i in range(k, last)
            )
            and " ".join(words.folded[k + 1 : last + 1]) in TOWNS
        ):
            return last
    return k


def _with_small_town(near: Neighbours, k: int) -> int:
    """As `_with_known_town` in small letters, which a section of education may be written in."""
    words = near.words
    last = k + 1
    if (
        near.in_education
        and last < len(words)
        and not words.capitalised[last]
        and near.text[words.ends[k] : words.starts[last]] == " "
        and (words.folded[last] in TOWNS or near.is_rare(last))
        and near.ends_cell(last)
    ):
        return last
    return k
