"""E-mail addresses, URLs, profile paths and handles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import HEADER_CHARACTERS, Line
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.spans import Span, spans_of

# The second alternative is the spelt-out form: jane (at) example (dot) org.
_EMAIL = re.compile(
    r"(?<![\w.+'’-])(?:mailto:)?[\w.+'’-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
    r"|(?<![\w.+'’-])[\w.+-]{1,64}\s?[\[({]\s?at\s?[\])}]\s?[\w-]{1,63}(?:\s?(?:[\[({]\s?dot\s?[\])}]|\.)\s?\w{1,63}){1,5}",
    re.IGNORECASE,
)
_SITES = (
    r"(?:linkedin|github|gitlab|bitbucket|twitter|x|medium|behance|dribbble|stackoverflow|kaggle|orcid|facebook|"
    r"instagram|researchgate|academia|xing|youtube|vimeo|upwork|leetcode|hackerrank|codepen|about|t|linktr|"
    r"scholar\.google|bit|angel|wellfound|substack|tiktok|pinterest|soundcloud|huggingface|npmjs|pypi)"
)
_LINK = re.compile(
    r"https?://[^\s<>\"'{}|\\^`\])]+"
    r"|\bwww\.[^\s<>\"'{}|\])]+"
    rf"|(?<![\w.-])(?:[\w-]{{1,63}}\.)?{_SITES}\.(?:com|org|io|net|me|co|ee|ai|edu|[a-z]{{2}})/[^\s<>\"'{{}}|\])]+"
    r"|(?<![\w.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|io|dev|me|co|info|edu|page|tech|ai|app|site|online|xyz|[a-z]{2})"
    r"/[\w~@./%#?=&-]*[\w/]",
    re.IGNORECASE,
)
# "janedoe.dev" and "@janedoe". In running text these would be "Node.js" or "@Override", so only lines of the
# header and of references are searched.
_BARE_DOMAIN = re.compile(
    r"(?<![\w@.-])[a-z0-9][\w-]{2,62}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|io|dev|me|info|page|tech|site|online|xyz|design|blog)"
    r"\b(?!\.\w)",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,}")
_LABELLED_HANDLE = re.compile(
    r"(?:linked\s?in|git\s?hub|git\s?lab|skype|twitter|telegram|instagram|facebook|wechat|orcid|xing|behance|dribbble|"
    r"kaggle|website|portfolio|blog|homepage)\s*+(?:id|profile|handle|username|url)?\s*+[:：]\s*+"
    r"(?P<value>[^\s|•;,\[][^\n|•;,\[]*)",
    re.IGNORECASE,
)
# Outside the header "Website: ..." may go on with words, so a value must look like a handle there.
_SIGN_OF_HANDLE = re.compile(r"[\d_./@-]")
_BLANK = re.compile(r"\s")


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, spelt-out ones included."""
    yield from spans_of(_EMAIL, text, "email")


def find_links(text: str) -> Iterator[Span]:
    """URLs and profile paths."""
    for span in spans_of(_LINK, text, "link"):
        end = span.end
        while end > span.start and text[end - 1] in ".,;:!?":
            end -= 1
        yield span._replace(end=end)


def links_in_line(line: Line) -> Iterator[Span]:
    """Bare domains and handles, which are links only where contact data stand. Offsets are into the line."""
    if line.section == "references" or (line.section == "header" and line.start < HEADER_CHARACTERS):
        for pattern in (_BARE_DOMAIN, _HANDLE):
            yield from spans_of(pattern, line.text, "link")
    if ":" not in line.text and "：" not in line.text:
        return
    for match in _LABELLED_HANDLE.finditer(line.text):
        value = match["value"].strip()
        if line.section == "header" or (_SIGN_OF_HANDLE.search(value) and not _BLANK.search(value)):
            start = match.start("value")
            yield Span(start, start + len(value), "link", TOKENS["link"])


EMAILS = Recogniser(prefilter(substrings=("@", "at]", "at)", "at }", "at}", "at ]", "at )")), find_emails)
LINKS = Recogniser(prefilter(substrings=("/", "www.")), find_links)
