"""Postal addresses: streets, postal codes and places of residence. Places of work stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import HEADER_CHARACTERS, Line
from service.core.redaction.lexicon import ANY_COUNTRY
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span, spans_of

_STREET_WORDS = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Ter|Square|Sq|"
    r"Crescent|Cres|Close|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Trl|Row|Mews|Grove|Gardens|Loop|Path|Pike|Plaza|"
    r"Alley|Walk|Hill|Quay|Broadway|Expressway|Turnpike|Crossing|Ridge|Nagar|Marg|Colony|Layout|Enclave|Sector)"
)
_UNIT = (
    r"(?:,?\s*(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Bldg|Building|Room|Rm|#)\.?\s*#?\s*[\w-]{1,6})?"
)
_POSTCODE = (
    r"(?:\d{5}(?:-\d{3,4})?|[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{3}\s?\d{3}|\d{4}\s?[A-Z]{2}|"
    r"\d{4}|〒?\d{3}-\d{4})"
)
_STATES = (
    r"(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|"
    r"W[AVIY]|PR|ON|QC|BC|AB|MB|SK|NS|NB|NL|PE|NSW|VIC|QLD|TAS)"
)
# Possessive ("+"): a long word is never tried shorter, or texts of capitals take quadratic time.
_CITY_WORD = r"[A-ZÀ-Þ][\w.'’]{1,30}+"
_CITY = (
    rf"(?<![\w-]){_CITY_WORD}(?:[ -](?:(?:upon|on|de|la|le|sur|am|an|of|the|do|da)[ -])?{_CITY_WORD}){{0,3}}"
)


_TAIL = (
    rf"(?:[ ]*,?[ ]*(?:{_CITY}|[A-Z]{{2,3}})(?=[ ,]*(?:[,\d]|{_STATES}\b|{ANY_COUNTRY}\b|$)))?"
    rf"(?:[ ]*,[ ]*(?:{_STATES}|{ANY_COUNTRY}|{_CITY}(?=[ ]*(?:,|\d|$))))?"
    rf"(?:[ ,-]*\b{_POSTCODE}\b)?(?:[ ]*,[ ]*{ANY_COUNTRY}\b)?"
)
_STREET = re.compile(
    rf"(?<![\w/.])\d{{1,6}}[A-Za-z]?(?:[-/]\d+[A-Za-z]?)?,?[ ]+(?:(?:[NSEW]\.?|North|South|East|West)[ ]+)?"
    rf"(?:[A-ZÀ-Þ0-9][\w'’.-]*[ ]+){{1,4}}{_STREET_WORDS}\b\.?{_UNIT}{_TAIL}",
    re.MULTILINE,
)
_EUROPEAN_STREET = re.compile(
    r"(?<![\w-])[A-ZÀ-Þ][\w-]{0,40}(?:straße|strasse|str\.|weg|gasse|platz|allee|ring|damm|ufer|laan|straat|gracht|gatan|vägen|vej|"
    rf"gade|gata|veien|katu|tie)\s+\d{{1,4}}\s?[a-zA-Z]?\b(?:\s*,?\s*\d{{4,5}})?(?:\s+{_CITY})?"
    r"|\b(?:\d{1,4}(?:\s?bis)?,?\s+)?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Vv]ia|[Vv]iale|[Cc]alle|[Cc]arrera|Av\.|Avenida|"
    r"Rua|Travessa|ul\.|Ulica|Piazza|Plaza|Strada|Jalan|Jl\.|Paseo|Camino|Corso)\s+(?:de\s|del\s|della\s|d[aeiou]s?\s|la\s)*"
    rf"[A-ZÀ-Þ][^\n,|•;]{{1,40}}?(?:,?\s*(?:n[º°.]\s*)?\d{{1,5}}\b)(?:\s*,?\s*\d{{4,5}})?(?:\s+{_CITY})?"
    r"|\b\d{1,4}(?:\s?bis)?,?\s+(?:rue|avenue|boulevard|place|chemin|impasse|allée|quai)\s+[^\n|•;,]{3,40}"
    rf"(?:,\s*\d{{5}}\s+{_CITY})?",
    re.MULTILINE,
)
_FIVE_DIGITS = re.compile(r"\d{5}")
_BOX = re.compile(rf"\bP\.?\s?O\.?\s?Box\s+\d+{_TAIL}", re.IGNORECASE | re.MULTILINE)
_CITY_STATE_ZIP = re.compile(rf"(?:{_CITY},?\s+)?\b{_STATES},?\s+\d{{5}}(?:-\d{{4}})?\b")
_NAMED_POSTCODE = re.compile(
    r"\b(?:zip|postal|post|pin|postcode|pincode|plz|cep|cp|eircode)\s*+(?:code)?\s*+(?:no\.?)?\s*+[:#.-]\s*+"
    r"(?P<value>[A-Z0-9][A-Z0-9 -]{2,9}[A-Z0-9])\b",
    re.IGNORECASE,
)
_UK_POSTCODE = re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d)\b")
_LABELLED_ADDRESS = re.compile(
    r"(?:^|(?<=[|•;,\n]))\W{0,3}(?:(?:home|mailing|permanent|current|present|residential|street|postal|correspondence)\s+)?"
    r"(?:address(?:\s*for\s*communication)?|residence|location|domicile|city|town|adresse|anschrift|dirección|indirizzo|"
    r"endereço|wohnort|domicilio)(?:\*\*)?\s*[:：](?:\*\*)?\s*"
    r"(?P<value>[^\s|•\[][^\n|•\[]*)",
    re.IGNORECASE | re.MULTILINE,
)
_BASED = re.compile(
    rf"\b(?:based in|residing in|living in|lives in|residing at|resident of)\s+(?P<value>{_CITY}(?:,\s*(?:{_STATES}|"
    rf"{ANY_COUNTRY}|{_CITY}))?)"
)
# "Austin, TX", "10115 Berlin", "Pune - 411001", "Flat 3, ...": the candidate lives there if it stands in the
# header; elsewhere it is a place of work.
_HEADER_PLACE = re.compile(
    rf"{_CITY},\s*(?:{_STATES}\b(?:,?\s*\d{{5}})?|{ANY_COUNTRY}\b(?!\s+(?:Institute|State|University|College|Tech)))(?:[\s,-]*\b{_POSTCODE}\b)?"
    rf"|\b(?!19|20)\d{{4,5}} {_CITY}(?:,\s*{ANY_COUNTRY}\b)?"
    rf"|{_CITY}\s*[-–,]\s*[1-9]\d{{2}}\s?\d{{3}}\b"
    rf"|\b(?:[Ff]lat|[Hh]ouse|[Pp]lot|[Dd]oor|H\.?\s?[Nn]o|[Bb]lock)\.?\s*+(?:[Nn]o\.?)?\s*+[:#.-]?\s*+[A-Z]?-?\d[^\n|•]*"
)


def find_streets(text: str) -> Iterator[Span]:
    """A number and a street, with what follows of the address."""
    yield from spans_of(_STREET, text, "address")


def find_european_streets(text: str) -> Iterator[Span]:
    """A street and its number, or "rue", "via", "calle" and the like."""
    yield from spans_of(_EUROPEAN_STREET, text, "address")


def find_postcodes(text: str) -> Iterator[Span]:
    """Postal codes that are known by their form, with the city before them, and boxes."""
    yield from spans_of(_UK_POSTCODE, text, "address")
    if _FIVE_DIGITS.search(text):
        yield from spans_of(_CITY_STATE_ZIP, text, "address")
    if "ox" in text or "OX" in text:
        yield from spans_of(_BOX, text, "address")


def find_named_postcodes(text: str) -> Iterator[Span]:
    """Postal codes in a field of that name."""
    yield from spans_of(_NAMED_POSTCODE, text, "address", "value")


def find_residence(text: str) -> Iterator[Span]:
    """Places after "living in" and the like."""
    yield from spans_of(_BASED, text, "address", "value")


def addresses_in_line(line: Line) -> Iterator[Span]:
    """Places in the header and in address fields; places of work stay. Offsets are into the line."""
    if line.section in ("header", "contact", "personal", "other") and not line.heading:
        yield from spans_of(_LABELLED_ADDRESS, line.text, "address", "value")
    if line.section == "header" and line.start < HEADER_CHARACTERS:
        yield from spans_of(_HEADER_PLACE, line.text[: HEADER_CHARACTERS - line.start], "address")


POSTCODES = Recogniser(prefilter(substrings="0123456789"), find_postcodes)
STREETS = Recogniser(
    prefilter("""street st avenue ave road rd boulevard blvd lane ln drive dr court ct way place pl terrace ter square sq crescent
        cres close parkway pkwy highway hwy circle cir trail trl row mews grove gardens loop path pike plaza alley walk hill
        quay broadway expressway turnpike crossing ridge nagar marg colony layout enclave sector"""),
    find_streets,
)  # fmt: skip
EUROPEAN_STREETS = Recogniser(
    prefilter("av avenida avenue boulevard via viale calle carrera rua rue travessa ul ulica piazza plaza strada jalan jl paseo camino "
        "corso place chemin impasse allee quai",
        ("straße", "strasse", "str.", "weg ", "gasse ", "platz ", "allee ", "ring ", "damm ", "ufer ", "laan ", "straat ",
         "gracht ", "gatan ", "vägen ", "vej ", "gade ", "gata ", "veien ", "katu ", "tie ")),
    find_european_streets,
)  # fmt: skip
NAMED_POSTCODES = Recogniser(
    prefilter("zip postal post pin postcode pincode plz cep cp eircode zipcode"), find_named_postcodes
)
RESIDENCES = Recogniser(prefilter(substrings=("based in", "resid", "living in", "lives in")), find_residence)
