"""E-mail addresses, phone numbers, links, postal addresses and photos."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.countries import COUNTRY_NAMES
from service.core.redaction.layout import Line
from service.core.redaction.policy import TOKENS
from service.core.redaction.spans import Span, spans_of

_EMAIL = re.compile(
    r"(?<![\w.+'’-])(?:mailto:)?[\w.+'’-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
    r"|(?<![\w.+'’-])[\w.+-]{1,64}\s?[\[({]\s?at\s?[\])}]\s?[\w-]{1,63}(?:\s?(?:[\[({]\s?dot\s?[\])}]|\.)\s?\w{1,63}){1,5}",
    re.IGNORECASE,
)

_PHONE = re.compile(r"(?<![\w.,/$€£#-])(?:\+|00)?[(]?\d(?:[\s().\-\u2010-\u2014/]{0,3}\d){6,14}(?![\w%])")
_PHONE_LABEL = re.compile(
    r"(?:tel|phone|mobile|cell|fax|whatsapp|telephone|telefon|teléfono|téléphone|handy|móvil|cellulare|"
    r"contact(?: no\.?| number)?|ph|mob|m|t|p|c|h)\.?\s*+(?:no\.?|number)?\s*+[:.#]?\s*+$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_EXTENSION = re.compile(r"\s*(?:ext|x|extension)\.?\s*\d{1,6}\b", re.IGNORECASE)

_SITES = (
    r"(?:linkedin|github|gitlab|bitbucket|twitter|x|medium|behance|dribbble|stackoverflow|kaggle|orcid|facebook|"
    r"instagram|researchgate|academia|xing|youtube|vimeo|upwork|leetcode|hackerrank|codepen|about|t|linktr|"
    r"scholar\.google|bit|angel|wellfound|substack|tiktok|pinterest|soundcloud|huggingface|npmjs|pypi)"
)
_LINK = re.compile(
    r"https?://[^\s<>\"'{}|\\^`\])]+"
    r"|\bwww\.[^\s<>\"'{}|\])]+"
    rf"|(?<![\w.-])(?:[\w-]{{1,63}}\.)?{_SITES}\.(?:com|org|io|net|me|co|ee|ai|edu|[a-z]{{2}})/[^\s<>\"'{{}}|\])]+"
    r"|(?<![\w.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|io|dev|me|co|info|edu|page|tech|ai|app|site|online|xyz|[a-z]{2})"
    r"/[\w~@./%#?=&-]*[\w/]",
    re.IGNORECASE,
)
_BARE_DOMAIN = re.compile(
    r"(?<![\w@.-])[a-z0-9][\w-]{2,62}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|io|dev|me|info|page|tech|site|online|xyz|design|blog)"
    r"\b(?!\.\w)",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,}")
_LABELLED_HANDLE = re.compile(
    r"(?:linked\s?in|git\s?hub|git\s?lab|skype|twitter|telegram|instagram|facebook|wechat|orcid|xing|behance|dribbble|"
    r"kaggle|website|portfolio|blog|homepage)\s*+(?:id|profile|handle|username|url)?\s*+[:：]\s*+"
    r"(?P<value>[^\s|•;,\[][^\n|•;,\[]*)",
    re.IGNORECASE,
)

_SIGN_OF_HANDLE = re.compile(r"[\d_./@-]")
_BLANK = re.compile(r"\s")

_STREET_WORDS = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|ThreadPool|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Ter|Square|Sq|"
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
_CITY_WORD = r"[A-ZÀ-Þ][\w.'’]{1,30}+"
_CITY = (
    rf"(?<![\w-]){_CITY_WORD}(?:[ -](?:(?:upon|on|de|la|le|sur|am|an|of|the|do|da)[ -])?{_CITY_WORD}){{0,3}}"
)
_COUNTRY = "(?:" + "|".join(map(re.escape, COUNTRY_NAMES)) + ")"
_TAIL = (
    rf"(?:[ ]*,?[ ]*(?:{_CITY}|[A-Z]{{2,3}})(?=[ ,]*(?:[,\d]|{_STATES}\b|{_COUNTRY}\b|$)))?"
    rf"(?:[ ]*,[ ]*(?:{_STATES}|{_COUNTRY}|{_CITY}(?=[ ]*(?:,|\d|$))))?"
    rf"(?:[ ,-]*\b{_POSTCODE}\b)?(?:[ ]*,[ ]*{_COUNTRY}\b)?"
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
    rf"{_COUNTRY}|{_CITY}))?)"
)
_HEADER_PLACE = re.compile(
    rf"{_CITY},\s*(?:{_STATES}\b(?:,?\s*\d{{5}})?|{_COUNTRY}\b(?!\s+(?:Institute|State|University|College|Tech)))(?:[\s,-]*\b{_POSTCODE}\b)?"
    rf"|\b(?!19|20)\d{{4,5}} {_CITY}(?:,\s*{_COUNTRY}\b)?"
    rf"|{_CITY}\s*[-–,]\s*[1-9]\d{{2}}\s?\d{{3}}\b"
    rf"|\b(?:[Ff]lat|[Hh]ouse|[Pp]lot|[Dd]oor|H\.?\s?[Nn]o|[Bb]lock)\.?\s*+(?:[Nn]o\.?)?\s*+[:#.-]?\s*+[A-Z]?-?\d[^\n|•]*"
)

_HEADER_CHARACTERS = 500
"""Where the header must end in a text without headings."""

# What is between two brackets may hold anything but another beginning of the same kind: then no two attempts
# read the same characters, and text of nothing but beginnings takes no longer than any other.
_LATEX_PHOTO = r"\\(?:includegraphics|photo)"
_PHOTO = re.compile(
    r"!\[(?:[^\]\n!]|!(?!\[))*+\](?:\((?:[^)\n!]|!(?!\[))*+\)|(?=\[))"
    r"|<img\b(?:[^<>]|<(?!img\b))*+>"
    r"|<figcaption>(?:[^<\n]|<(?!/?figcaption>))*+</figcaption>"
    rf"|{_LATEX_PHOTO}(?:\[(?:[^\]\n\\]|(?!{_LATEX_PHOTO})\\)*+\])*+\{{(?:[^}}\n\\]|(?!{_LATEX_PHOTO})\\)*+\}}"
    rf"(?:\{{(?:[^}}\n\\]|(?!{_LATEX_PHOTO})\\)*+\}})?"
    r"|\[(?:photo|picture|headshot|portrait|image)(?:[^\]\n\[]|\[(?!photo|picture|headshot|portrait|image))*+\]"
    r"|\((?:photo|picture|headshot|portrait)(?:[^)\n(]|\((?!photo|picture|headshot|portrait))*+\)"
    r"|(?<![\w-])[\w-]{0,60}?(?:photo|headshot|portrait|profile[_-]?pic|avatar|selfie)[\w-]{0,60}\.(?:jpe?g|png|webp|gif|heic)\b"
    r"|\b(?:alt(?:ernative)?[ -]?text|photo|picture|headshot|portrait)\s*[:=]\s*[\"“]?[^\s\[][^\n|\"”]*[\"”]?"
    r"|\b(?:photo|picture|portrait|headshot) of (?:[A-Z][\w'’.-]*\s?){1,4}",
    re.IGNORECASE,
)
_NOT_PHOTO = re.compile(r"(?:photo|picture|portrait)\s*:\s*(?:editing|retouching|adobe)", re.IGNORECASE)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, spelt-out ones included."""
    yield from spans_of(_EMAIL, text, "email")


