"""Stated nationality, ethnicity, birth place, visa and faith, in words; `personal_fields` has those behind a label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import ANY_COUNTRY, ANY_DEMONYM
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span, spans_of_groups

_COUNTRY = rf"(?:the )?(?:{ANY_COUNTRY}|U\.S\.A?\.?|US|U\.K\.|EU|EEA)"
_NOT_OF_A_PERSON = (
    r"(?! (?:bank|insurance|grid|team|champion|security|health|award|standard|level|account|park|service|portal|science|"
    r"journalis|engagement|data|registry|scheme|and immigration|(?:application|test|officer|counsel|service|process)))"
)
# Demonyms and countries are case-sensitive ("(?-i:"): "polish" is a verb and "turkey" a dish. A demonym counts
# only beside "citizen", "descent" and the like, since the languages that a person speaks stay.
_ORIGIN = scan(
    rf"\b(?P<v2>(?:dual )?(?-i:{ANY_DEMONYM}|U\.?S\.?|EU|UK)(?:[ /&-]+(?:and )?(?-i:{ANY_DEMONYM}))?[ -](?:citizen(?:ship)?|"
    rf"national|passport|nationality|passport holder|permanent resident|descent|origin|heritage|immigrant|expat(?:riate)?|refugee|"
    rf"born)|(?-i:{ANY_COUNTRY}) (?:citizen(?:ship)?|passport holder|permanent resident|PR(?! (?:agency|firm|team|manager)))"
    rf"|citizen of (?-i:{_COUNTRY}))\b{_NOT_OF_A_PERSON}"
    rf"|\b(?:i am|i['’]m)(?: an?)? (?P<v1>(?-i:{ANY_DEMONYM}))(?=\s?(?:[.,;!)]|$)|\s(?:and|by birth|by nationality|living|based)\b)"
    r"|\b(?P<v3>green card(?: holder)?|(?:lawful |legal )?permanent resident(?: card| of [A-Z]\w+)?|h-?1-?b(?: visa)?"
    r"(?: holder| status| transfer)?|h-?4 ead|(?:f-?1|j-?1|l-?1[ab]?|o-?1|tn|e-?3|h-?4|tier [245]|student|work|dependent) visa"
    r"(?: holder| status)?|stem opt|opt ead|on (?:opt|cpt)|ead(?: card| holder)|daca(?: recipient)?|naturali[sz]ed citizen|"
    r"(?:require|requires|requiring|need|needs|no|without|will require)(?: (?:visa|any|h-?1b|work|future|employer)){0,5}"
    r" sponsorship(?: required| needed)?|work permit holder|settled status|indefinite leave to remain|"
    r"(?:legally )?(?:authori[sz]ed|eligible|permitted) to work in (?:the )?[A-Z][\w.]{0,40}(?: [A-Z][\w.]{0,40}){0,5}"
    r"(?: without (?:visa )?sponsorship)?)\b(?! (?:petition|application|process|filing|case|polic|paperwork|couns|officer|consult|advis|administ|analyst|"
    r"coordinat|manage|special|assist|service|sponsorship licen|program|request|document|compliance|support|issu|interview|section|desk))"
    rf"|\b(?P<v4>(?:native of|born (?:and raised )?in|originally from|(?:im|em)igrated (?:to \w+ )?from|raised in"
    r"(?! (?:Series|Seed|Round|Q[1-4]|Pre|Venture|Debt|Equity|January|February|March|April|May|June|July|August|September|"
    r"October|November|December))|refugee from|"
    rf"grew up in|hail(?:s|ing)? from)\s+(?-i:{_COUNTRY}|[A-ZÀ-Þ][\w-]+(?: [A-ZÀ-Þ][\w-]+)?)(?:,\s*(?-i:{_COUNTRY}))?(?:,? in (?:19[4-9]\d|20[01]\d)\b)?)",
    re.IGNORECASE,
)
_FAITH = (
    r"(?:Christian|Catholic|Roman Catholic|Protestant|Evangelical|Baptist|Methodist|Lutheran|Presbyterian|Pentecostal|"
    r"Mormon|Orthodox|Muslim|Sunni|Shia|Islam|Jew|Jewish|Hindu|Hinduism|Sikh|Buddhist|Jain|Bah[aá]['’]?[ií]|Atheist|"
    r"Agnostic|Pagan|Zoroastrian|Jehovah['’]s Witness|Latter-day Saint|Christianity|Buddhism|Judaism)"
)
_CHURCH = r"(?:Lutheran|Catholic|Episcopal|Methodist|Anglican|Orthodox|Baptist|Presbyterian|Pentecostal|Mennonite|Adventist)"
_HOUSE = (
    r"(?:church|mosque|masjid|synagogue|gurdwara|mandir|temple|parish|chapel|cathedral|congregation|kirk)"
)
_CARERS = r"hospital|medical|health|clinic|care|hospice|physician|general|relief|homes?\b|nursing"
_NO_CARER = rf"(?! (?:{_CARERS}))"
_CARE = rf"(?! (?:{_CARERS}|universit|college))"
_GROUP = (
    r"(?:group|fellowship|union|society|association|community|ministry|church|mission|youth|camp|students?|club|charity|choir|"
    r"organi[sz]ation|cent(?:er|re)|temple|sunday|congregation|volunteers?|retreat|prayer|worship)"
)
# Employers that are hospitals stay: "Baptist Health", "Methodist Hospital", "St. Mary's Hospital".
_RELIGION = scan(
    rf"\b(?:(?P<v2>(?:practi[cs]ing|devout|observant|proud|born-again|committed|active) (?-i:{_FAITH}))\b"
    rf"|(?:i am|i['’]m|as) an? (?P<v3>(?-i:{_FAITH}))\b"
    r"|(?P<v4>(?!Falls Church\b)(?:(?-i:[A-Z])[\w.'’]{0,60}+[ \t]+){1,5}(?-i:Church|Mosque|Masjid|Synagogue|Gurdwara|Mandir|Parish|"
    r"Cathedral|Congregation))\b(?! (?:& |and Dwight|Street|Road|Lane|Avenue|St\b|Rd\b|Council))"
    r"|(?P<v5>(?:the )?(?-i:Church|Assembl(?:y|ies)(?= of (?:the )?(?:God|Yahweh|Christ|Believers|Saints|Brethren|Faith)\b)|Temple) of (?:(?:the )?(?-i:[A-Z])[\w'’-]{1,30})"
    r"(?: (?:of |and |in |the |& ){0,2}(?-i:[A-Z])[\w'’-]{1,30}){0,6})"
    rf"|(?P<v6>(?-i:St\.?|Saint|First|Second|Grace|Trinity|Zion|Calvary|Bethel|Hope|Redeemer|Immanuel|Our Savio(?:u)?r['’]?s?)"
    rf"(?: (?-i:[A-Z])[\w'’]{{1,30}}){{0,3}} (?-i:{_CHURCH})(?: Church| Parish| Chapel)?)\b{_CARE}"
    r"|(?P<v7>sunday school(?: (?:teacher|leader|superintendent|volunteer))?|(?:vacation )?bible (?:study|school|camp|class|college|"
    r"club|quiz)(?: (?:leader|teacher|group))?|missionar(?:y|ies)(?: (?:work|service|trip))?|mission(?:s)? trips?|altar (?:server|boy|girl)|"
    r"youth (?:ministry|ministries|pastor)|campus ministry|worship (?:leader|team|band|pastor|service)|lay preacher|catechis[mt]s?|"
    r"(?:quran|qur['’]an|koran|torah|talmud)(?:ic)?(?: (?:study|studies|teacher|school|recitation|memori[sz]ation))?|bar mitzvah|"
    r"bat mitzvah|hajj|umrah|mosques?|masjids?|gurdwaras?|gurudwaras?|synagogues?|madrasah?|young life|newman cent(?:er|re)|"
    r"church (?:volunteer|group|choir|youth|camp|treasurer|secretary|elder|deacon|usher|member|leader|community|band|council|board|"
    r"pianist|organist|outreach|mission|service|activities|events|plays?|orchestra)s?)\b"
    rf"|(?P<v8>(?:local|my|our|home|family|hometown|neighbou?rhood) {_HOUSE})\b"
    r"|(?:volunteer(?:s|ed|ing)?|volunteer work|served?|serving|teach(?:es|ing)?|taught|member|deacon|elder|usher|sing(?:s|ing)?|"
    r"organist|treasurer|involved|worship(?:s|ped|ping)?|(?:sunday )?service|tutor(?:ed|ing)?) (?:at|in|of|with|for) "
    rf"(?P<v9>(?:an? |the |my |our |his |her |\[PRONOUN\] )?(?:\w{{1,20}} ){{0,2}}{_HOUSE})\b"
    r"|(?P<v10>(?:christian|catholic|muslim|islamic|jewish|hindu|sikh|buddhist|mormon|lutheran|methodist|baptist|presbyterian|"
    rf"pentecostal|evangelical|quaker|lds|interfaith){_NO_CARER} (?:(?!for|of|and|the|to|in)[\w-]{{1,20}} ){{0,2}}{_GROUP})\b{_CARE})",
    re.IGNORECASE,
)


def find_origin(text: str) -> Iterator[Span]:
    """Stated nationality, ethnicity, birth place, visa and work permit."""
    yield from spans_of_groups(_ORIGIN, text, "origin")


# "Board Treasurer St. Luke's Church": the post before the congregation stays, it is work.
_POST = re.compile(
    r"(?:(?:Board|Finance|Music|Office|Program|Assistant|Associate|Senior|Vice)[ \t]+)?"
    r"(?:Treasurer|Secretary|President|Chair|Member|Director|Volunteer|Teacher|Pianist|Organist|Coordinator|Leader|Manager|"
    r"Administrator|Assistant|Bookkeeper|Accountant|Custodian|Intern|Trustee|Accompanist|Singer|Counselor|Receptionist)"
    r"[ \t]+(?:[-–|][ \t]+)?(?=[A-Z])"
)


def find_religion(text: str) -> Iterator[Span]:
    """Stated faith, congregations and what is done for them."""
    for span in spans_of_groups(_RELIGION, text, "religion"):
        post = _POST.match(text, span.start, span.end)
        yield span._replace(start=post.end()) if post else span


_JOINED_EAD = [joined for mark in "'’‘`´" for joined in (f"{mark}ead", f"ead{mark}")]
"""Where the visa's name is no word of its own. Not "ead" alone: it stands in "lead", "head", "read"."""

