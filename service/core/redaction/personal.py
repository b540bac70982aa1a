"""Pronouns, stated sex, family, age, origin, religion, and affinity groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.countries import COUNTRY_NAMES, DEMONYMS
from service.core.redaction.policy import TOKENS, Category
from service.core.redaction.spans import Span, spans_of

_PRONOUN = re.compile(
    r"\(?\b(?:she|he|they|xe|ze|her|him)\s*/\s*(?:her|him|them|hers|his|theirs|hir|xem|she|he|they)"
    r"(?:\s*/\s*(?:hers|his|theirs|them|they|she|he))?\b\)?"
    r"|(?<=pronouns: )\w+(?:\s*[/,]\s*\w+)*"
    r"|(?-i:\b(?:[Hh]e|[Ss]he|[Hh]im|[Hh]er|[Hh]is|[Hh]ers|[Hh]imself|[Hh]erself)\b)",
    re.IGNORECASE,
)

_TITLE = re.compile(
    r"\b(?:Mrs|Mr|Ms|Mx|Miss|Mister|Madam|Sir|Messrs|Señora|Señor|Señorita|Srta|Herr|Frau|Mme|Mlle|Monsieur|Madame|Shri|"
    r"Smt|Kumari|MR|MRS)\b\.?(?=\s+[^\W\d_a-z]|\s*\[NAME\])"
    r"(?!\s+(?:Excel|Word|Office|Access|Power|SQL|Project|Outlook|Teams|Visio|Dynamics|Azure|Windows|SharePoint|Paint|DOS|"
    r"Exchange|Visual)\b)"
)
_STATED_SEX = re.compile(
    r"\b(?:gender|sex|geschlecht|sexo|sexe|genere)\s*[:：=–-]\s*(?P<value>(?:fe)?male|[mfw]|man|woman|männlich|weiblich|"
    r"hombre|mujer|masculin\w*|f[eé]min\w*|masculino|femenino|non-?binary|trans\w*|other|maschio|femmina)\b",
    re.IGNORECASE,
)
_SEX_NOUN = re.compile(
    r"\b(?:young|hard-?working|dedicated|motivated|ambitious|self-made|proud|strong|black|white|asian|latina|african)\s+"
    r"(?P<value>man|woman|lady|gentleman|male|female|girl|boy)\b"
    r"|\bas an? (?P<value2>man|woman|lady|female|male)\b|\b(?:i am|i['’]m) an? (?P<value3>man|woman|female|male)\b",
    re.IGNORECASE,
)

_NEUTRAL: dict[str, str] = {
    "actress": "actor", "waitress": "server", "waiter": "server", "stewardess": "flight attendant",
    "chairman": "chairperson", "chairwoman": "chairperson", "salesman": "salesperson",
    "saleswoman": "salesperson", "salesmen": "salespeople", "saleswomen": "salespeople",
    "businessman": "businessperson", "businesswoman": "businessperson", "spokesman": "spokesperson",
    "spokeswoman": "spokesperson", "policeman": "police officer", "policewoman": "police officer",
    "fireman": "firefighter", "firewoman": "firefighter", "mailman": "mail carrier", "postman": "mail carrier",
    "foreman": "supervisor", "forewoman": "supervisor", "congressman": "legislator", "congresswoman": "legislator",
    "hostess": "host", "seamstress": "tailor", "masseuse": "massage therapist", "masseur": "massage therapist",
    "headmaster": "head teacher", "headmistress": "head teacher", "cameraman": "camera operator",
    "camerawoman": "camera operator", "craftsman": "artisan", "craftswoman": "artisan", "barmaid": "bartender",
    "barman": "bartender", "repairman": "repairer", "handyman": "repairer", "serviceman": "service member",
    "servicewoman": "service member", "doorman": "door attendant", "draftsman": "drafter", "laywoman": "layperson",
    "layman": "layperson", "cleaning lady": "cleaner", "midwife": "midwife", "businessmen": "businesspeople",
    "sportsman": "athlete", "sportswoman": "athlete", "freshman": "first-year student",
    "alumna": "graduate", "alumnus": "graduate", "alumnae": "graduates", "alumni": "graduates",
}  # fmt: skip
OCCUPATIONS = tuple(word for word, neutral in _NEUTRAL.items() if word != neutral)
_OCCUPATION = re.compile(
    r"\b(?:" + "|".join(sorted(OCCUPATIONS, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)

_FAMILY = re.compile(
    r"\b(?:marital|civil|family) status\s*[:：=–-]\s*(?P<v1>[^\s\[][^\n|;•,\[]*)"
    r"|\b(?:familienstand|estado civil|état civil|situation familiale|stato civile)\s*[:：-]\s*(?P<v2>[^\s\[][^\n|;•,\[]*)"
    r"|\b(?:(?:no\.?|number) of )?(?:children|kids|dependents|dependants|kinder)\s*[:：]\s*(?P<v3>[^\s\[][^\n|;•,\[]*)"
    r"|\b(?P<v4>(?:happily )?(?:married|divorced|widowed|engaged|separated)(?: (?:with|and) (?:\w+ ){0,3}"
    r"(?:child|children|kids?|sons?|daughters?))|happily married|married to [A-Z]\w+)\b"
    r"|\b(?P<v5>(?:(?:proud|single|working|devoted|loving|busy|expecting|new|stay-at-home|a) ){0,3}"
    r"(?:mother|father|mum|mom|mummy|dad|daddy|parent|grandmother|grandfather) (?:of|to) (?:a |an )?(?:\w+[- ]){0,2}"
    r"(?:\w+))(?=[\s.,;)!]|$)"
    r"|\b(?P<v6>single (?:mother|father|mom|dad|parent)|stay-at-home (?:mother|father|mom|mum|dad|parent)|housewife|"
    r"househusband|homemaker)\b"
    r"|\b(?P<v7>(?:my|loving|supportive) (?:wife|husband|spouse|kids|children|son|daughter|sons|daughters))\b"
    r"|(?:\b(?:on|took|during|after|for|my)\s+|^[^\w\n]*+|[(:–-]\s*)(?P<v8>(?:maternity|paternity|parental|family|childcare) "
    r"(?:leave|break))\b(?! (?:polic|admin|claim|cover|request|program))",
    re.IGNORECASE | re.MULTILINE,
)

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_AGE = re.compile(
    r"\b(?:date\s+of\s+birth|d\.?\s?o\.?\s?b\.?|birth\s?date|birthday|year of birth|geburtsdatum|geboren(?: am)?|"
    r"fecha de nacimiento|date de naissance|née? le|data di nascita|nato il|nata il|data de nascimento|born(?: on| in)?|"
    r"birth)\s*+[:：=–-]?\s*+(?P<v1>(?:on\s+)?(?:\w{3,9},?\s+)?\d{1,4}(?:st|nd|rd|th)?(?:(?:\s*[./-]\s*|\s+(?:de\s+)?|,\s*)(?:\d{1,4}|\w{3,10})){0,2}"
    r"(?:,?\s+(?:de\s+)?\d{4})?)(?!\d)"
    r"|(?:出生日期|生年月日|出生年月)\s*[:：]?\s*(?P<v2>[\d年月日./-]+)"
    r"|\b(?:age|alter|edad|âge|età|idade)\s*[:：=–-]\s*(?P<v3>\d{2}(?:\s*(?:years?|yrs?|jahre|años|ans|anni|anos)"
    r"(?:\s*old)?)?)\b"
    r"|\b(?P<v4>aged? (?:1[6-9]|[2-7]\d))\b(?!\s*(?:[-–%+]|to|and|or|days))"
    r"|\b(?P<v5>(?:1[6-9]|[2-7]\d)[- ](?:years?|yrs?)[- ]old)\b(?!\s+(?:compan|firm|brand|business|codebase|system|"
    r"building|patient|child|institution|organi))"
    rf"|\((?P<v6>(?:born|b\.|\*)\s*(?:\d{{1,2}}\s+)?(?:{_MONTH}\s+)?(?:19|20)\d\d)\)",
    re.IGNORECASE,
)

_ANY_DEMONYM = "(?:" + "|".join(map(re.escape, DEMONYMS)) + ")"
_ANY_COUNTRY = "(?:the )?(?:" + "|".join(map(re.escape, COUNTRY_NAMES)) + r"|U\.S\.A?\.?|US|U\.K\.|EU|EEA)"
_ORIGIN = re.compile(
    r"\b(?:nationality|citizenship|citizen of|ethnicity|ethnic origin|race|place of birth|birth ?place|country of origin|"
    r"home ?town|visa(?: status| type)?|work (?:authori[sz]ation|permit|visa)(?: status)?|immigration status|"
    r"residency status|passport(?: no\.?| number| details)?|caste|tribe|state of origin|staatsangehörigkeit|nationalität|"
    r"nacionalidad|nationalité|nazionalità|cittadinanza|nacionalidade|geburtsort|lugar de nacimiento|lieu de naissance|"
    r"国籍|民族|籍贯)\s*[:：=–-]\s*(?P<v1>[^\s\[][^\n|;•\[]*)"
    rf"|\b(?P<v2>(?:dual )?(?-i:{_ANY_DEMONYM}|U\.?S\.?|EU|UK)(?:[ /&-]+(?:and )?(?-i:{_ANY_DEMONYM}))?[ -](?:citizen(?:ship)?|"
    r"national|passport|nationality|passport holder|descent|origin|heritage|immigrant|expat(?:riate)?|refugee|"
    r"born))\b(?! (?:bank|insurance|grid|team|champion|security|health|award|standard|level|account|park))"
    r"|\b(?P<v3>green card(?: holder)?|(?:lawful |legal )?permanent resident(?: card| of [A-Z]\w+)?|h-?1-?b(?: visa)?"
    r"(?: holder| status| transfer)?|h-?4 ead|(?:f-?1|j-?1|l-?1[ab]?|o-?1|tn|e-?3|h-?4|tier [245]|student|work|dependent) visa"
    r"(?: holder| status)?|stem opt|opt ead|on (?:opt|cpt)|ead(?: card| holder)|daca(?: recipient)?|naturali[sz]ed citizen|"
    r"(?:require|requires|requiring|need|needs|no|without|will require)(?: (?:visa|any|h-?1b|work|future|employer))*"
    r" sponsorship(?: required| needed)?|work permit holder|settled status|indefinite leave to remain|"
    r"(?:legally )?(?:authori[sz]ed|eligible|permitted) to work in (?:the )?[A-Z][\w.]*(?: [A-Z][\w.]*)*"
    r"(?: without (?:visa )?sponsorship)?)\b"
    rf"|\b(?P<v4>(?:native of|born (?:and raised )?in|originally from|(?:im|em)igrated (?:to \w+ )?from|raised in|refugee from|"
    rf"grew up in|hail(?:s|ing)? from)\s+(?-i:{_ANY_COUNTRY}|[A-ZÀ-Þ][\w-]+(?: [A-ZÀ-Þ][\w-]+)?)(?:,\s*(?-i:{_ANY_COUNTRY}))?)",
    re.IGNORECASE,
)

_FAITH = (
    r"(?:Christian|Catholic|Roman Catholic|Protestant|Evangelical|Baptist|Methodist|Lutheran|Presbyterian|Pentecostal|"
    r"Mormon|Orthodox|Muslim|Sunni|Shia|Islam|Jew|Jewish|Hindu|Hinduism|Sikh|Buddhist|Jain|Bah[aá]['’]?[ií]|Atheist|"
    r"Agnostic|Pagan|Zoroastrian|Jehovah['’]s Witness|Latter-day Saint|Christianity|Buddhism|Judaism)"
)
_RELIGION = re.compile(
    r"\b(?:religion|faith|denomination|religious affiliation|konfession|religión|religione|religião)\s*[:：=–-]\s*"
    r"(?P<v1>[^\s\[][^\n|;•,\[]*)"
    rf"|\b(?P<v2>(?:practi[cs]ing|devout|observant|proud|born-again|committed|active) (?-i:{_FAITH}))\b"
    rf"|\b(?:i am|i['’]m|as) an? (?P<v3>(?-i:{_FAITH}))\b"
    r"|\b(?P<v4>(?:(?-i:[A-Z])[\w.'’]{0,60}+\s+){1,5}(?-i:Church|Mosque|Masjid|Synagogue|Gurdwara|Mandir|Parish|Cathedral|"
    r"Congregation))\b",
    re.IGNORECASE,
)

_GREEK = (
    r"(?:Alpha|Beta|Gamma|Delta|Epsilon|Zeta|Eta|Theta|Iota|Kappa|Lambda|Mu|Nu|Xi|Omicron|Pi|Rho|Sigma|Tau|Upsilon|Phi|"
    r"Chi|Psi|Omega)"
)
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
    rf"|\b{_ANY_DEMONYM}(?:[- ]American)?\s+{_COMMUNITY}(?:\s+[A-Z]\w+)?\s+(?:{_BODY}|Union)\b"
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


def find_pronouns(text: str) -> Iterator[Span]:
    """Pronouns of the third person singular, and stated ones (she/her)."""
    yield from spans_of(_PRONOUN, text, "pronoun")


def find_titles(text: str) -> Iterator[Span]:
    """Titles and stated sex."""
    yield from spans_of(_TITLE, text, "gender")
    yield from spans_of(_STATED_SEX, text, "gender", "value")
    yield from _any_group(_SEX_NOUN, text, "gender")


def find_occupations(text: str) -> Iterator[Span]:
    """Gendered occupations, which get their neutral word instead of a token."""
    for match in _OCCUPATION.finditer(text):
        yield Span(match.start(), match.end(), "gender", _in_case_of(match[0], _NEUTRAL[match[0].lower()]))


def find_family(text: str) -> Iterator[Span]:
    """Stated marital and parental status."""
    yield from _any_group(_FAMILY, text, "family")


def find_age(text: str) -> Iterator[Span]:
    """Stated age and date of birth."""
    yield from _any_group(_AGE, text, "age")


def find_origin(text: str) -> Iterator[Span]:
    """Stated nationality, ethnicity, birth place, visa and work permit."""
    yield from _any_group(_ORIGIN, text, "origin")


def find_religion(text: str) -> Iterator[Span]:
    """Stated faith and congregations."""
    yield from _any_group(_RELIGION, text, "religion")


def find_affinity(text: str) -> Iterator[Span]:
    """Groups for people of one sex, ethnicity, faith or orientation."""
    yield from spans_of(_AFFINITY, text, "affinity")


def _any_group(pattern: re.Pattern[str], text: str, category: Category) -> Iterator[Span]:
    for match in pattern.finditer(text):
        group = match.lastgroup
        if group is None:
            continue
        start, end = match.span(group)
        while end > start and text[end - 1] in " \t.,;)":
            end -= 1
        if start < end:
            yield Span(start, end, category, TOKENS[category])


def _in_case_of(original: str, neutral: str) -> str:
    if original.isupper():
        return neutral.upper()
    return neutral.capitalize() if original[0].isupper() else neutral
