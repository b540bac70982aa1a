"""Stated age and date of birth, marital and parental status, in words; `personal_fields` has those behind a label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import any_of, short_table
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span, spans_of_groups

_MONTHS = any_of(row["word"] for row in short_table("personal_values.csv") if row["kind"] == "month")
_DATE = (
    rf"(?:{_MONTHS}\b\.?,?\s)?\d{{1,4}}(?:st|nd|rd|th)?"
    rf"(?:[ ./,-]{{1,3}}(?:of\s|de\s|del\s)?(?:\d{{1,4}}\b|{_MONTHS}\b\.?)){{0,2}}"
)
_AGE = scan(
    rf"\b(?:born|geboren(?: am)?|née? le|nato il|nata il)(?:\s(?:on|in|the)){{0,2}}\s(?P<v1>{_DATE})(?!\d)"
    r"|\b(?P<v4>aged? (?:1[6-9]|[2-7]\d))\b(?!\s*(?:[-–%+]|to|and|or|days))"
    r"|(?<!under )(?<!over )(?<!below )(?<!above )(?<!least )\b"
    r"(?P<v5>(?:1[6-9]|[2-7]\d)[- ](?:years?|yrs?)[- ](?:old|of age))\b(?!\s+(?:compan|firm|brand|business|codebase|"
    r"system|building|patient|child|institution|organi))"
    rf"|\((?P<v6>(?:born|b\.|\*)\s*(?:\d{{1,2}}\s+)?(?:{_MONTHS}\s+)?(?:19|20)\d\d)\)",
    re.IGNORECASE,
)
_NUMBER = r"(?:two|three|four|five|six|seven|eight|[1-9])"
_CHILDREN = r"(?:child|children|kids?|sons?|daughters?|boys?|girls?|twins|triplets|toddlers?|bab(?:y|ies)|infants?|teenagers?|teens)"
_AGES = r"(?:\s\((?:(?:\d{1,2}|ages?|aged|and|years?|yrs|old|months?|[,&/ +]){1,12})\))"
_PARTNER = r"(?:partner|wife|husband|spouse|girlfriend|boyfriend|fianc[ée]e?)"
# "Engaged with children" is social work and "mother to child" medicine: children count where they are somebody's.
# Leave counts where it was taken: "maternity leave policies" are a task of human resources.
_FAMILY = scan(
    rf"\b(?P<v4>(?:happily )?(?:married|divorced|widowed|separated),?(?: (?:with|and))? (?:\w{{1,20}} ){{0,3}}{_CHILDREN}{_AGES}?"
    r"|happily married|engaged to be married|married (?:to (?-i:[A-Z]\w{1,30})|since (?:19|20)\d\d|for \d{1,2} years))\b"
    r"|\b(?:i am|i['’]m|am|is) (?P<v9>(?:happily )?(?:married|unmarried|divorced|widowed)(?: with (?:\w{1,20} ){0,3}child(?:ren)?|"
    r" with (?:\w{1,20} ){0,3}(?:kids?|sons?|daughters?))?)\b"
    r"|\b(?P<v5>(?:(?:proud|single|married|divorced|widowed|working|devoted|loving|busy|expecting|new|stay-at-home|a) ){0,3}"
    r"(?:mother|father|mum|mom|mummy|dad|daddy|parent|grandmother|grandfather) (?:of|to) "
    rf"(?:(?:an?|my|our|{_NUMBER})(?: (?:and|or))? (?:[\w-]{{1,20}} ){{0,2}}{_CHILDREN}\b(?! (?:node|process|component|class|element|"
    rf"record|window|thread|compan|theme|transmission)){_AGES}?|(?:{_NUMBER}|twins|triplets)(?=\s*(?:[.,;:!?)|(]|$|and\b|who\b|under\b|aged?\b))))"
    r"|\b(?P<v6>single (?:mother|father|mom|dad|parent)|stay-at-home (?:mother|father|mom|mum|dad|parent)|housewife|"
    r"househusband|homemaker|single,? (?:with )?no (?:children|kids|dependents))\b(?! (?:famil|house|support|program|benefit|nod|inherit|service))"
    r"|\b(?P<v7>(?:my|loving|supportive) (?:wife|husband|spouse|kids|children|son|daughter|sons|daughters)\b"
    rf"|(?:(?:lives?|living) with (?:(?:my|his|her|their|a|the|\[PRONOUN\]) )?{_PARTNER}(?:,? (?:and|with))? ?)?"
    rf"(?:(?:my|our|i have|we have|have) )(?:{_NUMBER} )(?:\w{{1,12}} )?{_CHILDREN}\b{_AGES}?"
    rf"|(?:lives?|living) with (?:(?:my|his|her|their|a|the|\[PRONOUN\]) )?{_PARTNER}"
    rf"(?:,? (?:and|with) (?:(?:my|our|his|her|their|\[PRONOUN\]) )?(?:{_NUMBER} )?{_CHILDREN}\b{_AGES}?)?"
    rf"|{_NUMBER} (?:(?:young|small|adult|grown|little) )?(?:children|kids|sons|daughters|boys|girls){_AGES})"
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
    prefilter("aged age old born b geboren ne nee nato nata", ("(*", "( *")),
    find_age,
)
FAMILY = Recogniser(
    prefilter("""child children kids kid son sons daughter daughters boy boys girl girls twins triplets toddler toddlers baby babies
        infant infants teenager teenagers teens married unmarried divorced widowed mother father mum mom mummy dad daddy parent
        grandmother grandfather housewife househusband homemaker dependents leave break lives live living""",
        [f"{whose} {who}" for whose in ("my", "loving", "supportive")
         for who in ("wife", "husband", "spouse", "kids", "child", "son", "daughter")]),
    find_family,
)  # fmt: skip