ORIGIN = Recogniser(
    prefilter("visa ead opt cpt daca born raised hail hails hailing native national nationality h1b pr",
              ("i am", "i'm", "i’m", "citizen", "visa", "authori", "immigra", "emigrat", "residen", "passport", "national", "green card",
               "naturali", "sponsor", "permit", "settled", "indefinite", "eligible", "originally", "refugee", "grew up",
               "descent", "origin", "heritage", "expat", "h1-b", "h-1", "h1b", "h-4 ead", "h4 ead", *_JOINED_EAD)),
    find_origin,
)  # fmt: skip
RELIGION = Recogniser(
    prefilter("""christian catholic protestant evangelical baptist methodist lutheran presbyterian pentecostal mormon orthodox
        muslim sunni shia islam islamic jew jewish hindu hinduism sikh buddhist jain atheist agnostic pagan zoroastrian
        christianity buddhism judaism church mosque mosques masjid masjids synagogue synagogues gurdwara gurdwaras gurudwara
        gurudwaras mandir parish cathedral congregation temple assembly assemblies chapel kirk episcopal anglican mennonite
        adventist sunday bible missionary missionaries mission missions altar youth ministry worship preacher catechism
        catechist catechists catechisms quran quranic koran koranic torah talmud talmudic mitzvah hajj umrah madrasa madrasah
        quaker lds interfaith""",
        ("jehovah", "saint", "bahá", "baha", "qur'an", "qur’an", "young life", "newman cent")),
    find_religion,
)  # fmt: skip
