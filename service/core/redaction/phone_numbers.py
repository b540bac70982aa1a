"""Phone numbers: runs of digits that a label, a country, a bracket or their grouping makes numbers to call.

A run of digits is read as groups with separators between them, and the longest group of groups that has the form
of a phone number is proposed. What nothing but its length speaks for (ten digits in a row) is `WEAK`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import SURE, WEAK, Span

# One sign between two groups, with a blank on either side at most: two blanks are a gap between columns.
_DASHES = "-.·•∙・/‐‑‒–—−"
_SEPARATOR = (
    rf"(?:[ ]?\)[ ]{{0,2}}[{_DASHES}]?[ ]?\(?|[ ]?(?:[{_DASHES}][ ]?)?\([ ]?|[ ]?[{_DASHES}][ ]?|[ ])"
)
_RUN = scan(
    rf"(?<!\d)(?P<opening>\(?(?:\+{{1,2}}[ ]?)?\(?)\d(?:{_SEPARATOR}?\d){{4,19}}(?!\d)"
    r"|(?<![\d+])(?P<country>\(?\+[ ]?\d{1,3}\)?[ ]{1,3}\(?)\d(?:[ .-]{0,2}\d){5,11}(?!\d)"
)
_GROUP = re.compile(r"\d+")

_WORDS = (
    r"(?:tele)?phones?|tel|telefono?|teléfono|téléphone|tél|telefone|telefon|telefonnummer|telefoon|tlf|puh|puhelin|"
    r"mobiles?|mobil|mobiltelefon|mob|móvil|movil|celular|cel|cellulare|cellphone|cell|handy|handphone|gsm|telemóvel|"
    r"portable|komórka|fax|facsimile|telefax|whats\s?app|viber|pager|hotline|landline|"
    r"contact(?:s|\s?(?:no|num|number|nos|numbers|details|info|at|me))?|"
    r"ph|pho|hp|phn|dial|"
    r"телефон|тел|моб|电话|手机|電話|携帯|전화|휴대폰"
)
# A single letter, or a word that other things have too, is a label only with a sign behind it.
_OTHER_WORDS = (
    r"[mtpchwfo]|home|work|office|res|residence|direct|voice|main|day|evening|emergency|call|sms|text"
)
_LABEL = scan(
    rf"(?:(?<![^\W\d_])(?:{_WORDS})|(?<=[a-z])(?:Phone|Mobile|Mob|Tel|Cell|Contact|Ph|Fax)|☎|☏|📞|📱|✆)"
    r"(?:[ ./&]{0,3}(?:no|nos|num|number|nr|phone|mobile|mob|fax|cell|tel|home|work|office|nbr|#)(?![^\W\d_])){0,2}(?:[ ]is)?"
    r"[ ]?(?:\([^()\n]{1,20}\))?[ ]{0,20}[.:#*=|—–-]{0,3}[ ]{0,8}[:.-]?[ ]{0,3}[+(]{0,2}$"
    rf"|(?<![\w.'’])(?:{_OTHER_WORDS})[ ]?(?:\([^()\n]{{1,20}}\))?[ ]{{0,8}}(?:[:#]|[.)](?=[ ])|[ ][–—-](?=[ ]))[ :]{{0,8}}[+(]{{0,2}}$",
    re.IGNORECASE,
)
_NO_SIGNS = tuple("$€£¥₹#%≈~<>=")
_PICTURES = ("☎", "☏", "📞", "📱", "✆")
_LABEL_BEHIND = re.compile(
    r"[ ]?[(\[](?:m|mob|mobile|c|cell|cellular|h|home|hm|w|work|o|office|off|res|r|whats\s?app|voice|fax|land\s?line|tel|phone|text|"
    r"direct|call|us|uk|india)\b[^()\n]{0,12}[)\]]|[ ]{1,2}(?:mobile|cell|fax|whatsapp)(?![^\W\d_])",
    re.IGNORECASE,
)
# What numbers of other things stand behind.
_NO_PHONE = scan(
    r"(?:(?<![^\W\d_])(?:isbn|issn|doi|patents?|pct|rfc|iso|iec|ieee|din|ansi|astm|part|models?|serial|ref|reference|invoice|orders?|project|"
    r"application|appl|app|case|claim|docket|roll|reg|regn|registration|registered|enrol(?:l)?ment|licen[cs]e|certificate|certification|cert|"
    r"credential|employee|emp|student|member|membership|account|acct|a/c|tickets?|job|req|requisition|gst|gstin|vat|tin|ein|duns|"
    r"naics|cin|policy|bill|sku|article|item|batch|lot|grant|award|contract|tender|versions?|ver|port|ip|arxiv|pmid|pubmed|pages?|pp|vol|pn|sn|"
    r"volume|issue|p/n|s/n|npi|uid|udin|imo|nct|cas|arn|crn|icai|barcode|ean|upc|gtin|seat|hall\s?ticket|mem|frn|sebi|build|kb|bug|issue|"
    r"plot|survey|budget|usd|inr|eur|gbp|rs|worth|of|by|about|over|approx|approximately|than|total|nearly|processed|handled|"
    r"managed|scored|score|gpa|sap|oem|code|ids?)"
    r"(?:[ .:]{0,3}(?:no|nos|number|num|nr|id|code|is|#)(?![^\W\d_]))?[ .:#]{0,4}[A-Z]{0,3}[ -]?$)",
    re.IGNORECASE,
)
# Letters of a code: "KR 10-2514809". Those of a State or a country end an address.
_CODE = re.compile(
    r"(?<!\w)(?!(?:A[LKZR]|CA|C[OT]|DC|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]|USA|UK|UAE|"
    r"ON|QC|BC|AB|NSW|VIC|QLD)\b)[A-Z]{2,4}(?:[ ]|-)$"
)
_AFTER_PLACE = re.compile(r"(?:〒|[^\W\d_],?)[ ]?$")
_INSIDE = re.compile(r"\d[ ]?[./·:,-]$")
_COUNTED = re.compile(
    r"[ ]?(?:%|[a-z]{0,3}\+?[ ](?:records?|rows?|users?|customers?|units?|items?|lines?|people|members?|dollars?|usd|inr|eur|rupees?|hours?|"
    r"km|kg|sq|sqft|k?v|kva|[kmg]w|[kmg]?hz|amps?|volts?|watts?|rpm|psi|servers?|switch(?:es)?|routers?|series|models?|pieces|transactions?|samples?|images?|patients?|documents?|euros?|points?|tons?|tonnes?|barrels?|requests?)\b|[ ]?[€$£₹])",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_DAY = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
)
_EXTENSION = re.compile(
    r"[ ]{0,2},?[ ]{0,2}(?:\([ ]?)?(?:ext(?:ensions?|n)?|ex|x|durchwahl|dw|poste|ramal|int|interno|anexo|wew)(?![^\W\d_])[ ]?[.:#-]{0,2}[ ]?"
    r"\d{1,6}(?!\d)\)?|[ ]?#[ ]?\d{1,5}(?!\d)",
    re.IGNORECASE,
)
_JOINT = re.compile(r"[ ]{0,2}(?:[/,;|&]|or\b|and\b|/\s?or\b|،|、)[ ]{0,2}", re.IGNORECASE)
_OTHER_ENDING = re.compile(r"[ ]?/[ ]?(?!(?:19|20)\d\d)\d{1,4}(?![\d/.-]|[ ]\d)")
LEAST_DIGITS, MOST_DIGITS = 6, 15
_ENOUGH_DIGITS = re.compile(rf"(?:\D*+\d){{{LEAST_DIGITS}}}")
"""Matches a text in which a number may stand: one year or an amount is found in many lines."""

BEFORE = 48
"""Characters before a number in which its label is looked for."""


class _Form(NamedTuple):
    score: float
    reason: str


def find_phones(text: str) -> Iterator[Span]:
    """Numbers of 6 to 15 digits in the form of phone numbers; years, dates, ids and amounts are left alone."""
    if not _ENOUGH_DIGITS.match(text):
        return
    position = 0
    joined = 0.0  # the score of the number right before this one, which speaks for it
    while match := _RUN.search(text, position):
        first = match.start()
        groups = list(_GROUP.finditer(text, first, match.end()))
        if _is_column(groups) or ("+" not in match[0] and all(_YEAR.fullmatch(group[0]) for group in groups)):
            position, joined = match.end(), 0.0
            continue
        span = _phone_at(text, first, groups, joined=joined if first == position else 0.0)
        if span is None:
            # The next number may begin inside: "560001 98450 12345".
            position, joined = groups[0].end(), 0.0
            continue
        yield span
        joint = _JOINT.match(text, span.end)
        position, joined = (joint.end(), span.score) if joint else (span.end, 0.0)


def _is_column(groups: Sequence[re.Match[str]]) -> bool:
    """True for digits that stand one by one, of which no number is made."""
    return len(groups) > 7 and all(group.end() - group.start() < 2 for group in groups)


def _is_uneven(text: str, groups: Sequence[re.Match[str]]) -> bool:
    """True for pairs of digits with unlike signs between them ("12 34-56"), of which no number is made."""
    first = groups[:3]
    if (
        len(first) < 3
        or any(group.end() - group.start() != 2 for group in first)
        or text[first[0].start()] == "0"
    ):
        return False
    return text[first[0].end() : first[1].start()] != text[first[1].end() : first[2].start()]


def _phone_at(text: str, start: int, groups: Sequence[re.Match[str]], *, joined: float) -> Span | None:
    """The longest phone number that begins with the first of `groups`."""
    first = groups[0].start()
    opening = text[start:first]
    before = text[max(0, start - BEFORE) : start]
    if before[-1:] in (",", ".") and before[-2:-1].isdigit():
        return None
    glued = before[-1:].isalpha() or before[-1:] == "_" or (before[-1:] == "-" and before[-2:-1].isalpha())
    worded = any(map(str.isalpha, before[-25:])) or before[-3:].strip(" :") in _PICTURES
    label = _LABEL.search(before) if worded else None
    country = "+" in opening or (
        text.startswith("00", first) and text[first + 2 : first + 3] not in ("", "0")
    )
    if glued and label is None:
        letter = before.rstrip("-_")[-1:]
        if letter.isupper() and not country:  # a part number: MX-415-555-0132
            return None
    if not (country or joined or label) and (
        before.rstrip(" ").endswith(_NO_SIGNS) or (worded and _NO_PHONE.search(before))
    ):
        return None
    named = label is not None or joined >= SURE
    sign = label is not None and any(mark in label[0] for mark in ":-–—")
    if not (named or country or opening) and (
        _is_uneven(text, groups) or any(group[0] == "000" for group in groups[1:])
    ):
        return None  # "200 000 - 300 000" is an amount
    unsure = glued or _INSIDE.search(before[-3:]) is not None or _CODE.search(before[-8:]) is not None
    digits = list(accumulate(group.end() - group.start() for group in groups[:8]))
    for count in range(len(digits), 0, -1):
        if not LEAST_DIGITS <= digits[count - 1] <= MOST_DIGITS:
            continue
        end = groups[count - 1].end()
        numbers = [group[0] for group in groups[:count]]
        written = text[first:end]
        left = 7 + (len(numbers[0]) if country else 0)
        if _two_numbers(written, "/", 3, left) or _two_numbers(written, " - ", 7, left):
            continue
        form = _form_of(numbers, opening, written, country=country, label=named, sign=sign)
        if (form is None or form.score < SURE) and digits[count - 1] >= 7 and _LABEL_BEHIND.match(text, end):
            form = _form_of(numbers, opening, written, country=country, label=True) or form
        if form is None or not _may_end(text, end, form):
            continue
        if (
            form.score < SURE
            and not named
            and (unsure or (_is_postal(numbers) and _AFTER_PLACE.search(before)))
        ):
            continue
        begin = start
        while text.count("(", begin, end) > text.count(")", begin, end) and text[begin] in "(+ ":
            begin += 1
        if "(" in opening and "+" in opening and begin > start:
            begin = start + opening.index("+")
        if text.count("(", begin, end) != text.count(")", begin, end):
            continue
        for more in (_EXTENSION, _OTHER_ENDING):
            behind = more.match(text, end)
            if behind and form.score >= SURE:
                end = behind.end()
        return Span(begin, end, "phone", TOKENS["phone"], form.score, form.reason)
    return None


def _is_postal(groups: Sequence[str]) -> bool:
    """True for the grouping of Japan's postal codes, which is that of short American numbers."""
    return [len(group) for group in groups] == [3, 4]


