"""Schools and universities. The degree and its field stay."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import prefilter
from service.core.redaction.spans import Span
from service.core.redaction.words import Words

_CAP = r"(?:[A-ZÀ-ÞŁŚŻČŠŽĐİ][\w'’.]{0,30}+|\d{1,2}(?:st|nd|rd|th))"

# Words that end a school's name to the left: degrees, fields, offices.
_STOP_LEFT = (
    r"(?!(?:B\.?S\.?c?|B\.?A|M\.?S\.?c?|M\.?A|B\.?Tech|M\.?Tech|B\.?E|M\.?E|B\.?Com|M\.?Com|MBA|Ph\.?D|LL\.?[BM]|MD|BBA|BEng|MEng|"
    r"HND|BFA|MFA|MPhil|DPhil|Bachelors?|Masters?|Associates?|Doctorate|Doctor|Diploma|Degree|Certificate|Education|Minor|"
    r"Major|Honou?rs|Science|Sciences|Engineering|Arts|Business|Administration|Nursing|Management|Accounting|Finance|"
    r"Economics|Marketing|Computer|Computing|Mathematics|Physics|Chemistry|Biology|Psychology|History|Design|Studies|"
    r"Technology|Information|Systems|Communications?|Professor|Lecturer|Assistant|Teacher|Instructor|Tutor|Dean|Coach|"
    r"Graduate|Undergraduate|Graduated|Student|Attended|Studied|Research|Researcher|Visiting|Adjunct|Postdoctoral|Fellow|"
    r"Senior|Junior|Lead|Head|Principal|Librarian|Counselor|Manager|Director|Coordinator|Officer|Analyst|The|At|From|In|And|"
    r"For|My|Our|A|An|University|College|Institute|Volunteer|Intern|Summa|Magna|Cum|Laude|Dual|Law|Medicine|Public|Relations|"
    r"GPA|Thesis|Alma|Scholar|Alumni|Degree|Accredited|State|Local|Any|Private|Driving|Middle|Summer|Online|Medical|Nursing|"
    r"Elementary|Secondary|Primary|High|Bus|Community|Junior|Vocational|Technical|Business|Trade)\b\.?)"
)
_LEFT = rf"(?:{_STOP_LEFT}{_CAP}(?:\s+(?:&|and|of|de|da|do|del|la|le|di|du|al|el|for|y|e|in)[ ]|-(?:e|i|ul|al|de)-|[ \-–/]))"
_KIND = (
    r"(?:University(?: College)?|Univ\.?|College|Institute(?: of)?|Polytechnic(?: University| Institute)?|Academy|Conservatory|"
    r"Seminary|Universit[yäéaà]t?|Üniversitesi|Egyetem|Hochschule|Fachhochschule|Universitet(?:et)?|Universiteit|Hogeschool|"
    r"Vidyapeeth|Vidyalaya|Politechnika|Uniwersytet|Yliopisto|Ülikool|Universitas|Daigaku|Gymnasium|Gakuin)"
)
_QUALIFIED = (
    r"(?:State|Technical|Community|Junior|Medical|Nursing|Business|Law|Engineering|Graduate|Christian|Agricultural|"
    r"Vocational|Teachers?|Training|Art|Music|Dental|Veterinary|International|National|Federal|City|County|Women's|Military|"
    r"Central|Eastern|Western|Northern|Southern|Technological|Tech|Arts|Science|Degree|Public|Government|Govt\.?|Open|"
    r"Pedagogical|Polytechnic|Catholic|Islamic|Autonomous|Metropolitan|Senior|Higher)"
)
_SCHOOL = (
    r"(?:(?:Senior |Junior )?High School|Secondary School|Grammar School|Middle School|Elementary School|Primary School|"
    r"Preparatory School|Prep School|Boarding School|Public School|Business School|Law School|Medical School|"
    r"Graduate School|Divinity School|Art School|Charter School|Day School|International School|Technical School|"
    r"Vocational School|Trade School|School of [A-Z][\w]+(?:(?: and| &|,)? [A-Z]\w+){0,3}|School|Academy|Lyceum|Academies)"
)
_NAME_AFTER = (
    r"(?:(?:the|la|le|el|los|las|St\.?|Saint|São|San|Santa)\s+)?"
    rf"{_CAP}(?:(?:\s+(?:and|&|of|de|da|do|dos|des|du|del|di|la|le|the|y|e|at|in|for|zu|am|an der|van|der)[ ](?:the[ ])?|-(?:e|i|ul|al|de)-|[ \-–]){_CAP}){{0,8}}"
)
_CAMPUS = (
    r"(?:\s*(?:,|[-–]|\(|at|in)\s*(?:(?:Los|Las|San|Santa|St\.?|Saint|Chapel|Urbana|Twin|College|New|Fort|El|Ann|Baton)\s)?"
    r"(?:Angeles|Berkeley|Irvine|Davis|Diego|Barbara|Cruz|Riverside|Merced|Francisco|Austin|Dallas|Arlington|Antonio|"
    r"Madison|Milwaukee|Amherst|Boston|Lowell|Champaign|Urbana-Champaign|Urbana|Chicago|Ann Arbor|Arbor|Dearborn|Flint|"
    r"Hill|Charlotte|Greensboro|Wilmington|Asheville|Cities|Duluth|Boulder|Denver|Springs|Lincoln|Omaha|Knoxville|"
    r"Chattanooga|Martin|Station|Park|County|Newark|Camden|Brunswick|Bloomington|Indianapolis|Tuscaloosa|Huntsville|"
    r"Birmingham|Fayetteville|Little Rock|Long Beach|Fullerton|Northridge|Sacramento|Fresno|Pomona|Paso|Buffalo|Albany|"
    r"Stony Brook|Binghamton|Rouge|New Orleans|Las Vegas|Reno|Manoa|Hilo|Bombay|Delhi|Madras|Kanpur|Kharagpur|Roorkee|"
    r"Guwahati|Hyderabad|Bangalore|Ahmedabad|Calcutta|Lucknow|Kozhikode|Indore|Trichy|Warangal|Surathkal|Pilani|Vellore|"
    r"Mumbai|Chennai|Pune|Nsukka|Ibadan|Ife|Zaria|Los Baños|Diliman|Manila)\b\)?)?"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        # University of X, College of the Y, Institute of Z at W
        rf"\b(?:{_STOP_LEFT}{_CAP}\s+){{0,3}}?(?:{_QUALIFIED}\s+){{0,3}}(?:University|Univ\.|College|Conservatory|Seminary|Polytechnic|Academy)\s+(?:College\s+)?"
        rf"of\s+(?:the\s+)?(?!(?:Nursing|Engineering|Science|Sciences|Arts|Business|Law|Medicine|Education|Management)\b){_NAME_AFTER}{_CAMPUS}",
        rf"\b{_LEFT}{{0,5}}(?:{_QUALIFIED}\s+){{0,3}}(?:Institute|School|College|Academy|University|Faculty)\s+(?:of|for)\s+"
        r"(?:Advanced\s+|Applied\s+|Higher\s+)?(?:Technology|Science|Management|Economics|Business|Design|Engineering|Art|Arts|Music|"
        r"Medicine|Law|Nursing|Education|Technical|Public|Information|Medical|Mathematical|Social|Political|Fine|Film|Fashion|"
        r"Mines|Agriculture|Commerce|Mathematics|Pharmacy|Dentistry|Journalism|Architecture|Hotel|Hospitality|Culinary|"
        r"Communication|International|Oriental|African|Finance|Banking|Accountancy|Computer|Computing|Journalism)"
        rf"(?:(?:\s*(?:,|and|&|of)\s*(?:and\s+)?|\s+)(?:Technology|Sciences?|Management|Economics|Business|Design|Engineering|Arts?|Music|"
        rf"Medicine|Law|Nursing|Education|Policy|Health|Studies|Institute|Commerce|Research|Administration|Relations|Communications?|"
        rf"Affairs|Service|Work|Mathematics|Institute))*(?:\s+at\s+{_NAME_AFTER})?{_CAMPUS}(?<=\w)",
        # X University, X State College, X Institute of Technology
        rf"\b{_LEFT}{{1,6}}(?:{_QUALIFIED}\s+){{0,3}}{_KIND}(?![\w])(?!\s+of\s+[A-Z])(?!\s+(?:Press|Hospital|Hospitals|Recruit\w*))"
        rf"(?:\s+of\s+Technology)?{_CAMPUS}",
        rf"\b{_LEFT}{{0,2}}(?:{_QUALIFIED}\s+){{1,3}}(?:University|College|Polytechnic|Academy)(?!\s+(?:Press|Hospital))\b",
        rf"\b{_LEFT}{{1,6}}(?:{_QUALIFIED}\s+){{0,3}}{_SCHOOL}(?![\w])(?!\s+(?:Diploma|District|Board|Bus|Year|Project|Nurse|Teacher|Counsel\w+))",
        # Other languages
        r"\b(?:Universidad|Universidade|Universit[àáa]|Université|Universität|Universitat|Universitatea|Uniwersytet|Univerzita|"
        r"Universitetet|Universiteit|Universitas|Univerza|Sveučilište|Institut(?:o|ul|et)?|Instituto|Istituto|Politecnico|Politécnic[oa]|"
        r"Politechnika|Akademia|Academia|École|Ecole|Escuela|Escola|Faculdade|Facultad|Faculté|Hochschule|Fachhochschule|"
        r"Technische Universität|Technische Hochschule|Lycée|Liceo|Colegio|Collège|Gymnasium|Gimnazjum|Kolegium|Akademie|Liceum|"
        rf"Centro Universitário|Politeknik|Sekolah Tinggi|Hogeschool|Katholieke Universiteit|Vrije Universiteit|Conservatorio|IES)\s+"
        r"(?:(?:de|da|do|del|degli|di|der|des|du|la|el|los|las|in|w|e|für|fur|den|dell['’]|d['’]|of|les|Studi|of the|im\.)\s*){0,6}"
        rf"{_NAME_AFTER}",
        r"\b(?:KU|TU|FH|ETH|RWTH|HTW|HAW|UC|UT|SUNY|CUNY|CSU|IIT|IIM|NIT|IIIT|BITS|NUS|UNC|UNSW|UW|UMass|UM|UTM|UiTM|KIT|HEC|IE|UFR)\s+"
        rf"{_CAP}(?:\s+(?:Tiruchirappalli|Hill|Barbara|Diego|Cruz|Angeles|Francisco|Brook))?",
        r"[\u4e00-\u9fff]{2,12}(?:大学|学院|學院|大學|中学|学校|高校)|[\uac00-\ud7a3]{2,10}(?:대학교|대학|고등학교)",
        r"\b[А-ЯЁ][\w-]{0,60}+(?:\s+[\w-]{1,60}+){0,5}\s+(?:университет|институт|академия)\w*(?:\s+(?:имени|им\.)\s+[А-ЯЁ.\s]+\w+)?"
        r"|\b(?:МГУ|СПбГУ|МГТУ|ВШЭ|МФТИ)\b",
    )
)  # fmt: skip
# A kind of school without a name, and bodies that certify but teach nobody.
_NOT_SCHOOL = re.compile(
    r"^(?:(?:The|A|An|High|Secondary|Primary|Middle|Elementary|Graduate|Business|Law|Medical|Public|Private|Community|"
    r"Technical|Vocational|Junior|State|Local|Driving|Summer|Sunday|Nursing|Trade)\s+)*"
    r"(?:School|College|University|Institute|Academy|Institute of)$|^(?:American Institute of|Project Management Institute|"
    r"Chartered Institute|Royal Institute of British|SANS|CFA Institute|American College of|Royal College of|AWS|Microsoft|"
    r"Cisco|Google|Salesforce|Oracle|Khan|Scrum|HubSpot|Linux|National Institutes? of (?:Health|Standards)|"
    r"National Cancer Institute|Infosec|Institute for Healthcare|American Culinary)",
)
DEGREE = (
    r"(?:B\.?\s?S\.?c?\.?|B\.?A\.?|M\.?S\.?c?\.?|M\.?A\.?|B\.?\s?Tech|M\.?\s?Tech|B\.?E\.?|B\.?Com|M\.?Com|MBA|Ph\.?\s?D|LL\.?[BM]|"
    r"BBA|BEng|MEng|HND|OND|BFA|MFA|A-?Levels?|GCSEs?|GED|NCE|WAEC|SSCE|HSC|SSC|CBSE|ICSE|XII?|Abitur|Matura|Bac(?:calaur[ée]at)?|"
    r"[Bb]achelor\w*['’]?s?|[Mm]aster['’]?s|Master of|Master in|[Aa]ssociate['’]?s? (?:[Dd]egree|of)|[Dd]octor(?:ate|al| of)|"
    r"[Dd]iploma|[Dd]egree|[Gg]raduat\w+|[Ll]icenciatura|[Ll]icence|[Ii]ngeniería|[Ii]ngenieur|[Ss]tudied|[Cc]lass of|[Mm]agister|"
    r"[Mm]inor|[Cc]um [Ll]aude|GPA|CGPA|[Hh]igh [Ss]chool|Dipl)"
)
_EDUCATIONAL = re.compile(rf"(?<![\w.]){DEGREE}(?![\w])|\[SCHOOL\]")
_PART_OF_SCHOOL = re.compile(
    r"(?:['’]s)?(?:\s+(?:College|Extension|Law|Business|Medical|School|Kennedy|Engineering))*"
)


def find_schools(text: str, words: Words, lexicon: Lexicon, *, by_pattern: bool) -> Iterator[Span]:
    """Schools of the lexicon, and by their form ("University of ...") unless `by_pattern` is False."""
    for phrases in (lexicon.universities, lexicon.school_names):
        for first, stop in phrases.find(words):
            yield _span(words.starts[first], words.ends[stop - 1])
    if not by_pattern:
        return
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            found = match[0].rstrip(" ,.-–")
            if not _NOT_SCHOOL.match(found):
                yield _span(match.start(), match.start() + len(found))


def schools_in_line(line: Line, words: Words, lexicon: Lexicon) -> Iterator[Span]:
    """Acronyms (MIT) and bare names (Harvard), which are schools only beside a degree.

    `words` are the line's own, and offsets are into the line.
    """
    if line.section == "header" or not (line.section == "education" or mentions_degree(line.text)):
        return
    starts, ends = words.starts, words.ends
    protected = {i for a, b in lexicon.protected.find(words) for i in range(a, b)}
    for first, stop in lexicon.school_brands.find(words):
        start, end = starts[first], ends[stop - 1]
        if first not in protected:
            following = _PART_OF_SCHOOL.match(line.text, end)
            yield _span(start, following.end() if following else end)
    for i, written in enumerate(words.written):
        if written in lexicon.school_acronyms:
            yield _span(starts[i], ends[i])


def mentions_degree(text: str) -> bool:
    """True if a degree, a school certificate or a hidden school stands in `text`."""
    return _EDUCATIONAL.search(text) is not None


def _span(start: int, end: int) -> Span:
    return Span(start, end, "school", TOKENS["school"])


SCHOOL_PREFILTER = prefilter(
    "ku tu fh eth rwth htw haw uc ut suny cuny csu iit iim nit iiit bits nus unc unsw uw umass um utm uitm kit hec ie ufr ies",
    ("univ", "üniv", "uniw", "colleg", "collèg", "coleg", "institut", "instytut", "school", "academ", "akadem", "polyt",
     "polit", "conserv", "semin", "hochschule", "egyetem", "hogeschool", "vidya", "yliopisto", "ülikool", "gymnas", "gimn",
     "gakuin", "daigaku", "lyc", "lice", "école", "ecole", "escuela", "escola", "faculdade", "facult", "faculty", "kolegium",
     "sekolah", "istituto", "sveu", "大学", "学院", "學院", "大學", "中学", "学校", "高校", "대학", "학교", "университет",
     "институт", "академия", "мгу", "спбгу", "мгту", "вшэ", "мфти", "politéc"),
)  # fmt: skip
