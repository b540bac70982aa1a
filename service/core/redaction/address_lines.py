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

from service.core.redaction.address_places import CODE, STATE, TOWN_STATE_CODE, TOWNS, place_of
from service.core.redaction.layout import HEADER_CHARACTERS, Line
from service.core.redaction.lexicon import any_of, short_table
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.spans import SURE, Span
from service.core.redaction.words import fold

_WORDS = short_table("name_words.csv")
_NO_PLACE_WORDS = frozenset(
    row["word"] for row in _WORDS if row["kind"] in ("stop_word", "credential")
) | frozenset(fold(row["term"]) for row in short_table("protected_terms.csv") if " " not in row["term"])
"""Words of posts, firms and tools: "Software Engineer, Acme" is no place."""

_CONTACT: frozenset[Category] = frozenset({"email", "phone", "link"})
_LABEL_WORDS = frozenset(
    "phone mobile mob tel telephone email mail cell fax contact website linkedin github skype".split()
)

_CUT = re.compile(r"[|•·●■◦▪❖★◆♦➢✉☎;\t]|[ ]{2,}|[ ](?:[–—]|-)[ ](?=[A-Z][\w-]{0,20}[ ]?:)")
_ADDRESS_LABEL = re.compile(
    r"[\W_]{0,4}(?:(?:home|mailing|permanent|current|present|residential|postal|local|full)[ ]){0,2}"
    r"(?:address|addr|add|residence|location|adresse|anschrift|dirección|indirizzo|endereço|adres|domicilio)[ ]?[:：-]{0,2}[ ]{0,8}",
    re.IGNORECASE,
)

