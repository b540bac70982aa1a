"""What stands behind a school's name and belongs to it: a campus, an abbreviation in brackets, "for Women"."""

from __future__ import annotations

import re

_BRACKET = re.compile(r"\s?\((?=[^()\n]{0,10}[A-Z][^()\n]{0,10}[A-Z])[A-Za-z.&' -]{2,10}\)")
_KIND = re.compile(
    r"\s?\((?:[Aa]utonomous|[Ii]ndependent|[Dd]eemed(?: to be)?(?: [Uu]niversity)?|[Pp]rivate|[Ss]tate|UGC|AUTONOMOUS|INDEPENDENT)\)"
)
_FOR_ONE_SEX = re.compile(r"\s?\(?\s?for[ ](?:women|girls|boys|men|ladies)\b\s?\)?", re.IGNORECASE)
_CAMPUS = re.compile(
    r"(?:\s?(?:,|[-–]|\(|at|in)?\s?(?:(?:Los|Las|San|Santa|St\.?|Saint|Chapel|Urbana|Twin|College|New|Fort|El|Ann|Baton)\s)?"
    r"(?:Angeles|Berkeley|Irvine|Davis|Diego|Barbara|Cruz|Riverside|Merced|Francisco|Austin|Dallas|Arlington|Antonio|"
    r"Madison|Milwaukee|Amherst|Boston|Lowell|Champaign|Urbana-Champaign|Urbana|Chicago|Ann Arbor|Arbor|Dearborn|Flint|"
    r"Hill|Charlotte|Greensboro|Wilmington|Asheville|Cities|Duluth|Boulder|Denver|Springs|Lincoln|Omaha|Knoxville|"
    r"Chattanooga|Martin|Station|Park|County|Newark|Camden|Brunswick|Bloomington|Indianapolis|Tuscaloosa|Huntsville|"
    r"Birmingham|Fayetteville|Little Rock|Long Beach|Fullerton|Northridge|Sacramento|Fresno|Pomona|Paso|Buffalo|Albany|"
    r"Stony Brook|Binghamton|Rouge|New Orleans|Las Vegas|Reno|Manoa|Hilo|Bombay|Delhi|Madras|Kanpur|Kharagpur|Roorkee|"
    r"Guwahati|Hyderabad|Bangalore|Ahmedabad|Calcutta|Lucknow|Kozhikode|Indore|Trichy|Warangal|Surathkal|Pilani|Vellore|"
    r"Mumbai|Chennai|Pune|Nsukka|Legon|Mesra|Ilaro|Ibadan|Ife|Zaria|Los Baños|Diliman|Manila)\b\)?)"
)  # fmt: skip
_AND_COLLEGE = re.compile(
    r"[ ](?:&|and|AND)[ ](?:College|COLLEGE|School|Sixth Form(?: College)?|University|Research Cent(?:er|re))\b"
)


_PART = re.compile(
    r",[ ](?:(?:Teachers|Law|Medical|Graduate|Business|Engineering|Honors|Management|Dental|Nursing|University|Extension|Main|City|North|South|East|West|"
    r"Distance|Open|Off[ -]?Campus|Downtown|Online)[ ]){1,3}(?:College|School|Institute|Campus|Education)\b"
    r"|,?[ ](?:Off[ -]?Campus|Distance Education|School of Distance Education)\b"
)
"""A part of a university that is no name by itself: "Columbia University, Teachers College"."""

_KIND_AND_TOWN = re.compile(r",[ ][A-Z][a-z]{3,20}(?=[ ]?(?:[,;|(\n]|[-–]|$))")
_ONLY_KIND = re.compile(
    r"(?:^|[\n,;|:•–-]|from|at)[ ]{0,2}(?:Govt|Government|Govt\.|Municipal|State|District|Zilla Parishad)\.?[ ](?:(?:Boys|Girls|Engg|Engineering|Degree|Arts|Science|Medical|Law|"
    r"Polytechnic|Higher|Hr|High|Sr|Senior|Sec|Secondary|Inter|Junior|Jr|Women'?s?|Commerce|and|P\.?G|First|Grade|Model)\.?[ ]){0,6}(?:College|School|Polytechnic|ITI)$"
)
"""A name that says nothing but which kind of school it is: it is told from others by its town."""

_SHOUTED_CAMPUS = re.compile(_CAMPUS.pattern, re.IGNORECASE)


_EMPLOYER = re.compile(
    r"['’]?s?(?: [A-Z][a-z]{2,12})?[ ](?:Hospitals?|HOSPITALS?|Medical (?:Center|Centre)|MEDICAL CENT(?:ER|RE)|Health(?:[ ]?[Cc]are)?(?: System| Network| Partners)?\b(?! (?:Science|Informatics|Administration|Management|Care Admin))|"
    r"Clinics?|Children['’]?s Hospital|(?:Federal )?Credit Union|Physicians|Dental Clinic|Cancer Center|Heart Institute|Book ?[Ss]tore|Church|Hotel|Apartments|Mall|Bank)\b"
)


def is_employer_named_after(text: str, end: int) -> bool:
    """True if what ends at `end` goes on as an employer that bears a school's name: "Temple University" + "Hospital"."""
    return _EMPLOYER.match(text, end) is not None


def with_rest(text: str, end: int) -> int:
    """The end of a school's name in `text`, with its campus and its abbreviation in brackets."""
    campus = _SHOUTED_CAMPUS if text[max(0, end - 3) : end].isupper() else _CAMPUS
    if text.startswith(",", end) and _ONLY_KIND.search(text, max(0, end - 80), end):
        town = _KIND_AND_TOWN.match(text, end)
        if town:
            return town.end()
    for pattern in (_PART, _AND_COLLEGE, _FOR_ONE_SEX, _BRACKET, _KIND, campus, _BRACKET):
        match = pattern.match(text, end)
        if match:
            end = match.end()
    return end
