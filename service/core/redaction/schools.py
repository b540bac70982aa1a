"""Schools and universities. The degree and its field stay."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from service.core.redaction.education_words import FIELDS
from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import PrefilterText, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.school_endings import is_employer_named_after, with_rest
from service.core.redaction.school_names import SchoolReader
from service.core.redaction.school_slots import SLOTS, TOWNS, schools_in_slots
from service.core.redaction.spans import Span
from service.core.redaction.words import Words, fold

_CAP = r"(?:[A-ZÀ-ÞŁŚŻČŠŽĐİ][\w'’.]{0,30}+|\d{1,2}(?:st|nd|rd|th))"
_NAME_AFTER = (
    r"(?:(?:the|la|le|el|los|las|St\.?|Saint|São|San|Santa)[ ])?"
    rf"{_CAP}(?:(?:[ ](?:and|&|und|of|de|da|do|dos|des|du|del|di|la|le|the|y|e|et|at|in|for|für|zu|am|an der|van|der)[ ](?:the[ ])?|-(?:e|i|ul|al|de|le|la)-|[ \-–]){_CAP}){{0,8}}"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # Other languages
        r"\b(?:[IVX]{1,5}[ ])?(?:Universidad|Universidade|Universit[àáa]|Université|Universität|Universitat|Universitatea|Uniwersytet|Univerzita|"
        r"Universitetet|Universiteit|Universitas|Univerza|Sveučilište|Institut(?:o|ul|et)?|Instituto|Istituto|Politecnico|Politécnic[oa]|"
        r"Politechnika|Akademia|Academia|École|Ecole|Escuela|Escola|Colégio|Tecnológico|Kolej|Faculdade|Facultad|Faculté|Hochschule|Fachhochschule|"
        r"Technische Universität|Technische Hochschule|Lycée|Liceo|Colegio|Collège|Gymnasium|Gimnazjum|Kolegium|Akademie|Liceum|"
        rf"Centro Universitário|Politeknik|Sekolah Tinggi|Hogeschool|Katholieke Universiteit|Vrije Universiteit|Conservatorio|IES)[ ]"
        r"(?:(?:de|da|do|van|del|degli|di|der|des|du|la|el|los|las|in|w|e|für|fur|zu|am|den|dell['’]|d['’]|of|les|Studi|of the|im\.)[ ]*){0,6}"
        rf"{_NAME_AFTER}",
        r"\b(?:KU|TU|FH|ETH|RWTH|HTW|HAW|UC|UT|SUNY|CUNY|CSU|IIT|IIM|NIT|IIIT|BITS|NUS|UNC|UNSW|UW|UMass|UM|UTM|UiTM|KIT(?! KAT\b)|HEC|IE|UFR)"
        rf"(?:[ ]\([A-Z]{{2,5}}\))?[ -]{_CAP}(?:[ ](?:Tiruchirappalli|Hill|Barbara|Diego|Cruz|Angeles|Francisco|Brook))?",
        r"[\u4e00-\u9fff]{2,12}(?:大学|学院|學院|大學|中学|学校|高校)|[\uac00-\ud7a3]{2,10}(?:대학교|대학|고등학교)",
        r"\b[А-ЯЁ][\w-]{0,60}+(?:[ ][\w-]{1,60}+){0,5}[ ](?:университет|институт|академия)\w*(?:[ ](?:имени|им\.)[ ][А-ЯЁ. ]{1,40}\w+)?"
        r"|\b(?:МГУ|СПбГУ|МГТУ|ВШЭ|МФТИ)\b",
        r"\b(?:Texas|Florida|Alabama|Prairie View|North Carolina|Missouri|Louisiana|Arkansas)[ ](?:A&M|A&T|S&T)(?![\w])(?:[ ](?:State[ ])?University)?",
    )
)  # fmt: skip
DEGREE = (
    r"(?:B\.?\s?S\.?c?\.?|B\.?A\.?|M\.?S\.?c?\.?|M\.?A\.|MA(?= (?:in|of|\(|degree))|(?<=\n)MA|B\.?\s?Tech|M\.?\s?Tech|B\.?E\.?|B\.?Com|M\.?Com|MBA|Ph\.?\s?D|LL\.?[BM]|"
    r"BBA|BEng|MEng|HND|OND|BFA|MFA|A[- ]?Levels?|GCSEs?|GED|NCE|WAEC|SSCE|HSC|SSC|CBSE|ICSE|XII?|Abitur|Matura|Bac(?:calaur[ée]at)?|"
    r"[Bb]achelor\w{0,10}['’]?s?|[Mm]aster['’]?s|Master of|Master in|[Aa]ssociate['’]?s? (?:[Dd]egree|of)|[Dd]octor(?:ate|al| of)|"
    r"[Dd]iploma|[Dd]egree|[Gg]raduat\w{1,10}|[Ll]icenciatura|[Ll]icence|[Ii]ngeniería|[Ii]ngenieur|[Ss]tudied|[Cc]lass of|[Mm]agister|"
    r"[Mm]inor|[Cc]um [Ll]aude|GPA|CGPA|[Hh]igh [Ss]chool|Dipl)"
)
_EDUCATIONAL = scan(rf"(?<![\w.]){DEGREE}(?![\w])|\[SCHOOL\]")
_PART_OF_SCHOOL = re.compile(
    r"(?:['’]s)?(?:[ ](?:College|Extension|Law|Business|Medical|School|Kennedy|Engineering)){0,6}"
)
_GOES_ON = re.compile(r"['’]?s?[ ][A-Z]|,[ ]?[A-Z]{2}\b|[ ][A-Z]{2}\b|[-/][A-Z]")
"""Behind a bare name: "Cambridge BioDesign" is an employer, "Cambridge, MA" a town."""

_NO_LETTER = re.compile(r"[^a-z]+")
_BESIDE = 90
"""Characters within which a degree makes a bare name a school."""


_BEFORE_NAME = re.compile(r"(?<!\w)(?:[A-Z]{2,6}-|(?:Dr|DR|Prof|Pt|Smt|Shri|Sri|Sardar|Late)\.? ?)$")
"""Before a name of the lexicon: "UIT-RGPV", "Dr. BAMU"."""


def find_schools(text: str, words: Words, lexicon: Lexicon, *, by_pattern: bool) -> Iterator[Span]:
    """Schools of the lexicon and by key words, and of other languages unless `by_pattern` is False."""
    yield from _schools(text, words, lexicon, by_pattern=by_pattern, in_education=False)


_NUMBERED = re.compile(
    r"\b(?:school|gymnasium|lyceum|licey|liceum|lyc[ée]e|gimnazjum|gymnázium|szkoła|k\.?v\.?)[ ]?(?:no\.?|nr\.?|№|\#)[ ]?\d{1,4}(?![\d%/])"
    r"|\b(?:lyceum|gymnasium|licey)[ ]\d{1,4}(?![\d%/])"
    r"|\bSM[APK]N?[ ](?:Negeri[ ])?\d{1,3}(?:[ ][A-Z]\w{2,20})?(?![\w%/])|\b[IVX]{1,5}[ ]LO\b"
    r"|\b(?:Paris|Lyon|Lille|Bordeaux|Toulouse|Rennes|Grenoble|Montpellier|Nancy|Strasbourg|Aix-Marseille)[ -](?:[IVX]{1,4}|1[0-3]|[1-9])(?![\w%/.])",
    re.IGNORECASE,
)
"""Schools that have a number for a name, in a section of education."""


def schools_of_education(text: str, words: Words, lexicon: Lexicon) -> Iterator[Span]:
    """As `find_schools`, for a text of the section of education, where names in small letters count too."""
    yield from _schools(text, words, lexicon, by_pattern=True, in_education=True)
    yield from _bare_names(text, words, lexicon)
    yield from _slots(text, words, lexicon, in_education=True)
    for match in _NUMBERED.finditer(text):
        yield _span(match.start(), match.end())


def schools_in_line(line: Line, words: Words, seen: PrefilterText, lexicon: Lexicon) -> Iterator[Span]:
    """Acronyms (MIT) and bare names (Harvard), which are schools only beside a degree, and what stands in slots.

    `words` and `seen` are the line's own, and offsets are into the line. Education is read as a whole (`education`).
    """
    if line.section == "education":
        return
    if SLOTS.may_match(seen):
        yield from _slots(line.text, words, lexicon)
    bare_names = list(_bare_names(line.text, words, lexicon))
    if not bare_names:  # as in most lines: then no degree is looked for
        return
    degrees = [match.span() for match in _EDUCATIONAL.finditer(line.text)]
    if not degrees:
        return
    starts = [start for start, _ in degrees]
    for span in bare_names:
        if line.text.startswith("(", span.start - 1) or is_employer_named_after(line.text, span.end):
            continue  # an abbreviation of what stands before it: "Union Bank of California (UBC)"
        before = bisect_left(starts, span.start)
        if line.section == "header":
            if before and _is_behind_field(line.text, degrees[before - 1][1], span.start):
                yield span
        elif (before < len(degrees) and starts[before] - _BESIDE < span.start) or (
            before and span.start < degrees[before - 1][1] + _BESIDE
        ):
            yield span


def _is_behind_field(text: str, degree_end: int, start: int) -> bool:
    """True if a field of study stands between a degree and a name: "MSc Chemistry, Cornell".

    Without the field a header may hold "MBA, Oxford" for a title and a town.
    """
    if not degree_end <= start < degree_end + _BESIDE:
        return False
    return not FIELDS.isdisjoint(_NO_LETTER.split(fold(text[degree_end:start])))


def mentions_degree(text: str) -> bool:
    """True if a degree, a school certificate or a hidden school stands in `text`."""
    return _EDUCATIONAL.search(text) is not None


def _schools(
    text: str, words: Words, lexicon: Lexicon, *, by_pattern: bool, in_education: bool
) -> Iterator[Span]:
    for span in _named_schools(text, words, lexicon, by_pattern=by_pattern, in_education=in_education):
        if in_education or not is_employer_named_after(text, span.end):
            yield span


def _named_schools(
    text: str, words: Words, lexicon: Lexicon, *, by_pattern: bool, in_education: bool
) -> Iterator[Span]:
    for phrases in (lexicon.universities, lexicon.school_names):
        for first, stop in phrases.find(words, small=in_education):
            start, end = words.starts[first], words.ends[stop - 1]
            if "\n" not in text[start:end]:
                before = _BEFORE_NAME.search(text, max(0, start - 8), start)
                yield _span(before.start() if before else start, with_rest(text, end))
    for start, end in SchoolReader(text, words, lexicon, in_education=in_education).read():
        yield _span(start, end)
    if by_pattern:
        for pattern in _PATTERNS:
            for match in pattern.finditer(text):
                end = match.start() + len(match[0].rstrip(" ,.-–"))
                yield _span(match.start(), with_rest(text, end))


def _bare_names(text: str, words: Words, lexicon: Lexicon) -> Iterator[Span]:
    """Acronyms and bare names of the lexicon, unless a tool, a firm or a town is meant."""
    starts, ends = words.starts, words.ends
    brands = list(lexicon.school_brands.find(words))
    protected = {i for a, b in lexicon.protected.find(words) for i in range(a, b)} if brands else ()
    for first, stop in brands:
        start, end = starts[first], ends[stop - 1]
        if first in protected:
            continue
        following = _PART_OF_SCHOOL.match(text, end)
        end = following.end() if following else end
        if not _GOES_ON.match(text, end):
            yield _span(start, end)
    if lexicon.school_acronyms.isdisjoint(words.written):
        return
    for i, written in enumerate(words.written):
        if written in lexicon.school_acronyms:
            with_town = (
                i + 1 < len(words)
                and words.capitalised[i + 1]
                and text[ends[i] : starts[i + 1]] in (" ", "-")
                and words.folded[i + 1] in TOWNS
            )
            yield _span(starts[i], ends[i + with_town])


def _slots(text: str, words: Words, lexicon: Lexicon, *, in_education: bool = False) -> Iterator[Span]:
    for start, end in schools_in_slots(text, words, lexicon, in_education=in_education):
        yield Span(start, end, "school", TOKENS["school"], reason="school.slot")


def _span(start: int, end: int) -> Span:
    return Span(start, end, "school", TOKENS["school"])


SCHOOL_PREFILTER = prefilter(
    """ku tu fh eth rwth htw haw uc ut suny cuny csu iit iim nit iiit bits nus unc unsw uw umass um utm uitm kit hec ie ufr ies
    universidad universidade universita università universitá université universität universitat universitatea uniwersytet
    univerzita universitetet universiteit universitas univerza sveučilište institut instituto institutul institutet istituto
    politecnico politécnico politécnica politechnika akademia academia école ecole escuela escola faculdade facultad faculté
    hochschule fachhochschule technische lycée liceo colegio collège gymnasium gimnazjum kolegium akademie liceum centro
    politeknik sekolah hogeschool katholieke vrije conservatorio""",
    ("a&m", "a&t", "s&t", "colég", "kolej", "tecnol", "大学", "学院", "學院", "大學", "中学", "学校", "高校", "대학", "학교", "университет", "институт", "академия", "мгу", "спбгу", "мгту",
     "вшэ", "мфти"),
)  # fmt: skip
"""The first words of what `_PATTERNS` find; English names are read by `SchoolReader`."""
