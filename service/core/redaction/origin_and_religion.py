"""Stated nationality, ethnicity, birth place, visa and faith."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import ANY_COUNTRY, ANY_DEMONYM
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span, spans_of_groups

_COUNTRY = rf"(?:the )?(?:{ANY_COUNTRY}|U\.S\.A?\.?|US|U\.K\.|EU|EEA)"
# Demonyms and countries are case-sensitive ("(?-i:"): "polish" is a verb and "turkey" a dish. A demonym counts
# only beside "citizen", "descent" and the like, since the languages that a person speaks stay.
_ORIGIN = re.compile(
    r"\b(?:nationality|citizenship|citizen of|ethnicity|ethnic origin|race|place of birth|birth ?place|country of origin|"
    r"home ?town|visa(?: status| type)?|work (?:authori[sz]ation|permit|visa)(?: status)?|immigration status|"
    r"residency status|passport(?: no\.?| number| details)?|caste|tribe|state of origin|staatsangehörigkeit|nationalität|"
    r"nacionalidad|nationalité|nazionalità|cittadinanza|nacionalidade|geburtsort|lugar de nacimiento|lieu de naissance|"
    r"国籍|民族|籍贯)\s*[:：=–-]\s*(?P<v1>[^\s\[][^\n|;•\[]*)"
    rf"|\b(?P<v2>(?:dual )?(?-i:{ANY_DEMONYM}|U\.?S\.?|EU|UK)(?:[ /&-]+(?:and )?(?-i:{ANY_DEMONYM}))?[ -](?:citizen(?:ship)?|"
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
    rf"grew up in|hail(?:s|ing)? from)\s+(?-i:{_COUNTRY}|[A-ZÀ-Þ][\w-]+(?: [A-ZÀ-Þ][\w-]+)?)(?:,\s*(?-i:{_COUNTRY}))?)",
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


def find_origin(text: str) -> Iterator[Span]:
    """Stated nationality, ethnicity, birth place, visa and work permit."""
    yield from spans_of_groups(_ORIGIN, text, "origin")


def find_religion(text: str) -> Iterator[Span]:
    """Stated faith and congregations."""
    yield from spans_of_groups(_RELIGION, text, "religion")


_JOINED_EAD = [joined for mark in "'’‘`´" for joined in (f"{mark}ead", f"ead{mark}")]
"""Where the visa's name is no word of its own. Not "ead" alone: it stands in "lead", "head", "read"."""

ORIGIN = Recogniser(
    prefilter("race caste tribe visa ead opt cpt daca born raised hail hails hailing native national nationality h1b",
              ("citizen", "ethnic", "birth", "country of origin", "hometown", "home town", "visa", "authori", "immigra",
               "emigrat", "residen", "passport", "state of origin", "staatsang", "national", "nacional", "nazional",
               "cittadin", "geburtsort", "lugar de", "lieu de", "green card", "naturali", "sponsor", "permit", "settled",
               "indefinite", "eligible", "originally", "refugee", "grew up", "descent", "origin", "heritage", "expat",
               "国籍", "民族", "籍贯", *_JOINED_EAD)),
    find_origin,
)  # fmt: skip
RELIGION = Recogniser(
    prefilter("""religion faith denomination konfession religione religiao christian catholic protestant evangelical baptist
        methodist lutheran presbyterian pentecostal mormon orthodox muslim sunni shia islam jew jewish hindu hinduism sikh
        buddhist jain atheist agnostic pagan zoroastrian christianity buddhism judaism church mosque masjid synagogue
        gurdwara mandir parish cathedral congregation""",
        ("religio", "religi", "jehovah", "saint", "bahá", "baha")),
    find_religion,
)  # fmt: skip
