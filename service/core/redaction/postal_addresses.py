"""Postal codes, places of residence and fields of an address. Places of work stay.

Streets are in `streets`; whole lines of an address, which only the layout shows, in `address_lines`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.lexicon import ANY_COUNTRY
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import PrefilterText, Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import SURE, WEAK, Span, spans_of
from service.core.redaction.streets import CITY, POSTCODE, STATES

_BOX = re.compile(
    rf"\bP(?:ost)?\.?[ ]?O(?:ffice)?\.?[ ]?Box[ ]{{1,3}}\d{{1,9}}(?:[ -]\d{{3,9}})?(?:[ ]{{0,2}},?[ ]{{0,2}}{CITY})?(?:[ ]{{0,2}},?[ ]{{0,2}}(?:{STATES}|{ANY_COUNTRY})\b)?"
    rf"(?:[ ,-]{{0,3}}\b{POSTCODE}\b)?"
)
_BOX_OF_CAPITALS = re.compile(r"\bP\.?[ ]?O\.?[ ]?BOX[ ]{1,3}\d{1,9}(?:[ -]\d{3,9})?")
_STATE_AND_CODE = re.compile(r"[A-Z]{2},?[ ]{1,2}\d{5}")
_CITY_STATE_ZIP = re.compile(rf"(?:{CITY},?[ ]{{1,2}})?\b{STATES},?[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?\b")
# A value without digits is no code: "post-trade", "pin-point". "post" and "pin" alone are much else, so that
# only the six digits of India follow "pin", and none "post".
_NAMED_POSTCODE = scan(
    r"(?<![\w-])(?:(?:zip|postal|post)[ -]?code|zip|postcode|pin[ -]?code|plz|cep|c\.?p\.?|eircode|zipcode|código[ ]postal|code[ ]postal)"
    r"[ ]{0,3}(?:no\.?|number)?[ ]{0,3}[:#.-]{0,2}[ ]{0,3}(?P<value>(?=[A-Z -]{0,4}\d)(?:[A-Z]{0,2}\d[A-Z\d]{0,7}(?:[ -]\d[A-Z\d]{1,3})?))(?![\w%]|[.,]\d)"
    r"|(?<![\w-])pin[ ]{0,2}[:.-]{0,2}[ ]{0,2}(?P<pin>\d{3}[ ]?\d{3})(?!\w)",
    re.IGNORECASE,
)
_UK_AREAS = (
    r"(?:AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|GL|GU|GY|HA|HD|"
    r"HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|"
    r"S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE)"
)
# Not "S3 5TB" nor "M2 8GB": sizes of storage.
_UK_POSTCODE = scan(
    rf"(?<![\w.-])(?:{_UK_AREAS}\d[A-Z\d]? \d(?![GMTK]B\b)[A-Z]{{2}}|(?![DFIOQUWZ])[A-Z]\d[A-Z] \d[A-Z]\d)(?![\w-])"
)
_SECOND_HALF = re.compile(r" \d[A-Z]")
"""Stands in every code of the form above, and is found much faster."""

LABELLED_ADDRESS = re.compile(
    r"(?:^|(?<=[|•;,\n])|(?<=  ))\W{0,3}(?:(?:home|mailing|permanent|current|present|residential|street|postal|correspondence|local|my|full)[ ]{1,2}){0,2}"
    r"(?:address(?:[ ]?for[ ]?(?:communication|correspondence))?|residence|domicile|adresse|anschrift|dirección|indirizzo|"
    r"endereço|wohnort|domicilio|adres|residing at|(?P<place>location|city|town|hometown|home town))(?:\*\*)?[ ]{0,8}(?:\([^()\n]{1,30}\)[ ]?)?"
    r"(?:[:：][ ]?[-–]?|[ ][-–—](?=[ ])|(?<=ess)-)(?:\*\*)?[ ]{0,20}"
    r"(?P<value>[^\s|•\[](?:[^\n|•\[ ]|[ ](?![ ])){0,200}+)",
    re.IGNORECASE,
)
ADDRESS_LABELS = prefilter(
    "residence domicile anschrift direccion indirizzo endereco wohnort domicilio adres adresse residing "
    "location city town hometown",
    ("address",),
)
# The field behind an address on the same line.
_NEXT_FIELD = re.compile(
    r"[ ,;](?:e-?mail|phone|mobile|mob|tel|telephone|cell|contact|date of birth|dob|nationality)\b[^:\n]{0,12}:",
    re.I,
)
# Any other field behind a place, and the words of a sentence: "Pune Role: Tester", "Leeds, welder with 5 years".
_ANY_FIELD = re.compile(r"[ ,;](?:[A-Z][\w/-]{1,20}[ ]){0,2}[A-Z][\w/-]{1,20}[ ]?:(?!\d)")
_WORDS_BEHIND = re.compile(
    r"[,.;](?=[^,;]{0,80}?[ ](?:with|and|having|in|of|for|who|seeking|years?|experience|skills)\b)"
)
_RESIDENCE = re.compile(
    rf"(?<!\w)(?P<cue>[Bb]ased (?:in|out of)|[Rr]esiding (?:in|at)|[Ll]iving in|[Ll]ives in|[Rr]esident of|[Rr]eside in|(?<=I )live in)[ ]{{1,2}}"
    rf"(?P<value>{CITY}(?:,[ ]{{1,2}}(?:{STATES}\b|{ANY_COUNTRY}\b|{CITY}))?)"
)
# Whose residence it is: the words of the sentence before "based in".
_CLAUSE = re.compile(r"[^.;:|•()\n]{0,100}\Z")
_OWN = re.compile(
    r"(?:\b[Ii](?:['’]?m| am| live| was)?|\b[Ii] [a-z ]{0,30}|^\W{0,5}(?:[Cc]urrently|[Pp]resently|[Nn]ow|[Pp]ermanent(?:ly)?)?),?\W{0,5}$"
)
_OF_OTHERS = re.compile(
    r"\b(?:the|an?|our|their|its|his|her|my|for|at|with|to|by|of|from|and|client|clients|customers?|company|companies|firm|startup|start-up|team|teams|"
    r"office|subsidiary|agency|bank|people|families|children|adults|patients|students|women|men|residents|individuals|those|seniors|"
    r"veterans|refugees|immigrants|who|which|that|were|are|is|was)\b|,",
    re.IGNORECASE,
)


def find_postcodes(text: str) -> Iterator[Span]:
    """Postal codes that are known by their form, with the city before them, and boxes."""
    if _SECOND_HALF.search(text):
        yield from spans_of(_UK_POSTCODE, text, "address", reason="postcode.form")
    if _STATE_AND_CODE.search(text):
        yield from spans_of(_CITY_STATE_ZIP, text, "address", reason="postcode.state")
    if "ox" in text:
        yield from spans_of(_BOX, text, "address", reason="postcode.box")
    if "OX" in text:
        yield from spans_of(_BOX_OF_CAPITALS, text, "address", reason="postcode.box")


def find_named_postcodes(text: str) -> Iterator[Span]:
    """Postal codes in a field of that name."""
    for match in _NAMED_POSTCODE.finditer(text):
        start, end = match.span("value" if match["value"] else "pin")
        least = 5 if match[0][0] in "cC" else LEAST_DIGITS  # "CP-1252" is a code page
        if sum(map(str.isdigit, text[start:end])) >= least:
            yield Span(start, end, "address", TOKENS["address"], reason="postcode.label")


LEAST_DIGITS = 3
"""In a postal code behind its name."""


def find_residence(text: str) -> Iterator[Span]:
    """Places after "I am based in" and the like; where a firm or its head sits is a place of work."""
    for match in _RESIDENCE.finditer(text):
        before = text[max(0, match.start() - 100) : match.start()]
        clause = _CLAUSE.search(before)
        words = clause[0] if clause else ""
        if _OWN.search(words):
            score = SURE
        elif _OF_OTHERS.search(words) or len(words.split()) > 6:
            continue
        else:
            score = WEAK if match["cue"].lower().startswith("based") else SURE
        start, end = match.span("value")
        yield Span(start, end, "address", TOKENS["address"], score, "residence.phrase")


def addresses_in_line(line: Line, seen: PrefilterText) -> Iterator[Span]:
    """Places in fields of an address. Offsets are into the line, which `seen` is of."""
    if line.heading or line.section not in ("header", "contact", "personal", "references", "other"):
        return
    if not ADDRESS_LABELS.may_match(seen):
        return
    for match in LABELLED_ADDRESS.finditer(line.text):
        if match["place"] and line.section == "other":
            continue
        start, end = match.span("value")
        if behind := _NEXT_FIELD.search(line.text, start, end + 1):
            end = behind.start()
        if behind := _ANY_FIELD.search(line.text, start, end):
            end = behind.start()
        if match["place"] and (behind := _WORDS_BEHIND.search(line.text, start, end)):
            end = behind.start()
        while end > start and line.text[end - 1] in " ,;":
            end -= 1
        if start < end:
            yield Span(start, end, "address", TOKENS["address"], reason="address.label")


POSTCODES = Recogniser(prefilter(substrings="0123456789"), find_postcodes)
NAMED_POSTCODES = Recogniser(
    prefilter("zip postal post pin postcode pincode plz cep cp c eircode zipcode codigo"),
    find_named_postcodes,
)
RESIDENCES = Recogniser(
    prefilter(substrings=("based in", "based out", "resid", "living in", "lives in", "live in")),
    find_residence,
)