def _may_end(text: str, end: int, form: _Form) -> bool:
    following = text[end : end + 1]
    if following == "%" or (following in (",", ".") and re.match(r"\d{1,3}(?!\d)", text[end + 1 : end + 5])):
        return False
    if form.score >= SURE and form.reason != "phone.label":
        return True
    if form.score < SURE and following in ("-", ".", "/") and text[end + 1 : end + 2].isdigit():
        return re.match(r"/\d(?:[ -]?\d){6}", text[end : end + 20]) is not None
    if _COUNTED.match(text, end):
        return False
    return not following.isalpha() or following.isupper()


def _two_numbers(written: str, mark: str, right: int, left: int) -> bool:
    """True if `mark` stands between two numbers of so many digits or more: "0161 496 0132 / 0161 496 0133"."""
    before, found, behind = written.rpartition(mark)
    return bool(found) and sum(map(str.isdigit, before)) >= left and sum(map(str.isdigit, behind)) >= right


def _form_of(
    groups: Sequence[str], opening: str, written: str, *, country: bool, label: bool, sign: bool = False
) -> _Form | None:
    """What `groups` of digits, written as `written`, are as a phone number; None if they are none.

    `label`: something beside them says that they are one; `sign`: a colon or a dash stands behind it.
    """
    digits = sum(map(len, groups))
    sizes = [len(group) for group in groups]
    years = [bool(_YEAR.fullmatch(group)) for group in groups]
    if (all(years) and not country) or (any(years) and _is_date(groups, years)):
        return None
    if country and digits >= (8 if "+" in opening else 10) and not all(years):
        single = len(groups) == 1 and "+" not in opening
        return _Form(WEAK, "phone.bare") if single and not label else _Form(SURE, "phone.country")
    if label and max(sizes) >= 2 and digits <= 13 and (sign or not any(years[:-1])):
        return _Form(SURE, "phone.label") if digits >= 7 or (sign and len(groups) > 1) else None
    if groups[0] in ("0", "1", "8") and sizes[1:] in ([3, 3, 4], [3, 3, 2, 2]):
        return _Form(SURE if re.search(r"\d ?[^\d ]", written) else WEAK, "phone.grouping")
    if years[0] or any(size == 1 for size in sizes[1:]):
        return None
    signs = bool(re.search(r"\d ?[^\d ]", written))
    if sizes == [3, 3, 4]:
        return (
            _Form(SURE, "phone.grouping")
            if signs and not _dots_and_others(written)
            else _Form(WEAK, "phone.blanks")
        )
    if opening.endswith("(") and 2 <= sizes[0] <= 5 and written[sizes[0] :].lstrip()[:1] == ")":
        if any(years) or not 7 <= digits <= 12 or len(groups) == 1:
            return None
        return _Form(SURE, "phone.area")
    if any(years):
        return None
    if groups[0][0] == "0" and sizes[0] >= 2 and len(groups) > 1 and 9 <= digits <= 12 and len(groups) <= 6:
        slashes = written.count("/")
        if slashes > 1 or (slashes and not re.match(r"\d{3,5} ?/", written)):
            return None  # dates run together
        return _Form(SURE, "phone.trunk") if max(sizes) >= 3 or len(groups) == 5 else None
    if "/" in written and sizes != [3, 7]:
        return None
    if len(groups) == 1:
        if _DAY.fullmatch(groups[0]) or len(set(groups[0])) == 1:
            return None
        if (
            10 <= digits <= 12
            or (digits == 9 and groups[0][0] in "679")
            or (digits == 8 and groups[0][0] in "3689")
        ):
            return _Form(WEAK, "phone.bare")
        return None
    if tuple(sizes) in _GROUPINGS:
        return _Form(WEAK, "phone.groups")
    return None


