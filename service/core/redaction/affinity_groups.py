"""Groups for people of one sex, ethnicity, faith or orientation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import ANY_DEMONYM, any_of, short_table
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span, spans_of

_GREEK_LETTERS = [row["letter"] for row in short_table("greek_letters.csv")]
_GREEK = any_of(letter.capitalize() for letter in _GREEK_LETTERS)
# Not "Six Sigma Black Belt", "Black Box" testing, "Black Hat" the conference.
_PEOPLE = (
    r"(?:Women|Woman|Girls|Ladies|Men|Boys|Black(?! Belt| Box| Hat| Friday| Duck)|Blacks|African[- ]American|Afro\w*|"
    r"Hispanics?|Latin[oax]s?|Latine|Latinx|Chican[oa]s?|Asian(?:[- ](?:American|Pacific))?|AAPI|South Asian|"
    r"Pacific Islander|Native American|Indigenous|American Indian|Muslims?|Jewish|Christian|Catholic|Hindu|Sikh|Islamic|"
    r"LGBTQ?\w*\+?|Gay|Lesbians?|Queer|Pride|Mothers|Moms|Fathers|Dads|Caribbean)"
)
_BODY = (
    r"(?:Society|Association|Organi[sz]ation|Alliance|Council|Federation|League|Network|Coalition|Students? Union|Club|Caucus|"
    r"Chamber of Commerce|Resource Group|ERG|BRG|Affinity Group|Fellowship|Fraternity|Sorority|Bar Association|Scholarship|"
    r"Student Group|Student Center|Scholars?(?: Program)?|Foundation|Fund|Mentoring Program|Ministry|Ministries|Collective|"
    r"Guild|Team|Forum|Circle|Sisterhood|Brotherhood|Initiative|Summit|Conference|Award)"
)
_COMMUNITY = (
    r"(?:Students?['’]?|Cultural|Community|Diaspora|Heritage|Professionals?|Engineers|Lawyers|Nurses|Youth)"
)
_AFFINITY = re.compile(
    rf"(?:\b{_GREEK}(?:[ -]{_GREEK}){{1,3}}\b(?:,?\s+(?:Fraternity|Sorority|Society|Chapter|Honor Society|Inc\.?))*"
    r"(?!\s+(?:test|release|version|build)))"
    rf"|\b(?:(?:National|American|International|Society|Association|Organi[sz]ation|Alliance|Federation|League|Network|Council|"
    rf"Institute|Union|Conference|Coalition|Academy)\s+){{1,4}}(?:of|for)\s+(?:[A-Z]\w+\s+){{0,2}}{_PEOPLE}\b"
    r"(?:(?:\s+(?:and|&|in|of|for)|,)?\s+[A-Z][\w-]*){0,5}(?:\s+\([A-Z]{2,7}\))?"
    rf"|\b(?:(?:National|American|International|Global|United)\s+)?{_PEOPLE}(?:['’]s?)?"
    rf"(?:\s+(?:[A-Z][\w-]*['’]?s?|in|of|for|and|&)){{0,4}}?\s+{_BODY}\b(?:\s+\([A-Z]{{2,7}}\))?"
    rf"|\b{ANY_DEMONYM}(?:[- ]American)?\s+{_COMMUNITY}(?:\s+[A-Z]\w+)?\s+(?:{_BODY}|Union)\b"
    rf"|\b(?:Women|Girls|Men|Ladies|Blacks?|Latin[oax]s?|Hispanics|LGBTQ\w*\+?|Queers?|Lesbians|Moms|Mothers|Dads|Wom[ae]n\+?)\s+"
    r"(?:in|[Ww]ho|[Tt]hat|4|for)\s+[A-Z@][\w-]*(?:(?:\s+(?:and|&))?\s+[A-Z][\w-]*){0,3}"
    r"(?:\s+(?i:network|society|association|club|group|chapter|conference|program|community|alliance)\b)?"
    r"|\b(?:Wom[ae]n|Men|Girls?|Boys?|Ladies)['’]?s?['’]?\s+(?:\w+\s+){1,2}(?i:team|club|league|varsity|squad|network|society|"
    r"association|union|group|choir|rugby|lacrosse|rowing|crew)\b"
    r"|\b(?:Society of Women Engineers|Grace Hopper (?:Celebration|Conference|Scholar)|AnitaB\.org|Black Girls Code|Girls Who Code|"
    r"Lesbians Who Tech|Rewriting the Code|Women Techmakers|PyLadies|Out in Tech|oSTEM|NSBE|SHPE|NCWIT|ALPFA|NABA|AISES|"
    r"Prospanica|Code2040|MEChA|NAACP|Hillel|Chabad|Divine Nine|Eagle Scout|Boy Scouts?(?: of America)?|Girl Scouts?(?: of the USA)?|"
    r"Girl Guides?|Management Leadership for Tomorrow|Posse (?:Scholar|Foundation)|Gates Millennium Scholar|Urban League|"
    r"La Raza|UnidosUS|Campus Crusade|Knights of Columbus|Junior League|Rosie the Riveter|Campus Pride|"
    r"Historically Black (?:College|Universit)\w*(?: (?:and|or) Universit\w+)?|HBCUs?|Jack and Jill of America|"
    r"Daughters of the American Revolution|Tribal (?:member|citizen)|Lean In Circle)\b"
    r"|\b(?i:sorority|fraternity|sororities|fraternities)(?i: (?:president|member|sister|brother|house|chapter))?\b"
)


def find_affinity(text: str) -> Iterator[Span]:
    """Groups for people of one sex, ethnicity, faith or orientation."""
    yield from spans_of(_AFFINITY, text, "affinity")


AFFINITY_GROUPS = Recogniser(
    prefilter(" ".join(_GREEK_LETTERS) + """
        women woman womens womans girls girl ladies lady men mens boys boy black blacks african hispanic hispanics
        aapi pacific native indigenous american muslim muslims jewish christian catholic hindu sikh islamic gay lesbian
        lesbians queer queers pride mothers moms fathers dads caribbean student students cultural community diaspora
        heritage professional professionals engineers lawyers nurses youth pyladies ostem nsbe shpe ncwit alpfa naba aises
        prospanica mecha naacp hillel chabad hbcu hbcus""",
        ("afro", "latin", "chican", "asian", "lgbt", "sororit", "fraternit", "grace hopper", "anitab", "rewriting the",
         "out in tech", "code2040", "divine nine", "scout", "girl guide", "management leadership", "posse ", "gates mill",
         "urban league", "la raza", "unidosus", "campus ", "knights of", "junior league", "rosie the", "historically",
         "jack and jill", "daughters of", "tribal", "lean in", "wom")),
    find_affinity,
)  # fmt: skip
