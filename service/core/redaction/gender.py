"""What states or betrays sex: pronouns, titles, stated sex and gendered occupations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import any_of, short_table
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span, spans_of, spans_of_groups

# The last alternative is case-sensitive: HIS and HE are a hospital information system and higher education.
_PRONOUN = re.compile(
    r"\(?\b(?:she|he|they|xe|ze|her|him)\s*/\s*(?:her|him|them|hers|his|theirs|hir|xem|she|he|they)"
    r"(?:\s*/\s*(?:hers|his|theirs|them|they|she|he))?\b\)?"
    r"|(?<=pronouns: )\w+(?:\s*[/,]\s*\w+)*"
    r"|(?-i:\b(?:[Hh]e|[Ss]he|[Hh]im|[Hh]er|[Hh]is|[Hh]ers|[Hh]imself|[Hh]erself)\b)",
    re.IGNORECASE,
)
# Not before names of products: "MS Excel", "Ms Word".
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
_NEUTRAL = {row["gendered"]: row["neutral"] for row in short_table("neutral_occupations.csv")}
"""Gendered occupations, and the word that says the same of anybody."""

_OCCUPATION = re.compile(rf"\b{any_of(_NEUTRAL)}\b", re.IGNORECASE)


def find_pronouns(text: str) -> Iterator[Span]:
    """Pronouns of the third person singular, and stated ones (she/her)."""
    yield from spans_of(_PRONOUN, text, "pronoun")


def find_titles(text: str) -> Iterator[Span]:
    """Titles and stated sex."""
    yield from spans_of(_TITLE, text, "gender")
    yield from spans_of(_STATED_SEX, text, "gender", "value")
    yield from spans_of_groups(_SEX_NOUN, text, "gender")


def find_occupations(text: str) -> Iterator[Span]:
    """Gendered occupations, which get their neutral word instead of a token."""
    for match in _OCCUPATION.finditer(text):
        yield Span(match.start(), match.end(), "gender", _in_case_of(match[0], _NEUTRAL[match[0].lower()]))


def _in_case_of(original: str, neutral: str) -> str:
    if original.isupper():
        return neutral.upper()
    return neutral.capitalize() if original[0].isupper() else neutral


PRONOUNS = Recogniser(prefilter("she he her him his hers himself herself they xe ze pronouns"), find_pronouns)
TITLES = Recogniser(
    prefilter("""mrs mr ms mx miss mister madam sir messrs senora senor senorita srta herr frau mme mlle monsieur madame shri
        smt kumari gender sex geschlecht sexo sexe genere man woman lady gentleman male female girl boy"""),
    find_titles,
)
OCCUPATIONS = Recogniser(
    prefilter(" ".join(w for w in _NEUTRAL if " " not in w), [w for w in _NEUTRAL if " " in w]),
    find_occupations,
)
