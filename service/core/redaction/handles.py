"""User names on sites: behind the site's name, made of the candidate's own name, and wherever they come again.

PDF files lose the icon that told what a handle is, so that "| JaneDoe | jane-doe-5a1b2c3d" is all that is left of two
links in a header.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from service.core.redaction.layout import CONTACT_SECTIONS, HEADER_CHARACTERS, Line, cells_of
from service.core.redaction.lexicon import Lexicon
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import PrefilterText, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import SURE, WEAK, Span
from service.core.redaction.words import fold, words_of

SITES = (
    r"(?:linked[ ]?in|git[ ]?hub|git[ ]?lab|bitbucket|twitter|medium|behance|dribbble|stack[ ]?overflow|kaggle|facebook|fb|instagram|insta|ig|"
    r"leet[ ]?code|hacker[ ]?rank|hacker[ ]?earth|code[ ]?chef|codeforces|codepen|geeks[ ]?for[ ]?geeks|gfg|topcoder|atcoder|spoj|interviewbit|"
    r"coding[ ]?ninjas|exercism|xing|skype|telegram|discord|you[ ]?tube|tik[ ]?tok|quora|reddit|wechat|viber|snapchat|keybase|mastodon|"
    r"hugging[ ]?face|dev\.to|npm|pypi|docker[ ]?hub|orcid|research[ ]?gate)"
)
"""Names of sites that people have user names on."""

_HANDLE = r"[A-Za-z\d_][\w.-]{2,39}+"
_AFTER_SITE = scan(
    rf"(?<![\w./@-]){SITES}(?:[ ]?(?P<said>profile|handle|user[ ]?name|username|user|id|account))?"
    rf"(?:(?P<slashes>[ ]?:?[ ]?//[ ]{{0,2}})|(?P<at>[ ]{{0,3}}[:|–—-]?[ ]{{0,3}}@)|(?P<path>/(?:in/|u/|@)?)|(?P<sign>[ ]{{0,2}}[:=–—-][ ]{{0,3}})|(?P<blank>[ ]))"
    rf"(?P<value>{_HANDLE}(?:#\d{{4}})?)(?![\w@/])",
    re.IGNORECASE,
)
_BEFORE_SITE = re.compile(
    rf"(?P<said>\b(?:as|user|username|handle|is|am|me)[ ]|(?<!\w)@|^[ ]{{0,3}}|[|•][ ]?)?(?<![\w.-])(?P<value>{_HANDLE})[ ](?:on|at|@|in)[ ]{SITES}(?!\w)",
    re.IGNORECASE,
)
_ON_SITE = scan(rf"[ ](?:on|at|@|in)[ ]{SITES}(?!\w)", re.IGNORECASE)
"""Holds wherever the pattern above finds something, and is found much faster."""

# "github/gitlab", "LinkedIn - Recruiter": other sites, and what they sell.
_NO_HANDLES = frozenset(
    "github gitlab bitbucket git svn jenkins twitter facebook instagram youtube actions copilot pages ads api apis sdk jira docker bootstrap linkedin "
    "google indeed naukri monster recruiter learning sales tiktok pinterest snapchat azure aws medium slack whatsapp stackoverflow hackerrank "
    "leetcode codechef codeforces kaggle premium navigator marketing desktop enterprise flow bot bots https http www com org profile "
    "link links url open source ecommerce influencer seo sem geeksforgeeks behance dribbble portfolio website blog graphql oauth npm "
    "yarn pip pypi webpack workflows runner runners gist ultimate community cloud server".split()
)
SITE_PATTERNS = (_AFTER_SITE, _BEFORE_SITE)
_SLUG = re.compile(r"(?<![\w./@-])[a-z]{2,20}(?:-[a-z]{1,20}){1,3}-(?=[a-z]{0,8}\d)[\da-z]{5,12}(?![\w@/.-])")
"""The path of a profile without its site: two names and some digits."""

_PART = re.compile(r"[A-Z]?[a-zà-ÿ]{1,60}|[A-Z]{1,60}(?![a-zà-ÿ])|\d{1,60}")
_TOKEN = re.compile(r"[^\s|•,;()\[\]]{5,60}")
_FIRST_SEGMENTS = frozenset("in u user users profile people pub channel c @ id".split())
_PROFILE = re.compile(
    r"(?:https?://)?(?:[\w-]{1,63}\.){0,2}(?:linkedin|github|gitlab|bitbucket|twitter|x|medium|behance|dribbble|kaggle|facebook|instagram|leetcode|"
    r"hackerrank|hackerearth|codechef|codeforces|codepen|youtube|t|huggingface|stackoverflow)\.(?:com|org|net|me|io|co|in|[a-z]{2})/(?P<path>[^\s?#]{2,200})",
    re.IGNORECASE,
)
_BROKEN = re.compile(r"(?:(?<=[-/_])|-)\n(?P<rest>[\w-]{1,60}+)(?=[ ]?\(LinkedIn\)|[ ]?(?:\n|\Z))")
"""A link cut at a hyphen where its line ended."""

MOST_HANDLES = 20
"""Of one resume whose other mentions are looked for."""


def handles_in_line(line: Line, seen: PrefilterText, lexicon: Lexicon) -> Iterator[Span]:
    """User names beside the name of their site. `seen` and offsets are those of the line."""
    zone = _is_zone(line)
    if SITE_PREFILTER.may_match(seen):
        yield from _beside_sites(line, lexicon, zone=zone)
    if line.text.count("-") > 1:
        for match in _SLUG.finditer(line.text):
            if sum(part in lexicon.english for part in match[0].split("-")[:-1]) > 1:
                continue  # state-of-the-art-2020x
            yield Span(*match.span(), "link", TOKENS["link"], SURE if zone else WEAK, "handle.slug")


_SITE_WORDS = (
    "linked linkedin git github gitlab bitbucket twitter medium behance dribbble stack stackoverflow kaggle facebook fb instagram insta ig leet "
    "leetcode hacker hackerrank hackerearth code codechef codeforces codepen geeks geeksfor geeksforgeeks gfg topcoder atcoder spoj interviewbit "
    "coding codingninjas exercism xing skype telegram discord you youtube tik tiktok quora reddit wechat viber snapchat keybase mastodon hugging "
    "huggingface dev npm pypi docker dockerhub orcid research researchgate"
).split()
SITE_PREFILTER = prefilter(
    " ".join(
        site + said
        for site in _SITE_WORDS
        for said in ("", *"profile handle username user id account".split())
    )
)
"""The first words of the names of sites, also with what may follow without a blank: "githubuser: jane"."""


def _beside_sites(line: Line, lexicon: Lexicon, *, zone: bool) -> Iterator[Span]:
    for match in _AFTER_SITE.finditer(line.text):
        value = match["value"].rstrip(".-_")
        if not _may_be(value, lexicon):
            continue
        if match["slashes"] or match["at"]:
            score = SURE
        elif value.istitle() and value.isalpha():
            continue
        elif match["path"]:
            score = SURE if zone and not value[0].isupper() else WEAK
        elif match["said"]:
            score = SURE
        elif match["sign"]:
            score = SURE if zone or _has_sign(value) else WEAK
        elif zone and _ends_cell(line.text, match.start("value") + len(value)):
            score = SURE
        else:
            continue
        start = match.start("value")
        yield Span(start, start + len(value), "link", TOKENS["link"], score, "handle.site")
    for match in _BEFORE_SITE.finditer(line.text) if _ON_SITE.search(line.text) else ():
        value = match["value"]
        if _may_be(value, lexicon) and (_has_sign(value) or match["said"]):
            score = SURE if _has_sign(value) or not value[0].isupper() else WEAK
            yield Span(*match.span("value"), "link", TOKENS["link"], score, "handle.site")


def handles_of_resume(
    text: str, lines: Sequence[Line], found: Sequence[Span], lexicon: Lexicon
) -> Iterator[Span]:
    """Handles of the header that are made of the name, and every other mention of a handle in `found`."""
    hidden = sorted((span.start, span.end) for span in found if span.category in ("link", "email"))
    for span in _made_of_name(lines, lexicon):
        if not _overlaps(span.start, span.end, hidden):
            yield span
    known: dict[str, None] = {}
    for span in found:
        if span.category == "link" and (rest := _BROKEN.match(text, span.end)):
            yield Span(*rest.span("rest"), "link", TOKENS["link"], SURE, "link.broken")
        if span.category in ("link", "email") and span.score >= SURE and len(known) < MOST_HANDLES:
            handle = _handle_of(text[span.start : span.end])
            if handle and _may_be(handle, lexicon) and len(handle) >= 5:
                known[handle] = None
    if not known:
        return
    pattern = re.compile(rf"(?<![\w.@/-])(?:{'|'.join(map(re.escape, known))})(?![\w@-]|\.\w)", re.IGNORECASE)
    for match in pattern.finditer(text):
        if not _overlaps(*match.span(), hidden):  # the link that it was found in
            yield Span(*match.span(), "link", TOKENS["link"], SURE, "handle.again")


def _overlaps(start: int, end: int, hidden: Sequence[tuple[int, int]]) -> bool:
    """True if [start, end) shares characters with one of `hidden`, which are in order."""
    at = bisect_left(hidden, (end, 0))
    return at > 0 and hidden[at - 1][1] > start


def _is_zone(line: Line) -> bool:
    return line.section in CONTACT_SECTIONS or (line.section == "header" and line.start < HEADER_CHARACTERS)


def _has_sign(value: str) -> bool:
    """True for letters with digits or an underscore, as no word has them."""
    letters = sum(map(str.isalpha, value))
    return letters >= 3 and value[0].islower() and ("_" in value or any(map(str.isdigit, value)))


def _may_be(value: str, lexicon: Lexicon) -> bool:
    """False for words, tools, versions and numbers."""
    folded = fold(value)
    parts = re.split(r"[.\-_]", folded)
    if len(value) < 4 or not any(map(str.isalpha, value)) or folded in _NO_HANDLES:
        return False
    if all(
        part in lexicon.english or part in lexicon.protected_words or part in _NO_HANDLES for part in parts
    ):
        return False
    return not re.fullmatch(r"v?\d+(?:\.\d+)*\w?|[A-Z\d]{2,6}", value)


def _ends_cell(text: str, end: int) -> bool:
    return re.match(r"[ ]{0,3}(?:$|[|•,;)])|[ ]{2}", text[end : end + 8]) is not None


def _handle_of(value: str) -> str:
    """The user name in a profile's address, in an e-mail address with digits in it, or a handle itself; or ""."""
    if "@" in value[1:]:
        local = value.partition("@")[0].removeprefix("mailto:")
        return local if _has_sign(local) else ""
    if profile := _PROFILE.match(value):
        segments = [segment for segment in profile["path"].split("/") if segment]
        at = 1 if segments[0].lower() in _FIRST_SEGMENTS else 0
        return segments[at].lstrip("@").rstrip(".,;") if at < len(segments) else ""
    plain = value.lstrip("@")
    return plain if re.fullmatch(_HANDLE, plain) else ""


