"""The hard facts that one sentence of a posting names: what is held, studied, spoken, done for years, and where and when.

Whether they are required, and which of them stand for each other, `posting` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from service.core.posting_phrases import DUTY
from service.core.redaction.scanning import Scan, scan
from service.core.requirements.credentials import credentials_in, languages_in
from service.core.requirements.degrees import SCHOOL, degrees_in
from service.core.requirements.kinds import Kind
from service.core.requirements.wording import LENIENT, NUMBER, clause_at, number_of


@dataclass(frozen=True, slots=True)
class Fact:
    """A hard fact that a sentence names, at [start, end)."""

    kind: Kind
    start: int
    end: int
    names: tuple[str, ...] = ()
    level: int = 0
    fields: tuple[str, ...] = ()
    years: float = 0.0
    subject: tuple[str, ...] = ()
    lenient: bool = False


def facts_in(text: str, small: str, label: str) -> list[Fact]:
    """The facts that a sentence names, in no order; they may overlap.

    `small`: the sentence in small letters (`small_letters`). `label`: the small letters of the label before it, or "".
    """
    return list(
        chain(
            _credentials(text, small),
            _degrees(text, small),
            _years(small, label),
            _languages(small),
            _phrases("right_to_work", _RIGHT_TO_WORK, small),
            _phrases("shift", _SHIFT, small),
            _phrases("place", _PLACE, small),
        )
    )


def _credentials(text: str, small: str) -> Iterator[Fact]:
    # A duty may be to teach first aid; only what is held counts.
    is_duty = DUTY.match(small) is not None
    named = False
    for one in credentials_in(text, small):
        around = small[max(0, one.start - _CUE_WITHIN) : one.end + _CUE_WITHIN]
        if (one.needs_cue or is_duty) and not _CUE.search(around):
            continue
        if _OF_FIRM.match(small, one.end):
            continue
        if one.kind == "licence" and (
            _AS_TITLE.match(small, one.end) or _OF_OTHERS.search(small[max(0, one.start - 40) : one.start])
        ):
            continue
        named = True
        lenient = LENIENT.search(small) is not None
        yield Fact(one.kind, one.start, one.end, names=(one.name,), lenient=lenient)
    if not named and not is_duty:
        for kind, pattern in _UNNAMED:
            match = pattern.search(small)
            if match:
                yield Fact(kind, match.start(), match.end(), lenient=True)
                return


_CUE_WITHIN = 60
_CUE = re.compile(
    r"\blicen[sc]|\bcertif|\bregistr|\bcredential|\brequire|\bmust\b|\bcurrent\b|\bactive\b|\bvalid\b|\bprefer|\bdesignation|\ba plus\b|\bdesir|\bqualified\b|\bmandatory|\bin good standing|\bpin\b|\bhold\b|\bpossess|\bor equivalent"
)
_OF_FIRM = re.compile(
    r"\s(?:firm|exam prep|processes?|framework|standards?|principles|methodolog|concepts|practices|best practices|service management|foundation principles)\b"
)
_AS_TITLE = re.compile(
    r"\)?\s?(?:\(\w{1,5}\))?,?\s(?:you\b|is responsible|will\b|includes?\b|performs|provides|position\b|role\b|job\b|is accountable|requirements)"
)
_OF_OTHERS = re.compile(
    r"\b(?:supervision of|supervised by|report\w{0,5} to|assist\w{0,5}|supervis\w{1,5}|support\w{0,5}|alongside|directed by|delegated by|led by|direction of|guidance of|received|awarded) (?:\w{1,12} ){0,3}$"
)
"""What a job is called, and whom its holder works for, are no licences of their own."""
_UNNAMED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "licence",
        re.compile(
            r"\b(?:valid|current|active|appropriate|applicable|unrestricted|professional|state|clinical) (?:\w{2,15} ){0,3}licen[sc](?:es?|ure)\b(?! (?:agreement|key|fee|plate|management))|\blicen[sc](?:es?|ure)\b (?=(?:\w{1,15} ){0,4}(?:required|mandatory|preferred|desired))|\b(?:must|should) (?:be|hold|have|possess) (?:an? )?(?:\w{1,15} ){0,2}licen[sc](?:ed?|ure)\b"
        ),
    ),
    (
        "certification",
        re.compile(
            r"\b(?:valid|current|active|appropriate|relevant|industry|professional|national|board) (?:\w{2,15} ){0,2}certifications?\b|\bcertifications?\b (?=(?:\w{1,15} ){0,4}(?:required|mandatory|preferred|desired|a plus))|\bmust be (?:\w{1,15} ){0,2}certified\b"
        ),
    ),
)


def _degrees(text: str, small: str) -> Iterator[Fact]:
    for one in degrees_in(text, small):
        if _NOT_A_DEGREE.match(small, one.end) or _NO_DEGREE_BEFORE.search(
            small[max(0, one.start - 40) : one.start]
        ):
            continue
        if one.level == SCHOOL and not _DIPLOMA.search(small[max(0, one.start - 30) : one.end + 40]):
            continue
        fields = one.fields if one.level >= 2 else ()
        # "or equivalent" behind a diploma of a school means a GED.
        lenient = LENIENT.search(small) is not None
        yield Fact("degree", one.start, one.end, level=one.level, fields=fields, lenient=lenient)


_NOT_A_DEGREE = re.compile(
    r"[\s-]{0,2}(?:students?|teachers?|teaching|sports?|coach|football|athlet|program manager|interns?|graduates? program|level students|scheduler|days?|thesis|committee)\b"
)
_NO_DEGREE_BEFORE = re.compile(
    r"\b(?:teach|tutor|scrum|web|for|serving|with|of|to|no) (?:local |area )?$|\bscrum\s?$"
)
_DIPLOMA = re.compile(
    r"diploma|degree|graduat|education|ged|g\.e\.d|equivalent|required|complet|minimum|must|gcse|level|preferred|h\.?s\b"
)

_YEARS = scan(
    rf"(?<![\d.$%/-])(?P<number>{NUMBER})\s?(?:\((?:{NUMBER})\)\s?)?(?:\+|plus|or more)?\s?(?:(?:-|–|—|to|or)\s?(?P<most>{NUMBER})\s?(?:\(\d{{1,2}}\)\s?)?\+?)?\s?\+?(?: or more| plus)?[\s-]{{0,2}}(?:full )?(?P<unit>years?|yrs?|months)\b\.?(?:'s?|s')?"
)
_EXPERIENCE = re.compile(
    r"\bexp(?:erience[sd]?)?\b|\bbackground\b|\bin (?:a|an|the) (?:\w{1,20} ){0,3}(?:role|position|environment|industry|field|setting)\b|\bpractice\b|\bworking\b|\bmanaging\b|\bselling\b|\bteaching\b|\bdriving\b"
)
_AFTER_NO = re.compile(
    r"[\s-]{0,2}(?:of age|old\b|degree|college|university|school|program|diploma|contract|warranty|term\b|ago\b|in business|guarantee|technical|or older|and older|after|from (?:date|hire)|prior to|accredited|of college|of university|of education|of study|of age)"
)
_BEFORE_NO = re.compile(
    r"(?:\b(?:up to|backed by|our|less than|no more than|fewer than|under|maximum(?: of)?|max|within(?: the)?(?: last| past| first)?|last|past|first|every|each|per|for (?:over|more than|the)|age|aged?|celebrat\w{0,5}|next|after|once a|time|twice a|under the age of|not exceed|within one)\s{0,2}(?:\w{1,10}\s)?|\b(?:zero|0)\)?(?: zero)? to \(?|\blevel to |\(\d\) \w{3,5} to \(\d{1,2}\) )$"
)


def _years(small: str, label: str) -> Iterator[Fact]:
    found = list(_all_years(small, label))
    for one in found:
        beside = [small[a.end : b.start] for a, b in pairwise(found) if one in (a, b)]
        either = any(re.search(r"\bor\b", between) for between in beside)
        yield replace(one, lenient=True) if either else one


def _all_years(small: str, label: str) -> Iterator[Fact]:
    for match in _YEARS.finditer(small):
        years = number_of(match["number"])
        if match["unit"].startswith("month"):
            years = round(years / 12, 2)
        before = small[max(0, match.start() - 25) : match.start()]
        if (
            not _FEWEST_YEARS <= years <= _MOST_YEARS
            or _AFTER_NO.match(small, match.end())
            or _BEFORE_NO.search(before)
        ):
            continue
        clause = clause_at(small, match.start(), match.end())
        behind = small[match.end() : min(clause.end, match.end() + _WITHIN)]
        if not (
            "experience" in label
            or _EXPERIENCE.search(behind)
            or re.search(r"\bexp(?:erience)?\b[^.;]{0,30}$", small[clause.start : match.start()])
        ):
            continue
        lenient = _YEARS_LENIENT.search(small) is not None
        yield Fact(
            "years", match.start(), match.end(), years=years, subject=_subject(behind), lenient=lenient
        )


_FEWEST_YEARS = 0.5
_MOST_YEARS = 20
_WITHIN = 120
_YEARS_LENIENT = re.compile(
    r"\bin lieu\b|\bsubstitut|\bcombination\b|\bequivalent (?:combination|education|training)|\bor (?:an? )?(?:\w{1,15}['.]?s? )?(?:degree|bachelor|master|mba|ph)|\bor equivalent\b|\bor completed\b"
)
_GENERIC = frozenset(
    """of the a an in and or with as at for to on by any all from work working professional experience experienced exp prior previous progressive progressively minimum least more full time full-time
    successful proven demonstrated hands-on hands direct required preferred is must have years year total overall paid practical actual responsible general proper verifiable recent their his your our
    job employment related relevant similar same equivalent position role field industry environment area setting is plus must be which including includes""".split()
)
_RELATED = frozenset({"related", "relevant", "similar", "same", "equivalent"})
_SUBJECT_WORD = re.compile(r"[a-z][a-z0-9+#./&'-]{0,25}")
_WORDS_OF_SUBJECT = 6


def _subject(behind: str) -> tuple[str, ...]:
    """What the years are to be of; empty if of any work."""
    stop = re.search(
        r"[;.:]|\b(?:required|preferred|is|are|plus|desired|and (?:a|an|at least|\d)|with a)\b", behind
    )
    words = [word.strip("./-'") for word in _SUBJECT_WORD.findall(behind[: stop.start()] if stop else behind)]
    subject = [word for word in words if word and word not in _GENERIC]
    if not subject and any(word in _RELATED for word in words):
        subject = ["related"]
    return tuple(subject[:_WORDS_OF_SUBJECT])


def _languages(small: str) -> Iterator[Fact]:
    found = False
    for start, end, name in languages_in(small):
        clause = clause_at(small, start, end)
        around = small[max(clause.start, start - 70) : min(clause.end, end + 50)]
        if not _SPOKEN.search(around) or _NOT_SPOKEN.match(small, end):
            continue
        found = True
        yield Fact("language", start, end, names=(name,))
    if not found:
        match = re.search(r"\bbi-?lingual\b|\bmulti-?lingual\b", small)
        if match:
            yield Fact("language", match.start(), match.end())


_SPOKEN = re.compile(
    r"\bfluen|\bbi-?lingual|\bmulti-?lingual|\bspe(?:ak|ech)|\bspoken\b|\bspeaking\b|\bspeaker|\bverbal|\boral|\bwritten\b|\bwrit(?:e|ing)\b|\bread\b|\bproficien|\blanguages?\b|\bcommand of\b|\bconversational|\bcommunicat|\bunderstand|\bliterate|\bskills"
)
_NOT_SPOKEN = re.compile(
    r"[\s/,]{0,2}(?:degree|major|literature|department|class|teacher|as a second|lit\b|composition|muffin|market|cuisine|food|restaurant|compan|customers?|clients?|bank)"
)

_RIGHT_TO_WORK = scan(
    r"\b(?:authori[sz](?:ed|ation)|right|eligib(?:le|ility)|permitted|entitled|legally (?:able|eligible|authorized|entitled)|permission) to (?:legally |lawfully )?work\b|\bable to (?:legally|lawfully) work\b"
    r"|\bwork (?:authori[sz]ation|permit|visa)|\bemployment authori[sz]ation|\b(?:u\.?s\.?a?\.?|united states|uk|british|eu|american|canadian) citizens?(?:hip)?\b|\bcitizenship (?:is )?(?:required|verification)|\bmust be (?:an? )?(?:\w{1,8} )?citizen"
    r"|\bgreen card (?:holders?|required|or|only|is)|\((?:or )?green card\)|\b(?:or|with|have|hold) (?:an? )?(?:valid )?green card|\bpermanent resident|\b(?:secret|ts/sci|ts|security|sc|dv|government|dod|doe|public trust|polygraph|sensitive) clearance|\bclearance (?:is )?(?:required|level|needed|preferred)|\b(?:obtain|hold|have) (?:and maintain )?(?:an? )?(?:\w{1,12} ){0,3}clearance"
    r"|\b(?:no|not|unable to|without|cannot|can not|don't|won't|will not|provide) (?:\w{1,12} ){0,4}sponsor|\bsponsorship (?:is )?(?:not|un)|\bnot (?:\w{1,10} ){0,3}visas?\b|\bno (?:h1b?|h-1b|visa|c2c|corp)"
    r"|\bbaseline personnel security|\bbpss\b|\bdbs (?:check|clearance)|\benhanced dbs"
)
_SHIFT = scan(
    r"\b(?:night|day|evening|weekend|swing|graveyard|first|second|third|1st|2nd|3rd|rotating|overnight|split|late|early|twilight|afternoon|morning|12[- ]hour|8[- ]hour|10[- ]hour|ten[- ]hour|twelve[- ]hour|4 on 4 off)[ -]shifts?\b"
    r"|\b(?:work|working|works|available|availability|flexib\w{2,4}|must|require[sd]?|some|occasional|including|include|ability|able)\b[^.;]{0,50}\b(?:nights?|evenings?|weekends?|holidays|overtime|saturdays?|sundays?|shifts|rotating|on[ -]call)\b"
    r"|\b(?:nights?|evenings?|weekends?|overtime|saturdays?)\b (?:and \w{1,12} )?(?:work|hours|shifts?|availability|(?:is |are |may be |will be )?required|as needed|a must)"
    r"|\bon[- ]call\b|\bpart[- ]time\b|\bfull[- ]time\b(?!,? (?:\w{1,15} ){0,3}(?:employees?|students?|benefits|associates|experience))|\bshift ?work\b|\bshift (?:pattern|basis|rotation|schedule)|\bflexible (?:schedule|hours|working hours)\b|\bzero[- ]hours?\b|\b\d{2}(?:\.\d)? ?(?:\+ )?hours? (?:per|a|/|each) ?week|\bmonday (?:-|–|to|through|thru) (?:friday|saturday)|\bmon(?:day)?[- –]{1,3}fri(?:day)?\b|\bprn\b|\bper diem\b"
)
_PLACE = scan(
    r"\b(?:willing(?:ness)?|able|ability|must|open|required|prepared|need) to relocate|\brelocation (?:is |may be |will be )?(?:required|necessary)|\bmust relocate"
    r"|\btravel(?:ing|ling)?\b[^.;]{0,30}\d{1,3} ?%|\b\d{1,3} ?(?:-|–|to)? ?\d{0,3} ?% (?:of )?(?:the )?(?:\w{1,15} ){0,3}travel|\b(?:willing(?:ness)?|ability|able|must|required?|requires?|need|needed|prepared|expected|available|flexibility)\b[^.;]{0,25}\b(?:to )?travel\b(?! (?:arrangement|agen|expense|itinerar|plan|book))"
    r"|\b(?:some|occasional|frequent|extensive|overnight|regional|domestic|international|national|moderate|limited|periodic|local|regular|minimal|heavy) (?:\w{1,14} ){0,3}travel\b(?! (?:arrangement|agen|expense|itinerar|plan|book))|\btravel (?:is |may be |will be |as )?(?:required|necessary|expected|needed)|\btravel ?:(?= ?\w)"
    r"|\bmust (?:be (?:located|based|local)|live|reside) (?:\w{1,12} )?(?:in|within|near|to)\b|\blocal candidates?\b|\bcommut(?:e|able|ing) (?:to|distance)|\bbased (?:at|in) our\b"
    r"|\b(?:work(?:ing)?|role|position|job|fully|100%|must be|days?|required|only) (?:is )?(?:on[- ]?site|in[- ]office|in the office|remote(?:ly)?|hybrid)\b|\b(?:remote|hybrid|on[- ]?site|home[- ]based|office[- ]based) (?:work(?:ing)?(?! time)|role|position|job|opportunity|only|model|schedule|required)\b|\bwork(?:ing)? from home\b|\btelecommut"
)


_OFFICE_HOURS = re.compile(
    r"\b(?:applications?|apply|call|contact|interviews?|office hours|walk[- ]ins?)\b[^.;]{0,40}$"
)


def _phrases(kind: Kind, pattern: Scan, small: str) -> Iterator[Fact]:
    match = pattern.search(small)
    if match and not (kind == "shift" and _OFFICE_HOURS.search(small[: match.start()])):
        yield Fact(kind, match.start(), match.end(), subject=(match[0].replace("-", " "),))
