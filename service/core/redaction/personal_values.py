"""The values of personal fields: the words that they are made of, and where one ends."""

from __future__ import annotations

import re
from itertools import islice

from service.core.redaction.lexicon import COUNTRY_NAMES, DEMONYMS, short_table
from service.core.redaction.words import fold, read_words


def _read_values() -> dict[str, frozenset[str]]:
    kinds: dict[str, set[str]] = {}
    for row in short_table("personal_values.csv"):
        kinds.setdefault(row["kind"], set()).add(fold(row["word"]))
    small = {"and", "of", "the", "new", "north", "south", "east", "west", "united"}
    peoples = {word for name in DEMONYMS | COUNTRY_NAMES for word in read_words(name).folded}
    kinds["country"] = peoples - small
    kinds["country_glue"] = small
    return {kind: frozenset(words) for kind, words in kinds.items()}


VALUE_WORDS = _read_values()


FIELD_WORDS: dict[str, frozenset[str]] = {
    "birth_date": VALUE_WORDS["month"],
    "age": frozenset(),
    "sex": VALUE_WORDS["sex"],
    "marital_status": VALUE_WORDS["marital_status"],
    "children": VALUE_WORDS["children"] | VALUE_WORDS["number"],
    "relatives": frozenset(),
    "nationality": VALUE_WORDS["nationality"] | VALUE_WORDS["country"],
    "birth_place": VALUE_WORDS["country"],
    "visa": VALUE_WORDS["visa"] | VALUE_WORDS["country"],
    "passport": VALUE_WORDS["passport"] | VALUE_WORDS["country"],
    "ethnicity": VALUE_WORDS["ethnicity"] | VALUE_WORDS["country"],
    "religion": VALUE_WORDS["faith"],
    "other": frozenset(),
}
"""Words that make a value one of the field."""


_HOUSEHOLD = (
    VALUE_WORDS["children"]
    | VALUE_WORDS["number"]
    | VALUE_WORDS["relation"]
    | VALUE_WORDS["glue"]
    | VALUE_WORDS["year_word"]
)


_GLUE: dict[str, frozenset[str]] = {
    "birth_date": VALUE_WORDS["glue"] | VALUE_WORDS["year_word"],
    "age": VALUE_WORDS["year_word"] | frozenset({"and", "of"}),
    "sex": frozenset({"and", "to", "not"}),
    "marital_status": _HOUSEHOLD,
    "children": _HOUSEHOLD,
    "nationality": VALUE_WORDS["country_glue"] | VALUE_WORDS["visa"] | VALUE_WORDS["glue"],
    "birth_place": VALUE_WORDS["country_glue"],
    "visa": VALUE_WORDS["country_glue"]
    | VALUE_WORDS["nationality"]
    | VALUE_WORDS["glue"]
    | VALUE_WORDS["month"],
    "passport": VALUE_WORDS["country_glue"] | VALUE_WORDS["month"],
    "ethnicity": VALUE_WORDS["country_glue"] | frozenset({"or", "not"}),
    "religion": frozenset({"of", "the", "roman", "and", "s"}),
}


_WITH_NUMBERS = frozenset({"birth_date", "age", "marital_status", "children", "visa", "passport"})


_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d{1,9}|\s{2,}|\n|.")


_INSIDE = frozenset(" .,/()-–&+'’:年月日#")


_LOOSE = re.compile(r"[^\n|;•·\[\]\t{}<>\"]{1,80}")


_LOOSE_END = re.compile(r"\s{2}|[.!?]\s|\s[-–—]\s")


_BORN_IN = re.compile(
    r",?\s(?:in|at|à|a|en|zu)\s[^\W\d_a-z][^\W\d_]{1,30}(?:,?\s[^\W\d_a-z][^\W\d_]{1,30}){0,2}"
)


_AFTER_NUMBER = frozenset("st nd rd th er º 年 月 日 年生 日生".split())
"""What follows a number of a date without a blank."""


_ENDS_VALUE = VALUE_WORDS["year_word"] | VALUE_WORDS["relation"] | VALUE_WORDS["children"]
"""What belongs to a value but does not begin one."""

_MOST_TOKENS = 40


_MOST_LOOSE_WORDS = 5


def strict_value(field: str, text: str, start: int, limit: int) -> int | None:
    """Where the value at `start` ends if its words are those of the field's values."""
    if field == "birth_place":
        return None
    keys, glue, numbers = FIELD_WORDS[field], _GLUE.get(field, frozenset()), field in _WITH_NUMBERS
    end: int | None = None
    found: list[str] = []
    digits: list[str] = []
    for match in islice(_TOKEN.finditer(text, start, limit), _MOST_TOKENS):
        token = match[0]
        if token[0].isalpha():
            word = fold(token)
            if field == "birth_date" and end == match.start() and word in _AFTER_NUMBER:
                end = match.end()
                continue
            code = field == "passport" and token.isupper() and len(token) <= 2
            if word in keys or code:
                found.append(word)
                end = match.end()
            elif word not in glue:
                break
            elif found or digits:
                end = match.end() if word in _ENDS_VALUE else end
        elif token.isdigit():
            if not numbers:
                break
            digits.append(token)
            end = match.end()
        elif token == ")" and end is not None and text.find("(", start, end) >= 0:
            end = match.end()
        elif token not in _INSIDE:
            break
    if end is None or not _is_value(field, found, digits):
        return None
    if field == "birth_date":
        place = _BORN_IN.match(text, end, limit)
        end = place.end() if place else end
    return end


def _is_value(field: str, found: list[str], digits: list[str]) -> bool:
    match field:
        case "birth_date":
            return bool(digits) and (
                any(len(number) in (4, 6, 8) for number in digits) or len(digits) + len(found) >= 2
            )
        case "age":
            return len(digits) == 1 and 14 <= int(digits[0]) <= 99
        case "children":
            return bool(found) or (len(digits) == 1 and len(digits[0]) == 1)
        case "passport":
            return bool(found) or any(len(number) >= 5 for number in digits)
        case _:
            return bool(found)


def loose_value(field: str, text: str, start: int, limit: int) -> int | None:
    """Where a short value ends whose words are not known: it must be no sentence."""
    match = _LOOSE.match(text, start, limit)
    if match is None:
        return None
    stop = _LOOSE_END.search(match[0])
    value = match[0][: stop.start()] if stop else match[0]
    if field not in ("birth_place", "relatives", "visa"):
        value = value.split(",")[0]
    count = len(value.split())
    if not count or count > _MOST_LOOSE_WORDS or not any(map(str.isalnum, value)):
        return None
    if field == "relatives" and not (value.strip()[0].isupper() and not any(map(str.isdigit, value))):
        return None
    return start + len(value.rstrip())