def _made_of_name(lines: Sequence[Line], lexicon: Lexicon) -> Iterator[Span]:
    """Cells of the header that are one word made of two that stand side by side in its first lines."""
    header = [
        line
        for line in lines[:12]
        if line.section in ("header", "contact") and line.start < HEADER_CHARACTERS
    ]
    if not header:
        return
    pairs = [_names_in(line.text[:80], lexicon) for line in header[:3]]
    for number, line in enumerate(header[1:], 1):
        others = [pair for i, found in enumerate(pairs) if i != number for pair in found]
        for start, end in cells_of(line.text):
            match = _TOKEN.fullmatch(line.text[start:end].strip())
            if match is None or "@" in match[0] or "/" in match[0]:
                continue
            parts = [fold(part) for part in _PART.findall(match[0]) if not part.isdigit()]
            letters = "".join(parts)
            if len(_PART.findall(match[0])) < 2 and match[0][0].isupper():
                continue  # a word
            if any(
                one + two in letters or two + one in letters or letters in (one[0] + two, one + two[0])
                for one, two in others
            ):
                begin = line.start + start + line.text[start:end].index(match[0])
                yield Span(begin, begin + len(match[0]), "link", TOKENS["link"], SURE, "handle.name")


def _names_in(text: str, lexicon: Lexicon) -> set[tuple[str, str]]:
    """Pairs of words side by side that may be a name: "Full Stack" is none."""
    words = [word.folded for word in words_of(text)]
    return {
        (one, two)
        for one, two in pairwise(words)
        if len(one) + len(two) >= 6
        and len(two) > 1
        and not (one in lexicon.english and two in lexicon.english)
    }
