"""Groups for people of one sex, ethnicity, faith or orientation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import ANY_DEMONYM, any_of, short_table
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span, spans_of

_GREEK_LETTERS = [row["letter"] for row in short_table("greek_letters.csv")]
_GREEK = any_of(letter.capitalize() for letter in _GREEK_LETTERS)
_TWO_LETTERS = any_of(row["society"] for row in short_table("greek_societies.csv"))
_SOCIETY = r"(?:Fraternity|Sorority|Society|Chapter|Honor Society|Honou?rary|House|Pledge|National Fraternity|Inc\.?)"
_PHYSICS = (
    r"(?!,?[ -](?i:tests?|testing|release|version|build|radiation|emit\w*|particles?|spectro\w*|detect\w*|decay|counters?|modulat\w*|"
    r"adcs?|dacs?|converters?|prun\w*|statistics?|coefficients?|hedg\w*|neutral\w*|scores?|rays?|waves?|inc|correction|"
    r"algorithms?|functions?|analytics|analyt\w*|distribution|sources?|diversity|channels?|cells?|receptors?|subunits?)\b)"
)
# Not "Six Sigma Black Belt", "Black Box" testing, "Black Hat" the conference.
_PEOPLE = (
    r"(?:Women|Woman|Girls(?<!oys and Girls)(?<!oys & Girls)|Ladies|Men|Boys(?! (?:&|and) Girls)|Black(?! Belt| Box| Hat| Friday| Duck| &| Knight| Diamond| Rock| Swan| "
    r"Sea| Mesa| Forest| Hills| Lake| River| Scholes)|Blacks|African[- ]American|Afro\w*|"
    r"Hispanics?|Latin[oax]s?|Latine|Latinx|Chican[oa]s?|Asian(?:[- ](?:American|Pacific))?|AAPI|South Asian|"
    r"Pacific Islander|Native American|Indigenous|American Indian|Muslims?|Jewish|Christian(?! Dior| Louboutin| Aid)|Catholic|Hindu|"
    r"Sikh|Islamic|LGBTQ?\w*\+?|Gay|Lesbians?|Queer|Pride(?! (?:in|of|Award|Industries))|Mothers|Moms|Fathers|Dads|Caribbean)"
    # Funds, markets and studies are work, whoever does it.
    r"(?!(?:['’]s?)?\s(?:[A-Z][\w-]{0,20}\s){0,3}(?:Bonds?|Currency|Equit(?:y|ies)|Markets?|Development|Infrastructure|Paints|Cup|"
    r"Economic|Stock|Trade|Investment|Growth|Hedge|Credit|Debt|Dividend|Real Estate|Finance|Banking|Studies|Affairs|History|"
    r"Languages?|Wearhouse|Clothing|Footwear|Shoes|Apparel|Fashion|Relief|Charities|Health)\b)"
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
_SPORT = (
    r"(?i:soccer|football|futsal|basketball|baseball|softball|tennis|golf|swimming|swim|cross[- ]country|track(?: (?:and|&) field)?|"
    r"athletics|volleyball|(?:ice |field )?hockey|lacrosse|rugby|rowing|crew|cricket|badminton|handball|netball|gymnastics|wrestling|"
    r"diving|fencing|squash|(?:water )?polo|table tennis|skiing|cycling|triathlon|cheer(?:leading)?|dance|choir|chorus|glee club|"
    r"a cappella|ultimate|frisbee|judo|karate|boxing|kabaddi|bowling|sailing|hurling|camogie)"
)
_TEAM_OF = r"(?:[Ww]om[ae]n|WOM[AE]N|[Mm]en|MEN|[Gg]irls?|GIRLS|[Bb]oys?|BOYS|[Ll]ad(?:ies|y)|LADIES)(?:['’][sS]|(?i:s)?['’]|(?i:s))?"
_RANK = (
    r"(?:(?i:varsity|club|jv|junior|senior|national|college|collegiate|university|intercollegiate|intramural|division|d1|d-?1|ii?i?|"
    r"state|premier|under-?\d\d|u\d\d|\d\d?s|first|second|1st|2nd|youth|school|high school|indoor|beach|team|lightweight)\s){0,3}"
)
_AFFINITY = scan(
    rf"\b(?:(?:{_GREEK}(?:[ -]{_GREEK}){{2,3}}\b{_PHYSICS}(?:,?\s+{_SOCIETY}){{0,3}})"
    rf"|{_GREEK}(?:[ -]{_GREEK})?(?:,?\s+(?:[A-Z]\w{{1,20}}\s)?(?:Fraternity|Sorority|Honor Society|Chapter))\b"
    rf"|{_TWO_LETTERS}\b(?![ -]{_GREEK}){_PHYSICS}"
    rf"|(?:(?:National|American|International|Society|Association|Organi[sz]ation|Alliance|Federation|League|Network|Council|"
    rf"Institute|Union|Conference|Coalition|Academy)\s+){{1,4}}(?:of|for)\s+(?:[A-Z]\w{{0,30}}\s+){{0,2}}{_PEOPLE}\b"
    r"(?:(?:\s+(?:and|&|in|of|for)|,)?\s+[A-Z][\w-]{0,30}){0,5}(?:\s+\([A-Z]{2,7}\))?"
    rf"|(?:(?:National|American|International|Global|United)\s+)?{_PEOPLE}(?:['’]s?)?"
    rf"(?:\s+(?:[A-Z][\w-]{{0,30}}['’]?s?|in|of|for|and|&)){{0,4}}?\s+{_BODY}\b(?:\s+\([A-Z]{{2,7}}\))?"
    rf"|{ANY_DEMONYM}(?:[- ]American)?\s+{_COMMUNITY}(?:\s+[A-Z]\w{{0,30}})?\s+(?:{_BODY}|Union)\b"
    r"|(?:Women|Girls|Men|Ladies|Blacks?|Latin[oax]s?|Hispanics|LGBTQ\w*\+?|Queers?|Lesbians|Moms|Mothers|Dads|Wom[ae]n\+?)\s+"
    r"(?:in(?! Black\b)|[Ww]ho|[Tt]hat|4|for)\s+[A-Z@][\w-]{0,30}(?:(?:\s+(?:and|&))?\s+[A-Z][\w-]{0,30}){0,3}"
    r"(?:\s+(?i:network|society|association|club|group|chapter|conference|program|community|alliance)\b)?"
    r"|(?<!and )(?<!& )(?:Wom[ae]n|Men|Girls?|Boys?|Ladies|LGBT\w{0,6}\+?|BAME)['’]?s?['’]?\s+(?!(?:and|or|to|who|with|in)\s)(?:[\w-]{1,30}\s+){0,2}"
    r"(?i:team|club|league|varsity|squad|network|society|association|union|group|choir|lacrosse|rowing|crew)\b"
    r"|(?:Society of Women Engineers|Grace Hopper (?:Celebration|Conference|Scholar)|AnitaB\.org|Black Girls Code|Girls Who Code|"
    r"Lesbians Who Tech|Rewriting the Code|Women Techmakers|PyLadies|Out in Tech|oSTEM|NSBE|SHPE|NCWIT|ALPFA|NABA|AISES|"
    r"Prospanica|Code2040|MEChA|NAACP|Hillel|Chabad|Divine Nine|Eagle Scout|Boy Scouts?(?: of America)?|Girl Scouts?(?: of the USA)?|"
    r"Girl Guides?|Girl Up|Girls Inc\.?|Girls on the Run|(?:Girls|Boys) (?:State|Nation)|Lady (?:Tigers|Vols|Bears|Eagles|Panthers|"
    r"Wildcats|Lions|Bulldogs|Warriors|Knights)|Management Leadership for Tomorrow|"
    r"Posse (?:Scholar|Foundation)|Gates Millennium Scholar|Urban League|"
    r"La Raza|UnidosUS|Campus Crusade|Knights of Columbus|Junior League|Rosie the Riveter|Campus Pride|"
    r"Historically Black (?:College|Universit)\w*(?: (?:and|or) Universit\w+)?|HBCUs?|Jack and Jill of America|"
    r"Daughters of the American Revolution|Tribal (?:member|citizen)|Lean In Circle)\b"
    r"|(?i:sorority|fraternity|sororities|fraternities)(?i: (?:president|member|sister|brother|house|chapter))?\b)"
)


_SEX = scan(r"\b(?i:wom[ae]n|men|girl|boy|lady|ladies|male|female)")
_TEAM = scan(
    rf"{_TEAM_OF}\s+{_RANK}{_SPORT}\b(?:\s+(?i:team|club|league|squad))?"
    rf"|(?i:fe)?(?i:male)\s+{_RANK}{_SPORT}\s+(?i:team|club|league|squad|player)\b"
)
_SPORT_BEFORE = re.compile(rf"\b{_SPORT}(?:\s+(?:team|club))?\s?[(,-]\s?$")
_SIGNS_BEFORE = ("(", ",", "-")
_TEAM_BEHIND = re.compile(rf"{_TEAM_OF}(?:\)|\b)")


def find_affinity(text: str) -> Iterator[Span]:
    """Groups for people of one sex, ethnicity, faith or orientation."""
    yield from spans_of(_AFFINITY, text, "affinity")
    for match in _SEX.finditer(text):
        team = _TEAM.match(text, match.start())
        start = match.start()
        if team is None:
            before = max(0, match.start() - 30)
            if not text[before : match.start()].rstrip().endswith(_SIGNS_BEFORE):
                continue  # as the pattern would find, and an attempt for each of many words takes long
            team = _TEAM_BEHIND.match(text, match.start())
            sport = _SPORT_BEFORE.search(text, before, match.start())
            if team is None or sport is None:
                continue
            start = sport.start()
        yield Span(start, team.end(), "affinity", TOKENS["affinity"])


AFFINITY_GROUPS = Recogniser(
    prefilter(" ".join(_GREEK_LETTERS) + """
        women woman womens womans girls girl ladies lady ladys men mens male female boys boy black blacks african hispanic hispanics
        aapi pacific native indigenous american muslim muslims jewish christian catholic hindu sikh islamic gay lesbian
        lesbians queer queers pride mothers moms fathers dads caribbean student students cultural community diaspora
        heritage professional professionals engineers lawyers nurses youth pyladies ostem nsbe shpe ncwit alpfa naba aises
        prospanica mecha naacp hillel chabad hbcu hbcus""",
        ("afro", "latin", "bame", "chican", "asian", "lgbt", "sororit", "fraternit", "grace hopper", "anitab", "rewriting the",
         "out in tech", "code2040", "divine nine", "scout", "girl guide", "management leadership", "posse ", "gates mill",
         "urban league", "la raza", "unidosus", "campus ", "knights of", "junior league", "rosie the", "historically",
         "jack and jill", "daughters of", "tribal", "lean in", "wom")),
    find_affinity,
)  # fmt: skip
