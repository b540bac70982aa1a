"""What announces a name in a line: fields, titles, introductions, relations."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from service.core.redaction.names.words import (
    COMPANION,
    HONORIFIC,
    INTRODUCTION,
    LABEL,
    PERSON_LABEL,
    RELATION,
)
from service.core.redaction.prefilter import Clues, Gate, gate

_LATEX = re.compile(
    r"\\(?:name|author|firstname|givenname|familyname|lastname|surname)(?:\[[^\]\n]{0,200}\])?(?:\{[^{}\n]{1,60}\}){1,2}"
)
Kind = Literal["latex", "label", "person_label", "introduction", "honorific", "relation", "companion"]
PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("latex", _LATEX),
    ("label", LABEL),
    ("person_label", PERSON_LABEL),
    ("introduction", INTRODUCTION),
    ("honorific", HONORIFIC),
    ("relation", RELATION),
    ("companion", COMPANION),
)


_LETTERS = re.compile(r"[^\W\d_]+")
_GATES: dict[Kind, Gate] = {
    "latex": gate(parts=("\\",)),
    "label": gate(
        "name surname firstname lastname fullname forename nickname nombre apellido apellidos nom prénom prenom vorname nachname "
        "familienname cognome nome sobrenome naam voornaam achternaam imię nazwisko candidate applicant soyad jméno nama tên of "
        "имя фамилия фио",
        ("姓名", "氏名", "名前", "이름", "성명", "الاسم", "नाम"),
    ),
    "person_label": gate(
        "referee reference supervisor manager advisor adviser mentor person contact signed signature by author investigator guide "
        "spouse father mother husband wife kin kontakt guarantor recommender s"
    ),
    "introduction": gate("name called llamo appelle heiße chiamo i this hi hello hey"),
    "honorific": gate(
        "mr mrs ms miss mx mister dr doctor prof professor rev reverend fr hon capt col sgt lt maj señora señor sra herr frau mme "
        "mlle monsieur madame shri smt engr alhaji pastor imam rabbi sheikh"
    ),
    "relation": gate(
        "to by of with supervisor advisor",
        ("report", "authored", "founded", "collaboration", "together", "thesis"),
    ),
    "companion": gate("work worked working led headed joined thanks founded cofounded interviewed hired"),
}


class Anchor(NamedTuple):
    """What announces a name: `written` ends at `end` of its line, where the name begins."""

    kind: Kind
    start: int
    end: int
    written: str


def anchors_of(line: str) -> list[Anchor]:
    """Every anchor in one line, by offsets into it."""
    clues = Clues(line.lower(), frozenset(_LETTERS.findall(line.lower())))
    return [
        Anchor(kind, match.start(), match.end(), match[0])
        for kind, pattern in PATTERNS
        if _GATES[kind].opens(clues)
        for match in pattern.finditer(line)
    ]


ORDER: dict[Kind, int] = {kind: rank for rank, (kind, _) in enumerate(PATTERNS)}
"""The sure kinds first."""