def find_phones(text: str) -> Iterator[Span]:
    """Numbers of 7 to 15 digits in the form of phone numbers; periods of years are left alone."""
    for match in _PHONE.finditer(text):
        number = match[0]
        groups = re.findall(r"\d+", number)
        digits = sum(map(len, groups))
        labelled = _PHONE_LABEL.search(text, max(0, match.start() - 30), match.start()) is not None
        marked = number.startswith(("+", "(", "00"))
        if not (labelled or marked):
            if any(_YEAR.fullmatch(group) for group in groups) or "/" in number or "\n" in number:
                continue
            if len(groups) == 1 and not (number.startswith("0") and digits >= 9):
                if digits < 10 or digits > 11:
                    continue
            elif (
                (digits < 9 and not re.fullmatch(r"\d{3}[-. ]\d{4}", number))
                or len(groups) > 6
                or min(map(len, groups)) == 1
            ):
                continue
        if "\n" in number:
            number = number.split("\n")[0]
            if len(re.findall(r"\d", number)) < 7:
                continue
        end = match.start() + len(number)
        extension = _EXTENSION.match(text, end)
        yield Span(match.start(), extension.end() if extension else end, "phone", TOKENS["phone"])


def find_links(text: str) -> Iterator[Span]:
    """URLs and profile paths."""
    for span in spans_of(_LINK, text, "link"):
        end = span.end
        while end > span.start and text[end - 1] in ".,;:!?":
            end -= 1
        yield span._replace(end=end)


def links_in_line(line: Line) -> Iterator[Span]:
    """Bare domains and handles, which are links only where contact data stand. Offsets are into the line."""
    if line.section == "references" or (line.section == "header" and line.start < _HEADER_CHARACTERS):
        for pattern in (_BARE_DOMAIN, _HANDLE):
            yield from spans_of(pattern, line.text, "link")
    if ":" not in line.text and "：" not in line.text:
        return
    for match in _LABELLED_HANDLE.finditer(line.text):
        value = match["value"].strip()
        if line.section == "header" or (_SIGN_OF_HANDLE.search(value) and not _BLANK.search(value)):
            start = match.start("value")
            yield Span(start, start + len(value), "link", TOKENS["link"])


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
    if line.section in ("header", "other") and not line.heading:
        yield from spans_of(_LABELLED_ADDRESS, line.text, "address", "value")
    if line.section == "header" and line.start < _HEADER_CHARACTERS:
        yield from spans_of(_HEADER_PLACE, line.text[: _HEADER_CHARACTERS - line.start], "address")


def find_photos(text: str) -> Iterator[Span]:
    """Pictures and their captions, in Markdown, HTML, LaTeX and words."""
    for span in spans_of(_PHOTO, text, "photo"):
        if not _NOT_PHOTO.match(text, span.start) and text[span.start : span.end] != TOKENS["photo"]:
            yield span
