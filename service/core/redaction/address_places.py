"""Places as addresses name them: towns and regions of the list, with a postal code, a district or a State."""

from __future__ import annotations

import re

from service.core.redaction.lexicon import COUNTRY_NAMES, short_table
from service.core.redaction.streets import STATES
from service.core.redaction.words import fold

_PLACES = short_table("places.csv")
TOWNS = frozenset(fold(row["place"]) for row in _PLACES if row["kind"] == "town")
_REGIONS = frozenset(fold(row["place"]) for row in _PLACES if row["kind"] == "region") | frozenset(
    map(fold, COUNTRY_NAMES)
)
STATE = re.compile(rf"{STATES}(?:[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?)?")
TOWN_STATE_CODE = re.compile(
    rf"(?:[A-Z][\w'’.-]{{1,20}}[ ]){{1,3}}{STATES}[ ]{{1,2}}(?:\d{{4,5}}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d)"
)
CODE = re.compile(
    r"[ ]{0,2}[-–]?[ ]{0,2}(?:\d{3}[ ]?\d{3}|\d{4,5}(?:-\d{3,4})?|\d{2}-\d{3}|\d{3}-\d{4}|"
    r"[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d)$"
)
_CODE_BEFORE = re.compile(
    r"^(?:[A-Z]{1,2}-)?(?:\d{4}[ ]?[A-Z]{2}|\d{4,5}|\d{2}-\d{3}|\d{3}[ ]\d{2})[ ]{1,2}(?=[A-ZÀ-Þ])"
)
_DISTRICT = re.compile(r"(?<=[a-zà-ÿ])[ ]\d{1,2}$")  # "Praha 1"
_BRACKET = re.compile(r"[ ]?\([^()]{1,20}\)$")
_DIVIDED = re.compile(r"([^/]{2,40}?)(?:[ ][-–][ ]|/)([^/]{2,40})")


def place_of(part: str) -> str:
    """The kind of a place that is known, "town" or "region", with or without a postal code; else ""."""
    plain = _CODE_BEFORE.sub("", CODE.sub("", _BRACKET.sub("", part))).strip(" .()-")
    plain = _DISTRICT.sub("", plain)
    if not plain or not (plain[0].isupper() or plain.islower()):
        return ""
    folded = fold(plain)
    if folded in TOWNS:
        return "town"
    if folded in _REGIONS or (plain.isupper() and re.fullmatch(STATES, plain)):
        return "region"
    if divided := _DIVIDED.fullmatch(plain):
        return "town" if fold(divided[1]) in TOWNS or fold(divided[2]) in TOWNS else ""
    first, _, rest = plain.rpartition(" ")
    first = CODE.sub("", first)
    if first and fold(first) in TOWNS and (fold(rest) in _REGIONS or re.fullmatch(STATES, rest)):
        return "town"
    return ""
