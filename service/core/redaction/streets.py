"""Streets with a number, by the way each country writes them.

Where the form alone does not tell ("3 Old Way", "Via Roma 5") the span is `WEAK` unless a town, a postal code or a flat
follows: a number before two words is more often a number of things.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import ANY_COUNTRY
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import SURE, WEAK, Span

STATES = (
    r"(?:A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|"
    r"W[AVIY]|PR|ON|QC|BC|AB|MB|SK|NS|NB|NL|PE|NSW|VIC|QLD|TAS)"
)
"""Abbreviations of the States and provinces of the United States, Canada and Australia."""

POSTCODE = (
    r"(?:\d{5}(?:-\d{3,4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Za-z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{3}\s?\d{3}|\d{4}\s?[A-Z]{2}|"
    r"(?!(?:19|20)\d\d\b)\d{4}|〒?\d{3}-\d{4}|\d{2}-\d{3})"
)
# Possessive ("+"): a long word is never tried shorter, or texts of capitals take quadratic time.
_CITY_WORD = r"[A-ZÀ-Þ][\w.'’]{1,30}+"
CITY = (
    rf"(?<![\w-]){_CITY_WORD}(?:[ -](?:(?:upon|on|de|la|le|sur|am|an|of|the|do|da)[ -])?{_CITY_WORD}){{0,3}}"
)
"""One to four words in capitals."""

_UNIT = (
    r"(?:,?[ ]{0,2}(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Bldg|Building|Room|Rm)\b\.?[ ]?#?[ ]?(?=[\w-]{0,5}\d|[A-Z]\b)[\w-]{1,6}"
    r"|\#[ ]?[\w-]{1,6}))?"
)
_TAIL = (
    rf"(?P<tail>{_UNIT}(?:[ ]{{0,2}}(?:NW|NE|SW|SE|N|S|E|W)\b)?"
    rf"(?:[ ]{{0,2}},?[ ]{{0,2}}{CITY}(?=[ ]{{0,2}},?[ ]{{0,2}}(?:{STATES}\b|{ANY_COUNTRY}\b|{POSTCODE}\b)))?"
    rf"(?:,[ ]{{0,2}}{CITY}(?=[ ]{{0,2}}(?:[,;|•)]|$)|[ ]{{1,2}}{POSTCODE}\b)){{0,3}}"
    rf"(?:[ ]{{0,2}},?[ ]{{0,2}}(?:{STATES}|{ANY_COUNTRY})\b)?(?:[ ,-]{{0,3}}\b{POSTCODE}\b)?(?:[ ]?,[ ]?{ANY_COUNTRY}\b)?)"
)
_STREET_WORDS = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Parkway|Pkwy|Highway|Hwy|Terrace|Crescent|Cres|Mews|Nagar|Marg|Colony|"
    r"Enclave|Expressway|Turnpike|Broadway|STREET|AVENUE|ROAD|LANE)"
)
# Words of other things too: "3 Way Match", "5 Day Close".
_OTHER_STREET_WORDS = (
    r"(?:Drive|Dr|Court|Ct|Way|Place|Pl|Ter|Square|Sq|Close|Circle|Cir|Trail|Trl|Row|Grove|Gardens|Loop|Path|Pike|Plaza|Alley|Walk|Hill|"
    r"Quay|Crossing|Ridge|Layout|Sector|Link|Rise|Green|Park|Gate|Bend|DRIVE|COURT|WAY)"
)
_HOUSE = r"(?<![\w/.,$€£#-])(?:(?:No|no|NO)\.?[ ]?)?\d{1,6}[A-Za-z]?(?:[-/]\d{1,4}[A-Za-z]?)?,?[ ]{1,2}(?:(?:[NSEW]\.?|North|South|East|West)[ ])?"
_WORD_OF_STREET = r"[A-ZÀ-Þ0-9][\w'’.-]{0,30}+[ ]"
_STREET = scan(
    rf"{_HOUSE}(?:{_WORD_OF_STREET}){{1,4}}(?:(?P<clear>{_STREET_WORDS})|{_OTHER_STREET_WORDS})\b\.?{_TAIL}"
)
_MORE_WORDS = re.compile(r"[ ][a-zß-ÿ]{3,}")
_YEAR = re.compile(r"(?:19|20)\d\d\b")

_SUFFIXES = r"(?:straße|strasse|str\.|gasse|gracht|straat|laan|gatan|vägen|veien|katu)"
# English words end like these: a letter before "ring" tells Nordring from Spring and Engineering.
_OTHER_SUFFIXES = (
    r"(?:(?:weg|platz|allee|damm|vej|gata|plein|kade|dijk|chaussee|ntie)|(?<![Bb]ri)(?<!ene)gade|(?<![aä])ufer|"
    r"(?:(?<=[a-zäöü]{2}[ndszlkmgf])|(?<=stadt)|(?<=[OW]est)|(?<=Hansa)|(?<=Kaiser))ring)"
)
_NUMBER = r"[ ]{1,2}\d{1,4}(?:[ ]?[a-zA-Z])?(?:[-/]\d{1,4}[a-z]?)?(?![\w.]?\d)\b"
_TOWN = rf"(?P<tail>(?:[ ]{{0,2}}[,|·•-]?[ ]{{0,2}}(?:[A-Z]{{1,2}}-)?(?:\d{{4,5}}|\d{{2}}-\d{{3}}|\d{{4}}[ ]?[A-Z]{{2}})[ ]{{1,2}}{CITY})?(?:,[ ]{ANY_COUNTRY}\b)?)"
_GERMANIC = scan(
    rf"(?<![\w-])(?=[\w-]{{3,60}}+\.?[ ]{{1,2}}\d)[A-ZÀ-Þ][\w-]{{0,40}}?(?:(?P<clear>{_SUFFIXES})|{_OTHER_SUFFIXES}){_NUMBER}{_TOWN}"
)
_GERMAN_WORDS = re.compile(
    rf"(?<![\w-])(?:[A-ZÄÖÜ][\w.-]{{1,30}}[ ]){{1,3}}(?:(?P<clear>Straße|Strasse|Str\.|Gasse|Allee|Chaussee)|Weg|Platz|Damm|Ufer){_NUMBER}{_TOWN}"
)
_GERMAN_WORD = re.compile(r"(?:Stra(?:ße|sse)|Str\.|Gasse|Allee|Chaussee|Weg|Platz|Damm|Ufer)[ ]{1,2}\d")
"""Stands in whatever the pattern above finds, and is found much faster."""

_FRENCH = scan(
    r"(?<![\w.,])\d{1,4}(?:[ ]?(?:bis|ter|quater))?,?[ ](?:(?P<clear>(?i:rue|chemin|impasse|allée|allee|faubourg|lotissement))|"
    r"(?i:avenue|av\.|boulevard|bd\.?|bld|place|quai|cours|square|route|résidence|villa|passage))[ ](?:(?:de|du|des|la|le|les|l['’]|d['’])[ ]?){0,3}"
    rf"[A-ZÀ-Þ0-9][^\n|•;,]{{1,40}}+(?P<tail>(?:,?[ ]{{0,2}}\d{{5}}[ ]{{1,2}}{CITY})?(?:,?[ ](?:France|Belgique|Belgium))?)"
)
# The street before its number: Spain, Portugal, Italy, Belgium, Poland, Indonesia, Romania, Turkey.
_ROMANCE = scan(
    r"(?<![\w.])(?:(?P<clear>Calle|Avenida|Avda\.?|Rua|Travessa|Alameda|Praça|Viale|Vicolo|Piazza|ul\.|Ul\.|Ulica|Jalan|Jln\.?|Jl\.|Lorong|"
    r"Bulevardul|Calea|Strada)|C/(?=[ ]?[A-ZÀ-Þ][a-zà-ÿ])|"
    r"(?:Rue|Av\.|Via|Corso|Plaza|Paseo|Camino|Largo|Estrada|Ronda|al\.|os\.|Lrg\.|Bd\.|Str\.|Prospekt))"
    r"(?:(?<=[./])[ ]{0,2}|[ ]{1,2})(?:(?:de|del|della|delle|dei|da|das|do|dos|di|la|las|los|el|y)[ ]){0,3}"
    r"[A-ZÀ-Þ][^\s,|•;\d]{1,30}+(?:[ ](?:de|del|da|das|do|dos|di|e|y|la)(?=[ ]))?(?:[ ][A-ZÀ-Þ][^\s,|•;\d]{1,30}+){0,3}"
    r"(?:(?P<sign>,[ ]?(?:n[º°.]?[ ]?)?|[ ](?:n[º°.]|N[º°o.]|nr\.?|No\.?|#)[ ]?)|[ ])\d{1,5}(?:[ ]?[A-Za-z]\b)?(?:/\d{1,4})?(?![\w.]?\d)"
    rf"(?P<tail>(?:[ ]{{0,2}}[,-]?[ ]{{0,2}}(?:\d{{4,5}}(?:-\d{{3}})?|\d{{2}}-\d{{3}})[ ,-]{{1,2}}{CITY})?(?:,[ ]{CITY}(?=[ ]{{0,2}}(?:[,;|•)-]|$)))?)"
)
_COLOMBIAN = scan(
    r"(?<!\w)(?:Carrera|Calle|Cra|Cll|Kra|Kr|Cr|Cl|Diagonal|Transversal|Avenida|Av)\.?[ ]\d{1,3}[ ]?[A-Z]?(?:[ ](?:Sur|Norte|bis))?[ ]?"
    r"(?:\#|No\.?|N[º°]|Nro\.?)[ ]?\d{1,3}[ ]?[A-Za-z]?[ ]?-[ ]?\d{1,3}"
)
# "235, World Cup buk-ro, Mapo-gu, Seoul, 03936": a road or quarter, and then what it lies in.
_KOREAN = re.compile(
    r"(?<![\w-])(?:\d{1,4}(?:-\d{1,4})?,?[ ])?(?:[A-Z][\w'-]{0,20}[ ]){0,3}[\w']{1,20}-?(?:(?<=-)(?:daero|ro|gil|dong|gu|si|eup|myeon))"
    r"(?:[ ]?\d{1,4}(?:beon)?(?:-?gil)?)?(?:,?[ ][\d-]{1,9})?(?:,[ ](?:Republic of Korea|[A-Z][\w'-]{0,20}|\d{1,5})(?:[ ][A-Z][\w'-]{0,20}){0,2}){1,6}(?:[ ,]{1,2}\d{5}\b)?"
)
_KOREAN_ROAD = re.compile(r"-(?:daero|ro|gil|dong|gu|si|eup|myeon)[ ,\d]")
"""Stands in whatever the pattern above finds, and in few other texts."""

_KOREAN_SIGN = re.compile(r"-(?:daero|ro|gil|dong|gu|si|eup|myeon|gun|do)\b")
_JAPANESE = scan(
    r"〒[ ]?\d{3}-\d{4}(?:[ ,]{1,2}[^\n|•]{0,80})?|(?<![\w-])\d{1,2}(?:-chome)?-\d{1,3}(?:-\d{1,4})?,?[ ][A-Z][\w-]{1,20}"
    r"(?:,?[ ][A-Z][a-z]{1,20}-(?:ku|shi|cho|machi|son|gun))(?:,[ ][A-Z][\w-]{1,20}){0,3}(?:[ ,]{1,2}\d{3}-\d{4})?"
)
_SINGAPOREAN = scan(
    r"(?<!\w)(?:Blk|BLK|Block)\.?[ ]?(?:No\.?[ ]?)?\d{1,4}[A-Z]?,?[ ](?:[A-Z][\w.'’-]{1,20}[ ]?){1,4}(?:(?:Ave|Avenue|St|Street|Rd|Road)?[ ]?\d{1,3}\b)?"
    r"(?:,?[ ]{0,2}\#\d{2}-\d{2,5})?(?:,?[ ]{0,2}(?:Singapore|S)[ ]?\(?\d{6}\)?)?"
    r"|(?<![\w#])\#\d{2}-\d{2,5}(?:,?[ ]{0,2}(?:Singapore|S)[ ]?\(?\d{6}\)?)?|(?<!\w)(?:Singapore[ ]|S)\(?\d{6}\)?(?!\w)"
)


def find_streets(text: str) -> Iterator[Span]:
    """A number and a street, with what follows of the address."""
    for match in _STREET.finditer(text):
        tail = match["tail"].strip(" ,.")
        clear = match["clear"] and not _MORE_WORDS.match(text, match.end())
        if _YEAR.match(match[0]):
            clear = None
        if match[0].startswith(tuple("0123456789")) and "," in match[0][:6] and _YEAR.match(match[0]):
            continue  # "2004, Newport News Road": the year of something before
        yield _span(match, SURE if clear or tail else WEAK, "street.number")


def find_european_streets(text: str) -> Iterator[Span]:
    """A street and its number, or "rue", "via", "calle" and the like."""
    for pattern, reason in (
        (_GERMANIC, "street.suffix"),
        (_GERMAN_WORDS if _GERMAN_WORD.search(text) else None, "street.suffix"),
        (_FRENCH, "street.french"),
    ):
        for match in pattern.finditer(text) if pattern else ():
            clear = match["clear"] and not _YEAR.search(match[0])
            yield _span(match, SURE if clear or match["tail"] else WEAK, reason)
    for match in _ROMANCE.finditer(text):
        year = _YEAR.search(match[0]) is not None
        if match["tail"] or not year:
            clear = (match["clear"] and not year) or (match["sign"] and match[0][:2] != "C/")
            clear = clear and not _MORE_WORDS.match(text, match.end())
            yield _span(match, SURE if clear or match["tail"] else WEAK, "street.prefix")


def find_asian_and_american_streets(text: str) -> Iterator[Span]:
    """Addresses of Korea, Japan, Singapore and Colombia, which go from the large to the small or by numbers alone."""
    for match in _COLOMBIAN.finditer(text):
        yield _span(match, SURE, "street.cross")
    for match in _KOREAN.finditer(text) if _KOREAN_ROAD.search(text) else ():
        if len(_KOREAN_SIGN.findall(match[0])) >= 2 or match[0][-5:].isdigit():
            yield _span(match, SURE, "street.korean")
    for match in _JAPANESE.finditer(text):
        yield _span(match, SURE, "street.japanese")
    for match in _SINGAPOREAN.finditer(text):
        yield _span(match, SURE if match[0][0] != "#" or "(" in match[0] else WEAK, "street.block")


def _span(match: re.Match[str], score: float, reason: str) -> Span:
    end = match.end()
    while match.string[end - 1] in " ,-":
        end -= 1
    return Span(match.start(), end, "address", TOKENS["address"], score, reason)


STREETS = Recogniser(
    prefilter("""street st avenue ave road rd boulevard blvd lane ln drive dr court ct way place pl terrace ter square sq crescent
        cres close parkway pkwy highway hwy circle cir trail trl row mews grove gardens loop path pike plaza alley walk hill
        quay broadway expressway turnpike crossing ridge nagar marg colony layout enclave sector link rise green park gate bend"""),
    find_streets,
)  # fmt: skip
EUROPEAN_STREETS = Recogniser(
    prefilter("av avda avenida avenue boulevard bd bld via viale vicolo calle c rua rue travessa ul ulica piazza plaza strada str jalan jl jln "
        "lorong paseo camino corso place chemin impasse allee quai cours square route residence villa passage faubourg lotissement "
        "alameda praca largo estrada ronda al os lrg bulevardul calea prospekt gasse chaussee weg platz damm ufer strasse",
        ("straße", "strasse", "str.", "weg ", "gasse ", "platz ", "allee ", "ring ", "damm ", "ufer ", "laan ", "straat ", "chaussee ",
         "gracht ", "gatan ", "vägen ", "vej ", "gade ", "gata ", "veien ", "katu ", "tie ", "plein ", "kade ", "dijk ")),
    find_european_streets,
)  # fmt: skip
OTHER_STREETS = Recogniser(
    prefilter("carrera calle cra cll kra kr cr cl diagonal transversal avenida av blk block singapore s",
              ("-daero", "-ro", "-gil", "-dong", "-gu", "-si", "-eup", "-myeon", "〒", "-ku", "-shi", "-cho", "-machi", "-son", "-gun", "#", "s(")),
    find_asian_and_american_streets,
)  # fmt: skip
