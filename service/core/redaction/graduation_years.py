"""Years of study and graduation. Periods of work stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.schools import DEGREE, mentions_degree
from service.core.redaction.spans import Span, spans_of

# Not in amounts ("$2,010", "2010 %"), version numbers ("2010.1") and longer numbers, but in "20072008".
_YEARS = scan(
    r"(?<![\d$€£#])(?:19[1-9]\d|20[0-4]\d)(?![\d%,]|\.\d)|(?<![\d$€£#])(?:19[1-9]\d|20[0-4]\d),(?!\d)"
    r"|(?<!\d)(?:19[1-9]\d|20[0-4]\d)(?=(?:19|20)\d\d(?!\d))|(?<=(?<!\d)(?:19|20)\d\d)(?:19[1-9]\d|20[0-4]\d)(?!\d)"
    r"|(?:(?<=[\s,(–/-])|^)['’]\d\d\b"
)
# The "12" of "2008-12", whose first year a pass before may have hidden.
_SHORT_END = re.compile(r"(?<=\[YEAR\])\s?[-–/]\s?\d\d(?![\d/])|(?<=(?:19|20)\d\d)\s?[-–/]\s?\d\d(?![\d/])")
_PRODUCT = re.compile(
    r"(?:\b(?:Windows|Win|Office|Server|Exchange|Share[Pp]oint|Studio|VS|Auto[Cc][Aa][Dd]|Access|Excel|Word|Outlook|Power[Pp]oint|Publisher|(?:MS|Microsoft)[ -]?Project|"
    r"Visio|Dynamics|NAV|AX|CRM|SolidWorks|SOLIDWORKS|Revit|Inventor|BizTalk|Vista|ISO[ -]?\d{3,5}|IEC[ -]?\d{3,5}|IBC|FIFA|WINDOWS|OFFICE|SERVER|EXCEL)"
    r"[ ]?[-:/]?[ ]?(?:Server[ ])?)$"
)
_LISTED = re.compile(r"[ ]?(?:[/,&]|and|or)[ ]?")
"""Between the versions of a product: "Windows 2000/2003"."""

_GRADUATED = scan(
    r"\b(?:[Gg]raduat(?:ed|ion|ing)|[Cc]lass of|[Aa]lum\w*|[Pp]assing year|[Yy]ear of (?:passing|graduation)|"
    r"[Cc]onvocation|[Mm]atriculat\w+)\b[^\n.;]{0,60}?(?P<year>(?:19[4-9]\d|20[0-4]\d)|['’]\d\d\b)"
)
_HINT = re.compile(r"19|20|['’]")
_STUDY = re.compile(
    rf"^\W{{0,4}}(?![DdMmHhGg](?:egree|inor|igh|raduat)){DEGREE}(?!\w)|{DEGREE}[^\n]{{0,80}}\[SCHOOL\]|\[SCHOOL\][^\n]{{0,80}}(?<![\w.]){DEGREE}(?!\w)"
)
"""In a section of experience: a degree that begins the sentence or stands beside a school."""

_SENTENCE = re.compile(r"[^.;\n]*(?:\.(?=\S)[^.;\n]*)*[.;]?")
_CELL_GAP = re.compile(r"[ \t]{2,}|[|•]")
_PRESENT = re.compile(r"\b(?:present|current|till date|to date|now)\b", re.IGNORECASE)


# "MS SQL Server 2008", "AutoCAD 2010": the version of a product, whatever degree "MS" is elsewhere.
_PRODUCT_BEFORE = re.compile(
    r"\b(?:Server|Windows|Office|Exchange|Outlook|Word|Excel|Access|Power ?point|Visio|(?:MS|Microsoft)[ -]Project|Share ?point|Lync|"
    r"Visual Studio|Dynamics(?: [A-Z]{2,3})?|Auto ?CAD|Revit|Solid ?works|LabVIEW|BizTalk|SQL|Infopath|OneNote|Quickbooks)[ -]{1,2}"
    r"(?:(?:19|20)\d\d(?:[ ]?R2)?[ ]?(?:[/&,]|and)[ ]{0,2}){0,4}$",
    re.IGNORECASE,
)


def is_version(text: str, start: int) -> bool:
    """True if the year that begins at `start` is the version of a product."""
    return _PRODUCT_BEFORE.search(text, max(0, start - 60), start) is not None


def find_graduation_years(text: str) -> Iterator[Span]:
    """Years after "graduated" or "class of"."""
    yield from spans_of(_GRADUATED, text, "graduation_year", "year")


def years_in(text: str) -> Iterator[tuple[int, int]]:
    """Where the years of `text` stand, all of them: "2010", "'12", the ends of "2008-12" and of "20082012"."""
    version = -1  # where the last version of a product ends
    for match in _YEARS.finditer(text):
        start = match.start()
        if _PRODUCT.search(text, max(0, start - 24), start) or (
            version >= 0 and _LISTED.fullmatch(text, version, start)
        ):
            version = start + 4
            continue
        yield match.start(), match.end() - match[0].endswith(",")
    for match in _SHORT_END.finditer(text):
        yield match.end() - 2, match.end()


def graduation_years_in_line(line: Line) -> Iterator[Span]:
    """Years in a sentence or cell with a degree. Offsets are into the line. Education is read by `education`."""
    if line.heading or line.section == "education" or not _HINT.search(line.text):
        return
    experience = line.section == "experience"
    if not mentions_degree(line.text):
        return
    token = TOKENS["graduation_year"]
    for start, part in _parts(line.text):
        if not mentions_degree(part) or _PRESENT.search(part):
            continue
        if experience and not _STUDY.search(part):
            continue  # a period of work at a school
        for first, end in years_in(part):
            if is_version(part, first):
                continue
            yield Span(start + first, start + end, "graduation_year", token)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a line, cut at wide gaps too, with their places."""
    for sentence in _SENTENCE.finditer(text):
        position = sentence.start()
        for gap in _CELL_GAP.finditer(text, sentence.start(), sentence.end()):
            if gap.start() > position:
                yield position, text[position : gap.start()]
            position = gap.end()
        if position < sentence.end():
            yield position, text[position : sentence.end()]


GRADUATION_YEARS = Recogniser(
    prefilter(
        substrings=("graduat", "class of", "alum", "passing year", "year of", "convocation", "matriculat")
    ),
    find_graduation_years,
)
