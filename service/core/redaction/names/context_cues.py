"""Context cues, which announce a name: labels, titles, introductions, relations, the end of a letter."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from service.core.redaction.prefilter import Prefilter, PrefilterSet, PrefilterText, prefilter
from service.core.redaction.scanning import Scan, scan

_APOS = "['’]"
_HONORIFIC = scan(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Mister|Dr|Doctor|Prof|Professor|Rev|Reverend|Fr|Hon|Capt|Col|Sgt|Lt|Maj|Señora|Señor|Sra|Herr|"
    r"Frau|Mme|Mlle|Monsieur|Madame|Shri|Smt|Engr|Alhaji|Pastor|Imam|Rabbi|Sheikh|MR|MRS|MS|DR|PROF)\b\.?\s+(?=[^\W\d_a-z])"
)
_INTRODUCTION = scan(
    rf"\b(?:[Mm]y name is|[Ii] am called|[Nn]ame is|[Mm]e llamo|[Jj]e m{_APOS}appelle|[Ii]ch heiße|[Mm]i chiamo)\s+"
    rf"|(?:^|\W)(?:[Hh]i|[Hh]ello|[Hh]ey)[,!.]*\s+(?:I am|I{_APOS}m|my name is)\s+"
    rf"|\b(?:I am|I{_APOS}m|This is)\s+(?=[A-ZÀ-Þ][\w'’-]+\s+[A-ZÀ-Þ])",
)
_RELATION = scan(
    r"\b(?:report(?:ed|ing|s)?(?: directly)? to|supervised by|(?:under )?(?:the )?(?:supervision|guidance|mentorship|leadership|"
    r"direction|tutelage) of|mentored by|managed by|advised by|recommended by|referred by|trained by|taught by|endorsed by|"
    r"nominated by|(?:we|i)(?: (?:highly|strongly|warmly|gladly|fully))? recommend|son of|daughter of|wife of|husband of|married to|assistant to|thesis (?:advisor|supervisor)|"
    r"co-?authored with|co-?founded with|in collaboration with|together with)\s*:?\s+",
    re.IGNORECASE,
)
_COMPANION = scan(
    r"\b(?:work(?:ed|ing)?(?: closely| alongside| directly)? (?:with|for|under|alongside)|led by|headed by|joined by|thanks to|"
    r"(?:co-?)?founded by|interviewed|hired by)\s+"
)
_LABEL = scan(
    r"(?<![^\s|•;,{(\[<>\"'*])(?:^|(?<=[|•;,{(\[\n<>\"'*])|(?<= [-–—] )|(?<=\s\s)|(?<=\t)|(?<=vitae )|(?<=details )|(?<=particulars )|(?<=resume )|(?<=profile )|(?<=biodata )|(?<=information ))"
    r"[\s\"'*_•\-–>]{0,200}+(?:(?:full|first|last|given|family|middle|maiden|legal|preferred|candidate(?:['’]s)?|"
    r"applicant(?:['’]s)?|employee|father(?:['’]s)?|mother(?:['’]s)?|spouse(?:['’]s)?|husband(?:['’]s)?|wife(?:['’]s)?|guardian(?:['’]s)?|"
    r"nick|contact|student|author)\s*)?"
    r"(?:name|surname|firstname|lastname|fullname|forename|nickname|nombre(?: completo)?|apellidos?|nom|prénom|prenom|vorname|nachname|"
    r"familienname|cognome|nome(?: completo)?|sobrenome|naam|voornaam|achternaam|imię|nazwisko|imię i nazwisko|имя|фамилия|фио|姓名|氏名|"
    r"名前|이름|성명|الاسم|नाम|ad soyad|jméno|candidate|applicant|resume of|cv of|curriculum vitae of|résumé of|nama|tên|họ và tên)"
    r"(?:\(s\))?[\"'*_]*\s*(?:[:=：]|\s[-–]\s|(?<=of)\s)\s*[\"'*_]*\s*",
    re.IGNORECASE | re.MULTILINE,
)
_PERSON_LABEL = scan(
    r"\b(?:referee|reference|supervisor|line manager|hiring manager|reporting manager|manager|advisor|adviser|mentor|contact person|"
    r"contact|emergency contact|signed|signature|signed by|author|prepared by|principal investigator|thesis advisor|"
    r"guide|spouse|father|mother|husband|wife|next of kin|kontakt|guarantor|recommender|submitted by|/s/)"
    r"(?:\s*(?:\d|#\d))?(?:['’]s name)?(?:\s*[:=：]\s*|\s+)(?:[-–]\s*)?(?=(?-i:[^\W\d_a-z]))",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    # The dash comes first and what stands before it behind: so `re` looks at dashes only.
    r"[—–―-](?:(?<=^.)|(?<=[\"”»'’.] .)|(?<=[\"”»].))[—–―-]?\s{0,2}(?=[^\W\d_a-z][\w'’.-]{1,30}(?: [^\W\d_][\w'’.-]{0,30}){0,3}"
    r"(?:,| \(|\s*$| [-–—|] ))"
)
CLOSING = re.compile(
    r"(?:sincerely|regards|yours (?:truly|faithfully|sincerely)|respectfully|best|cheers|thank you|thanks|cordially|"
    r"saludos|atentamente|cordialement|mit freundlichen grüßen|signature|/s/)[,.!]*\s*$",
    re.IGNORECASE,
)
_LATEX = re.compile(
    r"\\(?:name|author|firstname|givenname|familyname|lastname|surname)(?:\[[^\]\n]{0,200}\])?(?:\{[^{}\n]{1,60}\}){1,2}"
)
_NAME_FIELD = r"(?:surname|last name|family name|first name|given name|forename|other name)(?:\(s\)|s)?"
_FORM = scan(
    rf"(?:^|\s\s|\t){_NAME_FIELD}[ \t]?[/,&][ \t]?{_NAME_FIELD}(?:[ \t]{{0,20}}:|[ \t]|$)"
    rf"|(?:^|\s\s|\t)(?:{_NAME_FIELD}|full name)(?:[ \t]{{2,20}}|\t)(?=[^\W\d_])"
    r"|^[ \t]{0,10}(?:candidate |applicant |student )?name(?:[ \t]{1,20})(?=(?-i:[^\W\d_a-z]))"
    r"|(?:^|\s\s)personal (?:information|details|data|particulars)(?:[ \t]{2,20}|\t)(?=[^\W\d_])",
    re.IGNORECASE,
)
"""Fields of a form without a colon: "First name(s) / Surname(s)  Jane Doe"."""

_PAGE = scan(
    r"(?:[|·•,;–—-][ \t]{0,3}|[ \t]|^)(?:page|seite|página|pagina)[ \t]{0,2}\d{1,2}\b"
    r"(?:[ \t]{0,2}(?:of|/|von|de|di)[ \t]{0,2}\d{1,2}\b)?"
    r"|[ \t][|·•–—-][ \t]{0,3}(?:résumé|resume|curriculum vitae|cv)(?=[ \t]*(?:\d|$|[|·•–—-]))",
    re.IGNORECASE,
)
"""What stands beside a name in a page's header or footer."""