_GROUPINGS = frozenset(
    tuple(map(int, sizes))
    for sizes in (
        "34 44 2222 323 233 333 3222 3223 55 54 45 37 344 444 334 343 433 443 244 254 2333 2343 2344 "
        "5222 3333 325 352 2422 2432"
    ).split()
)
"""Digits in each group of national numbers, where nothing else tells."""


def _dots_and_others(written: str) -> bool:
    """True for "123/456.7890": signs that no one writes in one number, a bracket and a dash apart."""
    return len({sign for sign in written if sign in "./·•"}) > 1


def _is_date(groups: Sequence[str], years: Sequence[bool]) -> bool:
    """True if three groups in a row are a day, or if a year is followed by one: "01/07/2003 - 01/07/2008"."""
    for i in range(len(groups) - 2):
        one, two, three = groups[i : i + 3]
        if len(one) <= 2 and len(two) <= 2 and years[i + 2] and int(one) <= 31 and int(two) <= 31:
            return True
        if years[i] and len(two) <= 2 and len(three) <= 2 and int(two) <= 12 and int(three) <= 31:
            return True
    # 01/2008 - 07/2010
    return len(groups) == 4 and years[1] and years[3] and max(len(groups[0]), len(groups[2])) <= 2


PHONES = Recogniser(prefilter(substrings="0123456789"), find_phones)
