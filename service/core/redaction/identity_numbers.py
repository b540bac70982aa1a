"""Identity numbers that states give to people: by the name of the number, and by forms that nothing else has.

Numbers of firms, parts and accounts stay. A form counts alone only where its letters, its grouping or a check digit
make another meaning unlikely; the rest need the name of the number before them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import Scan, scan
from service.core.redaction.spans import SURE, WEAK, Span

_NUMBER = r"(?:[ ]?(?:card|document))?(?:[ ]?(?:(?:numbers?|nummer|número|numéro|numero|nos?|nr|num|id|code)(?![^\W\d_])|#))?[ ]?\.?"
_BETWEEN = r"[ ]{0,8}(?:\([^()\n]{1,30}\)[ ]?)?(?:is[ ])?[:：#.=–—-]{0,3}[ ]{0,8}"
# Names that mean nothing else: any value with four digits follows.
_PLAIN_NAMES = (
    r"nric(?:[ ]?/[ ]?fin)?|fin(?=[ ]?(?:no|number))|i\.?c\.?(?=[ ]?(?:no|number)\b)|(?:national[ ])?identity(?:[ ]card)?(?=[ ]?(?:no|number|card|#|:))|"
    r"(?:national|citizen(?:ship)?|civil|resident|residence)[ ](?:id|identity|identification|registration|permit|certificate)"
    r"(?:[ ](?:card|no|number))?|id[ ]card|id(?=[ ]?(?:no|number)\b)|identification(?=[ ](?:no|number))|"
    r"aadha?ar|adhaa?r|uidai|social[ ]security|soc\.?[ ]sec\.?|ssn|national[ ]insurance|nino|"
    r"person(?:nummer|al[ ](?:identity|identification|code))|samordningsnummer|fødselsnummer|fodselsnummer|henkilötunnus|henkilotunnus|"
    r"cpr[- ]?(?:nr|nummer|number|no)|kennitala|burgerservicenummer|codice[ ]fiscale|steuer-?(?:id|identifikationsnummer)|"
    r"sozialversicherungsnummer|ahv(?:-?nr)?|rentenversicherungsnummer|personalausweis(?:nummer)?|ausweisnummer|reisepass(?:nummer)?|"
    r"numéro[ ]de[ ]sécurité[ ]sociale|carte[ ](?:nationale[ ])?d['’]identité|cédula(?:[ ]de[ ](?:identidad|ciudadanía))?|"
    r"documento[ ](?:nacional[ ])?de[ ]identidad|cartão[ ]de[ ]cidadão|bilhete[ ]de[ ]identidade|carteira[ ]de[ ]identidade|"
    r"curp|pesel|mykad|cnic|emirates[ ]id|eid(?=[ ]?(?:no|number))|iqama|hkid|my[ ]number|resident[ ]registration|"
    r"passport|pasaporte|passeport|passaporto|passnummer|paspoort|passaporte|voter(?:['’]?s)?(?:[ ]id)?|epic(?=[ ]?(?:no|number))|"
    r"(?:driver['’]?s?|driving)[ ]?(?:licen[cs]e|licence)|dl(?=[ ]?(?:no|number))|führerschein(?=-?(?:nr|nummer))|permis[ ]de[ ]conduire(?=[ ]n)|"
    r"tax(?:payer)?[ ](?:id|identification|file)|tfn|ppsn?(?=[ ]?(?:no|number))|ni(?=[ ](?:no|number))|social[ ]insurance|"
    r"身份证(?:号码|号)?|身份證(?:號碼|號)?|주민등록번호|マイナンバー|паспорт|снилс|инн"
)
_PLAIN = scan(
    rf"(?<![\w'’-])(?i:{_PLAIN_NAMES})(?i:{_NUMBER}){_BETWEEN}"
    r"(?P<value>[A-Z]{0,6}[ .-]?\d[\dA-Z]{0,24}+(?:[ ./-]{1,3}(?=[\dA-Z]{0,12}\d)[\dA-Z]{1,12}+){0,5}(?:[-/ ]?\([\dA-Z]\)|[- ][A-Z](?!\w))?)(?![a-z])"
)
# Names that are words, certificates or standards too: only a value of their own form follows.
_NAMED_FORMS = tuple(
    scan(rf"(?<![\w'’-])(?:{name})(?i:{_NUMBER}){_BETWEEN}(?P<value>{form})(?![\w])")
    for name, form in (
        (r"PAN|Pan|Permanent Account", r"[A-Z]{5}[ ]?\d{4}[ ]?[A-Z]|[a-z]{5}\d{4}[a-z]"),
        (r"RFC", r"[A-Z&Ñ]{4}-?\d{6}-?[A-Z\d]{3}"),
        (r"NIE|DNI|NIF", r"[XYZ]?-?\d{1,2}\.?\d{3}\.?\d{3}[ -]?[A-Z]?"),
        (r"CPF|Cpf", r"\d{3}\.?\d{3}\.?\d{3}[ -]?\d{2}"),
        (r"RG", r"(?:[A-Z]{2}-?)?\d{1,2}\.?\d{3}\.?\d{3}-?[\dXx]"),
        (r"CUIL|CUIT|Cuil|Cuit", r"\d{2}-?\d{8}-?\d"),
        (r"RUT|RUN|Rut", r"\d{1,2}\.?\d{3}\.?\d{3}-?[\dkK]"),
        (r"CI|C\.I\.?|CC", r"[VE]?-?\d{1,2}\.\d{3}\.\d{3}(?:-\d)?"),
        (r"NIN|BVN|NIN/BVN", r"\d{11}|[A-Z]{2}\d{6}[A-Z\d]{3,5}"),
        (r"SIN", r"\d{3}[ -]\d{3}[ -]\d{3}|\d{9}"),
        (r"NIC", r"\d{9}[VXvx]|\d{12}"),
        (r"NIK|KTP|No\.? KTP", r"\d{16}|\d{4}[ .]\d{4}[ .]\d{4}[ .]\d{4}"),
        (r"BSN", r"\d{8,9}|\d{4}[ .]\d{2}[ .]\d{3}"),
        (r"CPR", r"\d{6}[- ]\d{4}"),
        (r"CNP", r"[1-8]\d{12}"),
        (r"EGN|ЕГН|OIB|JMBG|AMKA|ΑΜΚΑ|TCKN|T\.?C\.? ?(?:Kimlik(?: No)?)?|IIN|ИИН", r"\d{10,13}"),
        (r"IC|I/C|ic|I\.C\.", r"\d{6}-?\d{2}-?\d{4}|[STFGM]\d{7}[A-Z]"),
        (r"FIN|Fin", r"[FGM]\d{7}[A-Z]"),
        (r"PPS|PPSN", r"\d{7}[A-W][A-IW]?"),
        (r"NI", r"[A-Z]{2}[ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?[A-D]"),
        (r"ID|Id|HKID", r"[A-Z]{1,2}\d{6}[ ]?\([\dA]\)|\d{13}|\d{6}[ ]?\d{4}[ ]?\d{3}"),
        (r"DL", r"[A-Z]{2}[- ]?\d{2}[- ]?(?:19|20)\d{2}[- ]?\d{7}|[A-Z]\d{7,12}"),
        (r"EPIC|Voter ID|Voter Id", r"[A-Z]{3}/?\d{7}"),
        (r"TIN|EIN", r"\d{3}-\d{2}-\d{4}|\d{3}-\d{3}-\d{3}(?:-\d{3})?"),
        (r"SSN|Social Security", r"[Xx*•]{3}[ -]?[Xx*•]{2}[ -]?\d{4}"),
        (r"rodné číslo|Rodné číslo|r\. ?č\.|R\. ?Č\.", r"\d{6}/?\d{3,4}"),
        (r"NIR|INSEE", r"[12][ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?\d{3}[ ]?\d{3}(?:[ ]?\d{2})?"),
    )
)


class _Form(NamedTuple):
    """A form that tells by itself. `check`: what else must hold of it; `score`: `WEAK` if other things have it too."""

    pattern: Scan
    check: Callable[[str], bool]
    score: float
    reason: str


def _weighted(digits: str, weights: tuple[int, ...], modulus: int) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % modulus


def _true(_: str) -> bool:
    return True


def _nric(value: str) -> bool:
    """Singapore: a letter for the remainder of the seven digits."""
    offset = {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    rest = (_weighted(value[1:8], (2, 7, 6, 5, 4, 3, 2), 11) + offset) % 11
    if value[0] == "M":
        rest = 10 - rest
    letters = {
        "S": "JZIHGFEDCBA",
        "T": "JZIHGFEDCBA",
        "F": "XWUTRQPNMLK",
        "G": "XWUTRQPNMLK",
        "M": "KLJNPQRTUWX",
    }
    return letters[value[0]][rest] == value[8]


def _dni(value: str) -> bool:
    """Spain: the letter is the remainder of the number by 23."""
    plain = value.replace("-", "").replace(".", "").replace(" ", "")
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 - i % 2) for i, digit in enumerate(digits)]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _personnummer(value: str) -> bool:
    """Sweden: a day of birth, three digits and their Luhn digit."""
    digits = "".join(filter(str.isdigit, value))[-10:]
    return _is_day(digits[2:4], digits[4:6]) and _luhn(digits)


def _begins_with_a_day(value: str) -> bool:
    return _is_day(value[2:4], value[4:6])


def _ends_with_a_year(value: str) -> bool:
    """Six digits of which the first four are a day and a month."""
    return _is_day(value[2:4], value[:2])


def _curp(value: str) -> bool:
    return _is_day(value[6:8], value[8:10])


def _finnish(value: str) -> bool:
    number = int(value[:6] + value[7:10])
    return _ends_with_a_year(value) and "0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == value[10]


def _chinese(value: str) -> bool:
    rest = _weighted(value, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), 11)
    return "10X98765432"[rest] == value[17].upper()


def _pesel(value: str) -> bool:
    rest = _weighted(value, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10)
    return (
        1 <= int(value[2:4]) % 20 <= 12 and 1 <= int(value[4:6]) <= 31 and (10 - rest) % 10 == int(value[10])
    )


_VERHOEFF = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _aadhaar(value: str) -> bool:
    """India: twelve digits, the last of which is their Verhoeff digit."""
    if value.endswith("0") and value[3] == value[8] == "0":
        return False  # names of models in a row: "3400 3600 5600"
    check = 0
    for i, digit in enumerate(reversed(value.replace(" ", "").replace("-", ""))):
        check = int(_VERHOEFF[check][int(_PERMUTED[i % 8][int(digit)])])
    return check == 0


def _rut(value: str) -> bool:
    """Chile: the digit behind the hyphen checks the others."""
    digits = value[:-2].replace(".", "")
    total = sum(int(digit) * (2 + i % 6) for i, digit in enumerate(reversed(digits)))
    return "0K987654321"[total % 11] == value[-1].upper()


_B, _E = r"(?<![\w.+/-])", r"(?![\w/-]|\.\d)"
_FORMS = tuple(
    _Form(scan(_B + pattern + _E), check, score, f"identity.{reason}")
    for pattern, check, score, reason in (
        (r"[STFGM]\d{7}[A-Z]", _nric, SURE, "nric"),
        (r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", _true, SURE, "pan"),
        (r"(?<!\d[ -])[2-9]\d{3}([ -])\d{4}\1\d{4}(?![ -]\d)", _aadhaar, SURE, "aadhaar"),
        (r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}", _true, WEAK, "ssn"),
        (r"(?![DFIQUV])[A-Z](?![DFIOQUV])[A-Z] \d{2} \d{2} \d{2} [A-D]", _true, SURE, "nino"),
        (r"(?![DFIQUV])[A-Z](?![DFIOQUV])[A-Z]\d{6}[A-D]", _true, WEAK, "nino"),
        (r"\d{3}\.\d{3}\.\d{3}-\d{2}", _true, SURE, "cpf"),
        (r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", _curp, SURE, "curp"),
        (r"[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", _true, SURE, "codice_fiscale"),
        (r"784-?(?:19|20)\d{2}-?\d{7}-?\d", _true, SURE, "emirates"),
        (r"\d{2}\.?\d{3}\.?\d{3}-?[A-Z]", _dni, SURE, "dni"),
        (r"[XYZ]-?\d{7}-?[A-Z]", _dni, SURE, "nie"),
        (r"(?:19|20)?\d{6}[-+]\d{4}", _personnummer, SURE, "personnummer"),
        (r"\d{6}-\d{4}", _ends_with_a_year, WEAK, "cpr"),
        (r"\d{6}[-+A]\d{3}[\dA-Y]", _finnish, SURE, "henkilotunnus"),
        (r"\d{5}-\d{7}-\d", _true, SURE, "cnic"),
        (r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", _rut, SURE, "rut"),
        (r"[A-Z]{1,2}\d{6}\([\dA]\)", _true, SURE, "hkid"),
        (r"\d{6}-[1-8]\d{6}", _begins_with_a_day, SURE, "rrn"),
        (r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]", _chinese, SURE, "resident_id"),
        (r"\d{6}-\d{2}-\d{4}", _begins_with_a_day, SURE, "mykad"),
        (r"\d{11}", _pesel, WEAK, "pesel"),
        (r"[12] \d{2} (?:0[1-9]|1[0-2]) \d{2} \d{3} \d{3}(?: \d{2})?", _true, SURE, "nir"),
        (r"\d{2}-\d{8}-\d", _true, WEAK, "cuil"),
        (r"756\.\d{4}\.\d{4}\.\d{2}", _true, SURE, "ahv"),
    )
)  # fmt: skip
# What every form holds: seven digits with a sign between two of them at most, or letters and digits of one of two.
_DIGITS = scan(r"\d(?:[ .+-]?\d){6}|[A-Z]{5}\d{4}[A-Z]|[A-Z]{6}\d{2}[A-Z]|\d{6}[-+A]\d{3}|[A-Z]{4}\d{6}[A-Z]")
# Most lines with a digit hold neither of these, of which each alternative of the pattern above has one.
_SEVEN_DIGITS = re.compile(r"(?:\D*+\d){7}")
_LETTERS_AND_DIGIT = re.compile(r"[A-Z]{4}\d")
_LONGEST_FORM = 30
_DIGIT = re.compile(r"\d")


def find_named_numbers(text: str) -> Iterator[Span]:
    """Numbers behind their name, which stays: it tells nothing of the person."""
    if not _DIGIT.search(text):
        return
    for match in _PLAIN.finditer(text):
        start, end = match.span("value")
        if sum(map(str.isdigit, text[start:end])) >= LEAST_DIGITS and not _YEARS.fullmatch(text, start, end):
            yield _span(start, end, SURE, "identity.label")
    for pattern in _NAMED_FORMS:
        for match in pattern.finditer(text):
            yield _span(*match.span("value"), SURE, "identity.label")


def find_number_forms(text: str) -> Iterator[Span]:
    """Numbers that their form makes known."""
    if not (_SEVEN_DIGITS.match(text) or _LETTERS_AND_DIGIT.search(text)):
        return
    places = [match.span() for match in _DIGITS.finditer(text)]
    if not places:
        return
    windows: list[tuple[int, int]] = []  # where a form can begin
    for start, end in places:
        first = max(0, start - _LONGEST_FORM)
        if windows and first <= windows[-1][1]:
            first = windows.pop()[0]
        windows.append((first, end))
    for form in _FORMS:
        for match in form.pattern.finditer_in(text, windows):
            if form.check(match[0]):
                yield _span(*match.span(), form.score, form.reason)


LEAST_DIGITS = 4
"""In a number that a plain name stands before: "Driving licence: B" and "Passport 2 holder" stay."""

_YEARS = re.compile(r"(?:19|20)\d\d(?:[ ./–-]{1,3}(?:19|20)?\d\d)?|\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d")


def _span(start: int, end: int, score: float, reason: str) -> Span:
    return Span(start, end, "identity_number", TOKENS["identity_number"], score, reason)


NAMED_NUMBERS = Recogniser(
    prefilter(
        """nric fin ic i identity id national citizen citizenship civil resident residence identification aadhaar aadhar adhaar adhar uidai
        social soc ssn insurance nino personnummer personal samordningsnummer fødselsnummer fodselsnummer henkilotunnus hetu cpr kennitala
        burgerservicenummer codice steuer steueridentifikationsnummer steuerid sozialversicherungsnummer ahv
        rentenversicherungsnummer personalausweis personalausweisnummer ausweisnummer reisepass reisepassnummer numero carte cedula
        documento cartao bilhete carteira curp pesel mykad cnic emirates eid iqama hkid my registration passport pasaporte passeport
        passaporto passnummer paspoort passaporte voter voters epic driver drivers driving dl fuhrerschein fuhrerscheinnummer permis tax
        taxpayer tfn pps ppsn ni pan permanent rfc nie dni nif cpf rg cuil cuit rut run ci cc nin bvn sin nic nik ktp bsn cnp egn oib jmbg
        amka tckn tc iin tin ein rodne nir insee""",
        ("fødsels", "身份", "주민등록", "マイナンバー", "паспорт", "снилс", "инн", "егн", "иин", "αμκα", "i.c", "c.i", "t.c", "r.č", "r. č", "p.p"),
    ),
    find_named_numbers,
)  # fmt: skip
NUMBER_FORMS = Recogniser(prefilter(substrings="0123456789"), find_number_forms)