# What speaks for an address. A unit: "Flat 12B", "Room no 201", "#08-191", "H.No. 4-5/2".
_UNIT = re.compile(
    r"(?<![\w-])(?:flat|house|plot|door|room|shop|apt|apartment|unit|suite|block|blk|bldg|building|villa|floor|lot|[hdfqs]\.?[ ]?no|h\.?n|"
    r"qtr|quarter|p\.?[ ]?o\.?[ ]?box|ward|phase|gali|street|tower|bungalow|wing|survey|district|khasra|kothi|appt|piso|puerta|apto|bloque|"
    r"portal|bl|ap|whg|wohnung|bât|bâtiment|étage|appartement|interno|int|dpto|depto|kav|rt|rw|unit[ ]no)"
    r"(?:[ ]?(?:no|number|num|nr|#))?[ ]?[.:#-]{0,2}[ ]?[A-Z]{0,2}[-/]?\d[\w/-]{0,9}|(?<![\w#])\#[ ]?\d{1,4}(?:-\d{1,5})?[A-Za-z]?(?!\w)"
    r"|(?<!\w)no[.:][ ]?\d{1,4}[A-Za-z]?(?!\w)|(?<!\w)\d{1,3}(?:st|nd|rd|th)[ ](?:floor|flr|cross|main|block|phase|stage)\b|(?<!\w)(?:first|second|third|ground)[ ]floor\b",
    re.IGNORECASE,
)
_HOUSE = re.compile(
    r"\W{0,3}(?:No\.?[ ]?|#[ ]?|(?-i:[A-Z]{1,2})[-/][ ]?)?\d{1,5}[ ]?[A-Za-z]?(?:[-/][\dA-Z]{1,5}){0,4}(?:[ ]?,[ ]?|[ ])(?=[A-ZÀ-Þa-z#\d])",
    re.IGNORECASE,
)
_HOUSE_BEHIND = re.compile(r"[A-ZÀ-Þ][\w.'’ -]{2,40}[ ]\d{1,4}[ ]?[a-zA-Z]?(?:[/-]\d{1,4})?\W{0,2}$")
_HOUSE_NAME = re.compile(
    r"The(?:[ ][A-Z][\w'’]{0,20}){1,3}|(?:[A-Z][\w'’]{0,20}[ ]){1,3}(?:House|Cottage|Rectory|Lodge|Farm|Barn|Manor|Mill|Bungalow|Croft|Villa|Mansions?)"
)
_RELATION = re.compile(
    r"(?<![\w/])(?:[SDWC][/.]o\b\.?|(?:behind|opposite|opp\b\.?|near(?:by)?|nr\.|beside|besides|next[ ]to|adjacent[ ]to|off|in[ ]front[ ]of)[ ]{1,2}"
    r"(?=(?-i:[A-Z0-9]))|at[ ]?[/&-]?[ ]?post\b|post[ ]?[:-]|tal(?:uka|uk|\.)|tehsil|teh[.:]|dist(?:rict|t)?[ ]?[.:-]|mandal\b|"
    r"village[ ](?=(?-i:[A-Z]))|vill(?:age)?[ ]?[.:-]|p\.?o[.:]|p\.?s[.:]|mohalla\b|via[ ]?[-:])",
    re.IGNORECASE,
)
_STREET_WORDS = any_of(
    """
    street road rd lane avenue ave nagar colony marg chowk bazar bazaar layout enclave vihar puram
    apartment apartments residency residence residences heights tower towers society complex chs estate
    close crescent drive link walk grove terrace court garden gardens park quay way square sector main
    cross extension extn village junction housing nivas niwas bhavan bhawan sadan villa villas hostel
    boulevard blvd highway hwy circuit rise mews barangay brgy subdivision subd compound taman jalan jln
    jl lorong kampung desa kel kec kecamatan kelurahan kota kab rua rue calle avenida avda via viale
    piazza col colonia bairro urb urbanización barrio ulica ul osiedle cad sok mah mahallesi sokak
    caddesi quận phường đường district ward phase stage place hill view crossing gate
    """.split()
)
_STREET_ENDINGS = any_of(
    """
    straße strasse str. gasse weg platz allee gatan vägen straat laan nagar pura puram pur palli pally
    guda halli wadi wada peth ganj
    """.split()
)
_STREET = re.compile(
    rf"(?<![\w-]){_STREET_WORDS}(?!\w)|\w(?:-(?:ro|gil|dong|gu|si|daero|ku|shi|cho|machi|chome)\b|{_STREET_ENDINGS}(?!\w))",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<![\w/.#-])(?:\d{3}[ ]?\d{3}|\d{5}(?:-\d{3,4})?|(?!(?:19|20)\d\d(?!\d))\d{4}(?:[ ]?[A-Z]{2})?|[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|"
    r"\d{2}-\d{3}|\d{3}[ ]\d{2}(?=[ ][A-ZÀ-Þ])|〒?\d{3}-\d{4}|[A-Z]{1,2}-\d{4,5})(?![\w/]|-\d|[.,]\d)",
)
_LONG_POSTCODE = re.compile(r"(?<![\w/.#-])(?:\d{3}[ ]?\d{3}|\d{5}(?:-\d{3,4})?)(?![\w/]|-\d|[.,]\d)")
# The name of the next field: "12 Mill Drive Cell: ...".
_FIELD_BEHIND = re.compile(
    r"[ ,(](?:tele)?(?:phone|cell|home|mobile|mob|tel|fax|e-?mail|contact)[ ]?(?:no)?[ ]?[.:]{0,2}[ ]{0,9}$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w'’.]{0,40}+(?:-[\w'’]{1,40}+){0,3}")
_SMALL = frozenset(
    "no of near behind opp opposite off and the de la le du des del della da do das dos di el los las y e a al an der den am im zu zum zur von "
    "van rue street road st rd nagar colony lane post at dist via to floor flat house plot door room block sector phase main cross next "
    "beside bis ter nr upon on sur th nd rd st".split()
)
MOST_CHARACTERS = 160
"""In a cell that is an address."""


class _Cell(NamedTuple):
    """Characters [start, end) of the text. `contact`: they are contact data; `first`: they begin the resume."""

    start: int
    end: int
    text: str
    line: int
    contact: bool
    first: bool = False
    open_end: bool = False
    """A comma ends it: the next cell goes on."""
    street: int = -1
    """Where in the text a street was found in it; -1 if none was."""


class _Found(NamedTuple):
    """Where contact data were found, and where streets begin, both in order."""

    contact: list[tuple[int, int]]
    streets: list[int]


def address_lines(lines: Sequence[Line], found: Sequence[Span]) -> Iterator[Span]:
    """Spans of whole address lines. `found`: what was found so far in the text that `lines` are of."""
    places = _Found(
        sorted((one.start, one.end) for one in found if one.category in _CONTACT and one.score >= SURE),
        sorted(one.start for one in found if one.category == "address" and one.reason.startswith("street.")),
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


def _cells_of(line: Line, number: int, places: _Found) -> Iterator[_Cell]:
    """The cells of a line: what signs, wide gaps and contact data part."""
    limit = HEADER_CHARACTERS - line.start if line.section == "header" else len(line.text)
    cuts: list[tuple[int, int, bool]] = [(m.start(), m.end(), False) for m in _CUT.finditer(line.text)]
    for i in range(bisect_left(places.contact, (line.start, 0)), len(places.contact)):
        start, end = places.contact[i]
        if start >= line.end:
            break
        cuts.append((start - line.start, min(end, line.end) - line.start, True))
    cuts.sort()
    position = 0
    for start, end, contact in (*cuts, (len(line.text), len(line.text), False)):
        if position < start and position < limit:
            yield from _cell(line, position, start, number, places.streets)
        if contact:
            yield _Cell(line.start + start, line.start + end, "", number, True)
        position = max(position, end)


def _cell(line: Line, start: int, end: int, number: int, streets: Sequence[int]) -> Iterator[_Cell]:
    text = line.text[start:end]
    if "[" in text and any(token in text for token in TOKENS.values()):
        contact = any(TOKENS[category] in text for category in _CONTACT)
        yield _Cell(line.start + start, line.start + end, "", number, contact)
        return
    plain = _FIELD_BEHIND.sub("", text).strip(" ,.-–—")
    if plain:
        begin = line.start + start + text.index(plain)
        stop = begin + len(plain)
        words = {fold(word) for word in _WORD.findall(plain[:60])[:3]}
        at = bisect_left(streets, begin)
        yield _Cell(
            begin,
            stop,
            "" if words and words <= _LABEL_WORDS else plain,
            number,
            contact=False,
            first=line.start == 0 and start == 0,
            open_end=text.rstrip().endswith(","),
            street=streets[at] if at < len(streets) and streets[at] < stop else -1,
        )


def _of_block(cells: Sequence[_Cell]) -> Iterator[Span]:
    """Spans in cells that follow each other."""
    kinds = ["" if cell.contact or not cell.text else _kind(cell) for cell in cells]
    taken = [kind == "address" for kind in kinds]
    for i, (cell, kind) in enumerate(zip(cells, kinds, strict=True)):
        beside = [j for j in (i - 1, i + 1) if 0 <= j < len(cells) and abs(cells[j].line - cell.line) <= 1]
        contact = any(cells[j].contact for j in beside)
        if kind == "region town":
            taken[i] = True
        elif kind == "town":
            taken[i] = contact and not cell.first
        elif kind == "state":
            taken[i] = not cell.first and (contact or any(kinds[j] == "address" for j in beside))
        elif kind == "ending" and (
            cell.first or any(cells[j].contact and cells[j].line == cell.line for j in beside)
        ):
            yield from _ending(cell)
    for i in range(len(cells) - 1):  # an address goes on
        if taken[i] and not taken[i + 1] and _continues(cells[i], cells[i + 1], kinds[i], kinds[i + 1]):
            taken[i + 1] = True
            kinds[i + 1] = kinds[i]
    for i in range(len(cells) - 1, 0, -1):  # and began before
        if taken[i] and not taken[i - 1] and _begins(cells[i - 1], cells[i], kinds[i - 1], kinds[i]):
            taken[i - 1] = True
            kinds[i - 1] = "address"
    for i, cell in enumerate(cells):
        if taken[i]:
            yield from _whole(cell, follows=i > 0 and taken[i - 1])


def _kind(cell: _Cell) -> str:
    """What a cell is, as one of the words below, or "".

    "address"; "unit": a flat alone; "town"; "region town": with what it lies in; "state": a place by its form, or a
    street without a number;
    "ending": something else that ends with a place.
    """
    text = cell.text
    if len(text) > MOST_CHARACTERS or "@" in text or "://" in text:
        return ""
    if "," not in text and text.count(" ") > 3 and not any(map(str.isdigit, text)):
        return ""  # most lines: what follows would find nothing
    parts = [part.strip() for part in text.split(",") if part.strip()]
    label = _ADDRESS_LABEL.match(text)
    if label and label.end() < len(text) and parts:
        parts[0] = parts[0][label.end() :].strip() or parts[0]
    known = [place_of(part) for part in parts]
    if len(parts) <= 4 and all(known) and "town" in known[:1]:
        return "region town" if len(parts) > 1 or _POSTCODE.search(text) else "town"
    unit, relations, street = _UNIT.search(text), len(_RELATION.findall(text)), _STREET.search(text)
    postcode, house = _POSTCODE.search(text), _HOUSE.match(text)
    town = "town" in known or "region" in known[1:]
    number = (house and (street or len(parts) > 1)) or (len(parts) > 1 and _HOUSE_BEHIND.match(parts[0]))
    found = cell.street >= 0
    evidence = sum(map(bool, (unit, street, number, postcode, town, found))) + min(relations, 2)
    strong = bool(
        unit
        or relations
        or found
        or (street and (house or postcode))
        or (town and (house or number or postcode))
    )
    # Three things that speak for it outweigh a word that posts and tools have too: "Opp. Civil Court".
    clear = evidence > 2 or (unit and relations)
    if strong and evidence >= 2 and _is_plain(text, landmarks=bool(unit or relations), any_words=bool(clear)):
        return "address"
    if unit and len(text) <= 60 and _is_plain(text, landmarks=True):
        return "unit"
    if _is_plain(text) and text[0].isalnum():
        if TOWN_STATE_CODE.fullmatch(text) or (len(parts) == 2 and STATE.fullmatch(parts[1])):
            return "state"
        if street and town:
            return "state"
        if _LONG_POSTCODE.search(text) and len(text) <= 40 and len(_WORD.findall(text)) <= 4:
            return "state"
    if len(parts) > 2 and known[-1] == "region" and known[-2] == "town":
        return "ending"
    return ""


_LANDMARKS = frozenset(
    "bank hospital school temple church mosque masjid mandir gurudwara station office park market mall college "
    "police bus railway petrol pump hotel tower university academy theatre theater centre center hall club factory "
    "post clinic store plant works company institute court library museum airport port medical engineering hostel "
    "staff government city".split()
)
"""Words of firms and schools that an address may name: "behind First Bank"."""


def _is_plain(text: str, *, landmarks: bool = False, any_words: bool = False) -> bool:
    """True for words in capitals, small words of addresses and numbers; false for words of a sentence or a post.

    `landmarks`: what an address may lie beside is fine; `any_words`: every word in capitals is.
    """
    words = _WORD.findall(_RELATION.sub(" ", _UNIT.sub(" ", text)) if landmarks else text)
    folded = [fold(word.rstrip(".")) for word in words]
    fine = _SMALL | _LANDMARKS if landmarks else _SMALL
    if not any_words and any(
        word in _NO_PLACE_WORDS and word not in fine and not _STREET.fullmatch(word) for word in folded
    ):
        return False
    small = sum(
        word[0].islower() and one not in fine and not _STREET.fullmatch(word)
        for word, one in zip(words, folded, strict=True)
    )
    return small <= 1 or (text.islower() and len(words) <= 12)


def _continues(cell: _Cell, following: _Cell, kind: str, next_kind: str) -> bool:
    """True if `following` is the rest of an address that ends with `cell`, or the country of a town."""
    text = following.text
    if not text or following.contact or following.line - cell.line > 1 or len(text) > 80 or ":" in text:
        return False
    if place_of(text) == "region":
        return True
    if kind != "address":
        return False
    if next_kind in ("state", "town", "unit", "region town"):
        return True
    if not _is_plain(text, landmarks=cell.open_end):
        return False
    return cell.open_end or bool(place_of(text.rpartition(",")[2].strip()) or CODE.search(text))


def _begins(cell: _Cell, following: _Cell, kind: str, next_kind: str) -> bool:
    """True if `cell` is the beginning of the address, or of the place, that `following` goes on with."""
    text = cell.text
    if cell.first or not 0 < len(text) <= 60 or following.line - cell.line > 1:
        return False
    if kind in ("state", "town", "unit", "region town"):
        return True
    number = (
        _HOUSE_BEHIND.match(text)
        if next_kind != "address"
        else _HOUSE.match(text) or _HOUSE_BEHIND.match(text)
    )
    return bool(number or (cell.open_end and next_kind == "address")) and _is_plain(text)


def _ending(cell: _Cell) -> Iterator[Span]:
    """The town and the region at the end of a cell that begins with something else: "Ana Ruiz, Austin, Texas"."""
    comma = cell.text.rfind(",", 0, cell.text.rfind(","))
    start = cell.start + comma + 1
    while cell.text[start - cell.start] == " ":
        start += 1
    yield Span(start, cell.end, "address", TOKENS["address"], SURE, "address.place")


def _whole(cell: _Cell, *, follows: bool) -> Iterator[Span]:
    """A cell without its label, and without what stands before the address if no line of it comes before."""
    start = 0
    label = _ADDRESS_LABEL.match(cell.text)
    if label and label.end() < len(cell.text):
        start = label.end()
    elif not follows:
        start = _first_evidence(cell)
    while start < len(cell.text) and cell.text[start] in " ,":
        start += 1
    if start < len(cell.text):
        yield Span(cell.start + start, cell.end, "address", TOKENS["address"], SURE, "address.line")


_FIRM = re.compile(r"\s{0,3}(?P<firm>[^\d/–—]{2,50}?)[ ][–—-][ ](?P<town>[^\d/–—]{2,30})")


def _firm_before(part: str) -> int:
    """Where the town begins in "Quillon Dental - Leeds", or 0 if what stands before the dash is a place too."""
    match = _FIRM.fullmatch(part)
    if match is None or place_of(match["firm"].strip()) or _STREET.search(match["firm"]):
        return 0
    return match.start("town") if fold(match["town"].strip()) in TOWNS else 0


def _first_evidence(cell: _Cell) -> int:
    """Where in a cell the address begins: names and posts may stand before it."""
    position = 0
    street = cell.street - cell.start
    for part in cell.text.split(","):
        plain = part.strip()
        if firm := _firm_before(part):
            return position + firm
        if position <= street <= position + len(part):
            unit = _UNIT.search(cell.text, position)
            return min(unit.start(), street) if unit else street
        if found := _UNIT.search(part) or _RELATION.search(part):
            # Two words before "Flat 5" are a name rather than a house.
            named = part[: found.start()].strip().count(" ") >= 1 and not _STREET.search(part)
            return position + (found.start() if named else 0)
        if _STREET.search(part) or _POSTCODE.search(part) or place_of(plain) or _HOUSE.match(plain + " x"):
            return position
        if _HOUSE_NAME.fullmatch(plain) or (_HOUSE_BEHIND.match(plain) and _is_plain(plain)):
            return position
        position += len(part) + 1
    return len(cell.text) if cell.first else 0