CueKind = Literal[
    "latex",
    "label",
    "form",
    "person_label",
    "introduction",
    "honorific",
    "relation",
    "companion",
    "attribution",
    "page",
]
CUES: tuple[tuple[CueKind, re.Pattern[str] | Scan, Prefilter], ...] = (
    ("latex", _LATEX, prefilter(substrings=("\\",))),
    (
        "label",
        _LABEL,
        prefilter(
            "name surname firstname lastname fullname forename nickname nombre apellido apellidos nom prénom prenom vorname nachname "
            "familienname cognome nome sobrenome naam voornaam achternaam imię nazwisko candidate applicant soyad jméno nama tên resume cv vitae résumé "
            "имя фамилия фио",
            ("姓名", "氏名", "名前", "이름", "성명", "الاسم", "नाम"),
        ),
    ),
    ("form", _FORM, prefilter("surname surnames name names forename forenames personal")),
    (
        "person_label",
        _PERSON_LABEL,
        prefilter(
            "referee reference supervisor manager advisor adviser mentor contact signed signature prepared submitted author investigator "
            "guide spouse father mother husband wife kin kontakt guarantor recommender",
            ("/s/",),
        ),
    ),
    ("introduction", _INTRODUCTION, prefilter("name called llamo appelle heiße chiamo i this hi hello hey")),
    (
        "honorific",
        _HONORIFIC,
        prefilter(
            "mr mrs ms miss mx mister dr doctor prof professor rev reverend fr hon capt col sgt lt maj señora señor sra herr frau mme "
            "mlle monsieur madame shri smt engr alhaji pastor imam rabbi sheikh"
        ),
    ),
    (
        "relation",
        _RELATION,
        prefilter(
            "report reported reporting reports supervised supervision guidance mentorship leadership direction tutelage mentored managed "
            "advised recommend recommended referred trained taught endorsed nominated son daughter wife husband married assistant thesis authored "
            "coauthored founded cofounded collaboration together"
        ),
    ),
    (
        "companion",
        _COMPANION,
        prefilter("work worked working led headed joined thanks founded cofounded interviewed hired"),
    ),
    ("attribution", _ATTRIBUTION, prefilter(substrings=("—", "–", "―", "-"))),
    ("page", _PAGE, prefilter("page seite página pagina résumé resume vitae cv")),
)
"""The surest kinds first."""

CUE_ORDER: dict[CueKind, int] = {kind: rank for rank, (kind, _, _) in enumerate(CUES)}

_PREFILTERS = PrefilterSet([prefilter for _, _, prefilter in CUES])
_CLOSING_CHARACTERS = 30
"""Longer than what `CLOSING` finds, dots and spaces at the line's end not counted."""


class ContextCue(NamedTuple):
    """Characters [start, end) of a line that announce a name, which begins at `end`; a `latex` cue holds it."""

    kind: CueKind
    start: int
    end: int
    written: str


def cues_in(line: str, seen: PrefilterText) -> list[ContextCue]:
    """Every cue in one line, by offsets into it. `seen`: what prefilters look at in it."""
    return [
        ContextCue(CUES[i][0], match.start(), match.end(), match[0])
        for i in _PREFILTERS.passed(seen)
        for match in CUES[i][1].finditer(line)
    ]


_LAST_LETTERS = frozenset("ely rds uly lly est ers you nks dos nte ent ßen ure /s/".split())
"""The last three letters of each of the words that `CLOSING` finds."""


def is_closing(line: str) -> bool:
    """True for a line that ends as a letter does: a signature follows."""
    # Only the end is searched: a long line may hold "best" and "thanks" thousands of times.
    end = len(line.rstrip().rstrip(",.!"))
    if line[max(0, end - 3) : end].lower() not in _LAST_LETTERS:
        return False
    return CLOSING.search(line, max(0, end - _CLOSING_CHARACTERS)) is not None
