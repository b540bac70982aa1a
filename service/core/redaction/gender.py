"""What states or betrays sex: pronouns, titles, nouns and gendered occupations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.lexicon import any_of, short_table
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span, spans_of, spans_of_groups
from service.core.redaction.words import read_words

# The last alternative is case-sensitive: HIS and HE are a hospital information system and higher education. "His" and
# "He" are also a bundle of the heart, a tag of proteins and a laser, and "Her2" is a receptor.
_PRONOUN = re.compile(
    r"\(?\b(?:she|he|they|xe|ze|her|him)\s*/\s*(?:her|him|them|hers|his|theirs|hir|xem|she|he|they)"
    r"(?:\s*/\s*(?:hers|his|theirs|them|they|she|he))?\b\)?"
    r"|(?<=pronouns: )\w+(?:\s*[/,]\s*\w+)*"
    r"|(?-i:\b(?=[HhSs])(?<![Bb]undle of )(?<![\w.]-)(?:[Hh]e(?!-Ne\b|-Cd\b|-?[34]\b)|[Ss]he|[Hh]im|[Hh]er(?![- ]?2\b|\s?/\s?neu)"
    r"|[Hh]is(?!-\w|\s?-?tag\b|\s(?:[Bb]undle|[Ss]ystem|Purkinje)\b)"
    r"|[Hh]ers|[Hh]imself|[Hh]erself)\b)",
    re.IGNORECASE,
)
# Not before products ("Ms Word"), studies ("Ms Computer Science", "MR Imaging") and firms.
_TITLE = scan(
    r"\b(?=[MSHFK])(?<!Cache )(?:Mrs|Mr|Ms|Mx|Miss|Mister|Madam|Sir|Messrs|Señora|Señor|Señorita|Srta|Herr|Frau|Mme|Mlle|Monsieur|Madame|Shri|"
    r"Smt|Kumari|MR|MRS)\b\.?(?=\s+[^\W\d_a-z]|\s*\[NAME\])"
    r"(?!\s+(?:Excel|Word|Office|Access|Power|PowerPoint|SQL|Project|Outlook|Teams|Visio|Dynamics|Azure|Windows|SharePoint|Paint|"
    r"DOS|Dos|Exchange|Visual|Server|CRM|Publisher|Suite|OneNote|Edge|Team|BI|Build|Test|IIS|Sql|Applications?|Products?|"
    r"Computer|Computing|Electrical|Electronics|Mechanical|Civil|Information|Data|Physics|Chemistry|Engineering|Finance|Economics|"
    r"Statistics|Mathematics|Biology|Biotechnology|Management|Accounting|Public|Applied|Software|Industrial|Chemical|Degree|"
    r"Science|Structural|Environmental|Business|Marketing|Nursing|Education|Analytics|Cybersecurity|Ramaiah|"
    r"Office[A-Z]\w{0,30}|Imaging|Angiography|Spectroscopy|Scanners?|Enterography|Technologists?|Elastography|Safety|Rate|Ratio|Penalty)\b)"
)
_FIRM = scan(
    rf"{any_of(row['firm'] for row in short_table('gendered_firms.csv'))}(?:['’]s)?\b", re.IGNORECASE
)
_MOST_FIRMS = 50
"""In one line: nobody names as many."""

_FIRM_TAIL = re.compile(
    r"\.?(?:\s(?:[A-Z&][\w'’&.-]{0,30})){1,5}?\s(?:Ltd|Limited|Group|Inc|LLC|LLP|PLC|Plc|GmbH|AG|Holdings|Company|Foundation|Trust|"
    r"Hospital|College|School|University|Institute|Bank|Productions|Entertainment|Foods|Bakery|Cosmetics|Hotels?|Stores?|"
    r"Magazine|Award|Prize|Scholarship|Road|Street|Building|Stadium|& Sons|& Co)\b"
)
_SEX_NOUN = scan(
    r"\b(?:young|hard-?working|dedicated|motivated|ambitious|self-made|proud|strong|black|white|asian|latina|african|"
    r"small-?town|country|local|married|single|family|independent)\s+"
    r"(?P<value>man|woman|lady|gentleman|male|female|girl|boy)\b(?! (?:rats?|mice|mouse|patients?|subjects?|connectors?))"
    r"|\bas an? (?P<value2>man|woman|lady|female|male|girl|boy)\b(?! (?:dominated|connector))"
    r"|\b(?:i am|i['’]m) an? (?:[\w-]{1,20},? ){0,3}?(?P<value3>man|woman|female|male|lady|gentleman|guy|girl)\b(?! campaign)"
    r"|\[(?:RELIGION|ORIGIN)\] (?P<value8>man|woman|lady|female|male|girl|boy)\b"
    r"|\b(?:first|only|sole|youngest) (?P<value4>woman|female|man|male|girl|boy)\b(?! (?:line|patients?|subjects?))"
    r"|\b(?P<value5>(?-i:gentleman|gentlemen|lady|guy|gal|lad|bloke))\b"
    r"(?!['’]s|[- ](?:wires?|ropes?|lines?|wear|bird|bug|anchors?))"
    r"|(?<=\()(?P<value6>née|nee(?=\s(?-i:[A-ZÀ-Þ\[])))\b"
    r"|\b(?P<value7>née)(?=\s(?-i:[A-ZÀ-Þ\[])(?!\sle\b))",
    re.IGNORECASE,
)
_NEUTRAL = {row["gendered"]: row["neutral"] for row in short_table("neutral_occupations.csv")}
"""Gendered occupations, and the word that says the same of anybody."""


def _beside(tells: str) -> dict[str, frozenset[str]]:
    words: dict[str, set[str]] = {}
    for row in short_table("occupation_contexts.csv"):
        if row["tells"] == tells:
            words.setdefault(row["occupation"], set()).add(row["word"])
    return {occupation: frozenset(found) for occupation, found in words.items()}


_PRODUCT_BESIDE = _beside("product")
"""Words beside which such a word is a product: "Foreman and Puppet"."""

_OCCUPATION_BESIDE = _beside("occupation")
"""Words without which it is one: a postman delivers mail."""

_OCCUPATION = scan(rf"\b{any_of(_NEUTRAL)}\b", re.IGNORECASE)
_OF_A_FIRM = re.compile(
    r"['’]s\s(?-i:[A-Z])|\s(?-i:Brands|Inc|Ltd|LLC|GmbH|Corp|Technologies|Collections?)\b", re.IGNORECASE
)
_BESIDE = 160
"""Characters on either side in which the words stand that tell a product from an occupation."""


def find_pronouns(text: str) -> Iterator[Span]:
    """Pronouns of the third person singular, and stated ones (she/her)."""
    spans = list(spans_of(_PRONOUN, text, "pronoun"))
    firms = [match.span() for match in _FIRM.finditer(text)] if spans else []
    for span in spans:
        if not firms or not any(start <= span.start < end for start, end in firms[:_MOST_FIRMS]):
            yield span


def find_titles(text: str) -> Iterator[Span]:
    """Titles, and nouns that say of somebody which sex they have."""
    for span in spans_of(_TITLE, text, "gender"):
        if not _FIRM.match(text, span.start) and not _FIRM_TAIL.match(text, span.end):
            yield span
    yield from spans_of_groups(_SEX_NOUN, text, "gender")


def find_occupations(text: str) -> Iterator[Span]:
    """Gendered occupations, which get their neutral word instead of a token; products of that name stay."""
    for match in _OCCUPATION.finditer(text):
        gendered = match[0].lower()
        if _OF_A_FIRM.match(text, match.end()) or _is_product(gendered, text, match):
            continue
        yield Span(match.start(), match.end(), "gender", _in_case_of(match[0], _NEUTRAL[gendered]))


def _is_product(gendered: str, text: str, match: re.Match[str]) -> bool:
    product, occupation = _PRODUCT_BESIDE.get(gendered), _OCCUPATION_BESIDE.get(gendered)
    if product is None and occupation is None:
        return False
    words = read_words(text[max(0, match.start() - _BESIDE) : match.end() + _BESIDE]).folded
    if occupation is not None:
        return occupation.isdisjoint(words)
    return product is not None and not product.isdisjoint(words)


def _in_case_of(original: str, neutral: str) -> str:
    if original.isupper():
        return neutral.upper()
    return neutral.capitalize() if original[0].isupper() else neutral


PRONOUNS = Recogniser(prefilter("she he her him his hers himself herself they xe ze pronouns"), find_pronouns)
TITLES = Recogniser(
    prefilter("""mrs mr ms mx miss mister madam sir messrs senora senor senorita srta herr frau mme mlle monsieur madame shri
        smt kumari man woman lady gentleman gentlemen male female girl boy guy gal lad bloke nee"""),
    find_titles,
)
OCCUPATIONS = Recogniser(
    prefilter(" ".join(w for w in _NEUTRAL if " " not in w), [w for w in _NEUTRAL if " " in w]),
    find_occupations,
)
