"""Whole lines of an address, which their layout and their words show together.

Where contact data stand (the header, the contact and personal sections, references) each line is cut into cells, and
a cell goes whole if two things in it speak for an address: a flat, a street, a neighbourhood ("behind ..."), a postal
code, a town. Cells around it go too where a comma, a town or a postal code continues the address. A town alone is the
candidate's if contact data stand beside it, "Town, State" if the town is known or contact data stand beside it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.core.redaction.layout import HEADER_CHARACTERS, Line
from service.core.redaction.lexicon import COUNTRY_NAMES, short_table
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.spans import SURE, Span
from service.core.redaction.streets import STATES
from service.core.redaction.words import fold

_PLACES = short_table("places.csv")
_TOWNS = frozenset(fold(row["place"]) for row in _PLACES if row["kind"] == "town")
_REGIONS = frozenset(fold(row["place"]) for row in _PLACES if row["kind"] == "region") | frozenset(
    map(fold, COUNTRY_NAMES)
)
_WORDS = short_table("name_words.csv")
_NO_PLACE_WORDS = frozenset(
    row["word"] for row in _WORDS if row["kind"] in ("stop_word", "credential")
) | frozenset(fold(row["term"]) for row in short_table("protected_terms.csv") if " " not in row["term"])
"""Words of posts, firms and tools: "Software Engineer, Acme" is no place."""

_CONTACT: frozenset[Category] = frozenset({"email", "phone", "link"})
_LABEL_WORDS = frozenset(
    "phone mobile mob tel telephone email mail cell fax contact website linkedin github skype".split()
)

_CUT = re.compile(r"[|•·●■◦▪❖★◆♦➢✉☎;\t]|[ ]{2,}|[ ](?:[–—]|-)[ ](?=[A-Z][\w-]*[ ]?:)")
_ADDRESS_LABEL = re.compile(
    r"[\W_]{0,4}(?:(?:home|mailing|permanent|current|present|residential|postal|local|full)[ ]){0,2}"
    r"(?:address|addr|add|residence|location|adresse|anschrift|dirección|indirizzo|endereço|adres|domicilio)[ ]?[:：-]{0,2}[ ]{0,8}",
    re.IGNORECASE,
)

# What speaks for an address. A unit: "Flat 12B", "Room no 201", "#08-191", "H.No. 4-5/2".
_UNIT = re.compile(
    r"(?<![\w-])(?:flat|house|plot|door|room|shop|apt|apartment|unit|suite|block|blk|bldg|building|villa|floor|lot|[hdfqs]\.?[ ]?no|h\.?n|"
    r"qtr|quarter|p\.?[ ]?o\.?[ ]?box|ward|phase|gali|street|tower|bungalow|wing|survey|khasra|kothi|appt|piso|puerta|apto|bloque|"
    r"portal|whg|wohnung|bât|bâtiment|étage|appartement|interno|int|dpto|depto|kav|rt|rw|unit[ ]no)"
    r"(?:[ ]?(?:no|number|num|nr|#))?[ ]?[.:#-]{0,2}[ ]?[A-Z]{0,2}[-/]?\d[\w/-]{0,9}|(?<![\w#])\#[ ]?\d{1,4}(?:-\d{1,5})?[A-Za-z]?(?!\w)"
    r"|(?<!\w)\d{1,3}(?:st|nd|rd|th)[ ](?:floor|flr|cross|main|block|phase|stage)\b|(?<!\w)(?:first|second|third|ground)[ ]floor\b",
    re.IGNORECASE,
)
_HOUSE = re.compile(
    r"\W{0,3}(?:No\.?[ ]?|#[ ]?)?\d{1,5}[ ]?[A-Za-z]?(?:[-/][\dA-Z]{1,5}){0,4}(?:[ ]?,[ ]?|[ ])(?=[A-ZÀ-Þa-z#\d])",
    re.IGNORECASE,
)
_HOUSE_BEHIND = re.compile(r"[A-ZÀ-Þ][\w.'’ -]{2,40}[ ]\d{1,4}[ ]?[a-zA-Z]?(?:[/-]\d{1,4})?\W{0,2}$")
_RELATION = re.compile(
    r"(?<![\w/])(?:[SDWC][/.]o\b\.?|(?:behind|opposite|opp\b\.?|near(?:by)?|nr\.|beside|besides|next[ ]to|adjacent[ ]to|off|in[ ]front[ ]of)[ ]{1,2}"
    r"(?=(?-i:[A-Z0-9]))|at[ ]?[/&-]?[ ]?post\b|post[ ]?[:-]|tal(?:uka|uk|\.)|tehsil|teh[.:]|dist(?:rict|t)?[ ]?[.:-]|district\b|mandal\b|"
    r"vill(?:age)?\b|p\.?o[.:]|p\.?s[.:]|mohalla\b|via[ ]?[-:])",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?<![\w-])(?:street|road|rd|lane|avenue|ave|nagar|colony|marg|chowk|bazaa?r|layout|enclave|vihar|puram|apartments?|residency|residences?|"
    r"heights|towers?|society|complex|chs|estate|close|crescent|drive|link|walk|grove|terrace|court|gardens?|park|quay|way|square|sector|"
    r"main|cross|extension|extn|village|junction|housing|nivas|niwas|bhavan|bhawan|sadan|villas?|hostel|boulevard|blvd|highway|hwy|circuit|"
    r"rise|mews|barangay|brgy|subdivision|subd|compound|taman|jalan|jln|jl|lorong|kampung|desa|kel|kec|kecamatan|kelurahan|kota|kab|rua|rue|"
    r"calle|avenida|avda|via|viale|piazza|col|colonia|bairro|urb|urbanización|barrio|ulica|ul|osiedle|cad|sok|mah|mahallesi|sokak|caddesi|"
    r"quận|phường|đường|district|ward|phase|street|stage|place|hill|view|crossing|gate)(?!\w)"
    r"|[\w]-(?:ro|gil|dong|gu|si|daero|ku|shi|cho|machi|chome)\b|\w(?:straße|strasse|str\.|gasse|weg|platz|allee|gatan|vägen|straat|laan|nagar|"
    r"pura|puram|pur|palli|pally|guda|halli|wadi|wada|peth|ganj)(?!\w)",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<![\w/.#-])(?:\d{3}[ ]?\d{3}|\d{5}(?:-\d{3,4})?|(?!(?:19|20)\d\d(?!\d))\d{4}(?:[ ]?[A-Z]{2})?|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|"
    r"\d{2}-\d{3}|〒?\d{3}-\d{4}|[A-Z]{1,2}-\d{4,5})(?![\w/]|-\d|[.,]\d)",
)
_LONG_POSTCODE = re.compile(r"(?<![\w/.#-])(?:\d{3}[ ]?\d{3}|\d{5}(?:-\d{3,4})?)(?![\w/]|-\d|[.,]\d)")
_WORD = re.compile(r"[^\W\d_][\w'’.]{0,40}+(?:-[\w'’]{1,40}+){0,3}")
_SMALL = frozenset(
    "no of near behind opp opposite off and the de la le du des del della da do das dos di el los las y e a al an der den am im zu zum zur von "
    "van rue street road st rd nagar colony lane post at dist via to floor flat house plot door room block sector phase main cross next "
    "beside bis ter nr upon on sur th nd rd st".split()
)
MOST_CHARACTERS = 160
"""In a cell that is an address."""


class _Cell(NamedTuple):
    start: int
    end: int
    text: str
    line: int
    contact: bool
    first: bool = False
    """It begins the resume, where the name stands."""
    open_end: bool = False
    """A comma ends it: the next cell goes on."""


def address_lines(lines: Sequence[Line], found: Sequence[Span]) -> Iterator[Span]:
    """Spans of whole address lines. `found`: what was found so far in the text that `lines` are of."""
    places = sorted(
        (span.start, span.end) for span in found if span.category in _CONTACT and span.score >= SURE
    )
    cells: list[_Cell] = []
    behind = -2
    for number, line in enumerate(lines):
        if line.heading or not _may_hold(line):
            continue
        if number != behind + 1 and cells:
            yield from _of_block(cells)
            cells = []
        behind = number
        cells += _cells_of(line, number, places)
    if cells:
        yield from _of_block(cells)


def _may_hold(line: Line) -> bool:
    if line.section == "header":
        return line.start < HEADER_CHARACTERS
    return line.section in ("contact", "personal", "references")


def _cells_of(line: Line, number: int, places: Sequence[tuple[int, int]]) -> Iterator[_Cell]:
    """The cells of a line: what signs, wide gaps and contact data part."""
    limit = HEADER_CHARACTERS - line.start if line.section == "header" else len(line.text)
    cuts: list[tuple[int, int, bool]] = [(m.start(), m.end(), False) for m in _CUT.finditer(line.text)]
    for start, end in places[bisect_left(places, (line.start, 0)) :]:
        if start >= line.end:
            break
        cuts.append((start - line.start, min(end, line.end) - line.start, True))
    cuts.sort()
    position = 0
    for start, end, contact in (*cuts, (len(line.text), len(line.text), False)):
        if position < start and position < limit:
            yield from _cell(line, position, start, number)
        if contact:
            yield _Cell(line.start + start, line.start + end, "", number, True)
        position = max(position, end)


def _cell(line: Line, start: int, end: int, number: int) -> Iterator[_Cell]:
    text = line.text[start:end]
    if "[" in text and any(token in text for token in TOKENS.values()):
        contact = any(TOKENS[category] in text for category in _CONTACT)
        yield _Cell(line.start + start, line.start + end, "", number, contact)
        return
    plain = text.strip(" ,.-–—()")
    if plain:
        words = {fold(word) for word in _WORD.findall(plain)[:3]}
        begin = line.start + start + text.index(plain)
        cell = plain if not words or not words <= _LABEL_WORDS else ""
        first = line.start == 0 and start == 0
        open_end = text.rstrip().endswith(",")
        yield _Cell(begin, begin + len(plain), cell, number, False, first, open_end)


def _of_block(cells: Sequence[_Cell]) -> Iterator[Span]:
    """Spans in cells that follow each other."""
    kinds = ["" if cell.contact or not cell.text else _kind(cell) for cell in cells]
    taken = [kind == "address" for kind in kinds]
    for i, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
        beside = {j for j in (i - 1, i + 1) if 0 <= j < len(cells) and abs(cells[j].line - cell.line) <= 1}
        contact = any(cells[j].contact for j in beside)
        if kind == "region town" or (kind == "town" and contact and not cell.first):
            taken[i] = True
        elif kind == "state":
            taken[i] = not cell.first and (contact or any(kinds[j] == "address" for j in beside))
        elif kind == "ending":
            yield from _ending(cell)
    for i in range(len(cells)):  # an address goes on
        if taken[i] and kinds[i] == "address" and i + 1 < len(cells) and not taken[i + 1]:
            taken[i + 1] = _continues(cells[i], cells[i + 1], kinds[i + 1])
            if taken[i + 1]:
                kinds[i + 1] = "address"
    for i in range(len(cells) - 1, 0, -1):  # and began before
        before = cells[i - 1]
        if (
            taken[i]
            and not taken[i - 1]
            and not before.first
            and 0 < len(before.text) <= 60
            and cells[i].line - before.line <= 1
        ):
            number = _HOUSE_BEHIND.match(before.text) or (
                _HOUSE.match(before.text) and "," not in before.text[:1]
            )
            if kinds[i - 1] in ("state", "town", "unit") or (
                _is_plain(before.text) and (number or before.open_end) and kinds[i] == "address"
            ):
                taken[i - 1] = True
                kinds[i - 1] = "address"
    for cell, is_address in zip(cells, taken, strict=True):
        if is_address:
            yield from _whole(cell)


def _kind(cell: _Cell) -> str:
    """What a cell is: "address", "unit", "region town", "town", "state" (a place by its form only), "ending" or ""."""
    text = cell.text
    if len(text) > MOST_CHARACTERS or "@" in text or "://" in text:
        return ""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    label = _ADDRESS_LABEL.match(text)
    if label and label.end() < len(text) and parts:
        parts[0] = parts[0][label.end() :].strip() or parts[0]
    known = [_place_of(part) for part in parts]
    if len(parts) <= 4 and all(known) and "town" in known[:1]:
        return "region town" if len(parts) > 1 or _POSTCODE.search(text) else "town"
    unit, relation, street = _UNIT.search(text), _RELATION.search(text), _STREET.search(text)
    postcode, house = _POSTCODE.search(text), _HOUSE.match(text)
    town = "town" in known or "region" in known[1:]
    evidence = sum(map(bool, (unit, relation, street or (house and len(parts) > 1), postcode, town)))
    strong = bool(
        unit
        or relation
        or (street and (house or postcode or town))
        or (house and town)
        or (postcode and town)
    )
    if strong and evidence >= 2 and _is_plain(text):
        return "address"
    if unit and unit.end() - unit.start() >= len(text) - 3:
        return "unit"
    if len(parts) == 2 and _STATE.fullmatch(parts[1]) and _is_plain(parts[0]) and parts[0][0].isupper():
        return "state"
    if (
        _LONG_POSTCODE.search(text)
        and _is_plain(text)
        and len(text) <= 40
        and len(_WORD.findall(text)) <= 4
        and text[0].isalnum()
    ):
        return "state"
    if len(parts) > 2 and known[-1] == "region" and known[-2] == "town":
        return "ending"
    return ""


_STATE = re.compile(rf"{STATES}(?:[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?)?")
_CODE = re.compile(
    r"[ ]{0,2}[-–]?[ ]{0,2}(?:\d{3}[ ]?\d{3}|\d{4,5}(?:-\d{3,4})?|\d{2}-\d{3}|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d)$"
)
_CODE_BEFORE = re.compile(
    r"(?:[A-Z]{1,2}-)?(?:\d{4,5}|\d{2}-\d{3}|\d{4}[ ]?[A-Z]{2}|\d{3}[ ]\d{2})[ ]{1,2}(?=[A-ZÀ-Þ])"
)


def _place_of(part: str) -> str:
    """The kind of a place that is known, "town" or "region", with or without a postal code; else ""."""
    plain = _CODE_BEFORE.sub("", _CODE.sub("", part)).strip(" .()-")
    if not plain or not (plain[0].isupper() or plain.islower()):
        return ""
    folded = fold(plain)
    if folded in _TOWNS:
        return "town"
    if folded in _REGIONS or (plain.isupper() and re.fullmatch(STATES, plain)):
        return "region"
    first, _, rest = plain.rpartition(" ")
    if first and fold(first) in _TOWNS and (fold(rest) in _REGIONS or re.fullmatch(STATES, rest)):
        return "town"
    return ""


def _is_plain(text: str) -> bool:
    """True for words in capitals, small words of addresses and numbers; false for words of a sentence, a post or a firm."""
    words = _WORD.findall(text)
    folded = [fold(word.rstrip(".")) for word in words]
    if any(word in _NO_PLACE_WORDS and word not in _SMALL and not _STREET.fullmatch(word) for word in folded):
        return False
    small = sum(
        word[0].islower() and one not in _SMALL and not _STREET.fullmatch(word)
        for word, one in zip(words, folded, strict=True)
    )
    return small <= 1 or (text.islower() and len(words) <= 12)


def _continues(cell: _Cell, following: _Cell, kind: str) -> bool:
    """True if `following` is the rest of the address that ends with `cell`."""
    text = following.text
    if not text or following.contact or following.line - cell.line > 1 or len(text) > 80 or ":" in text:
        return False
    if kind in ("state", "town", "unit", "region town"):
        return True
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not _is_plain(text):
        return False
    return cell.open_end or (bool(parts) and bool(_place_of(parts[-1]) or _CODE.search(text)))


def _ending(cell: _Cell) -> Iterator[Span]:
    """The town and the region at the end of a cell that begins with something else: "Ana Ruiz, Austin, Texas"."""
    comma = cell.text.rfind(",", 0, cell.text.rfind(","))
    start = cell.start + comma + 1
    while cell.text[start - cell.start] == " ":
        start += 1
    yield Span(start, cell.end, "address", TOKENS["address"], SURE, "address.place")


def _whole(cell: _Cell) -> Iterator[Span]:
    """A cell without its label, and without a name or a post before the first part that speaks for an address."""
    start = 0
    label = _ADDRESS_LABEL.match(cell.text)
    if label and label.end() < len(cell.text):
        start = label.end()
    if cell.first:
        position = start
        for part in cell.text[start:].split(","):
            if (
                any(pattern.search(part) for pattern in (_UNIT, _RELATION, _STREET, _POSTCODE))
                or _place_of(part.strip())
                or _HOUSE.match(part.strip() + " x")
            ):
                break
            position += len(part) + 1
        else:
            return
        start = position
    while start < len(cell.text) and cell.text[start] in " ,":
        start += 1
    if start < len(cell.text):
        yield Span(cell.start + start, cell.end, "address", TOKENS["address"], SURE, "address.line")
