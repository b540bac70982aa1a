"""Stated age and date of birth, marital and parental status."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span, spans_of_groups

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
# Leave counts where it was taken: "maternity leave policies" are a task of human resources.
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


def find_age(text: str) -> Iterator[Span]:
    """Stated age and date of birth."""
    yield from spans_of_groups(_AGE, text, "age")


def find_family(text: str) -> Iterator[Span]:
    """Stated marital and parental status."""
    yield from spans_of_groups(_FAMILY, text, "family")


AGE = Recogniser(
    prefilter("dob d age alter edad eta idade aged old born b birth birthday birthdate ne nee nato nata",
              ("birth", "geburts", "geboren", "nacimiento", "naissance", "nascita", "nascimento", "age:", "âge", "età", "né",
               "出生", "生年", "(*")),
    find_age,
)  # fmt: skip
FAMILY = Recogniser(
    prefilter("children kids dependents dependants kinder married divorced widowed engaged separated mother father mum mom "
              "mummy dad daddy parent grandmother grandfather housewife househusband homemaker my loving supportive leave break",
              ("marital", "civil", "family status", "familienstand", "estado", "état", "etat", "situation", "stato")),
    find_family,
)  # fmt: skip
