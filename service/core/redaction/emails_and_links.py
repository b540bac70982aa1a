"""E-mail addresses, URLs, profile paths and handles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.layout import CONTACT_SECTIONS, HEADER_CHARACTERS, Line
from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import PrefilterText, Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span, spans_of

# The second alternative is the spelt-out form: jane (at) example (dot) org. What is looked for ahead is what tells the
# few words before an "@" from the rest, of which none is tried further.
_EMAIL = scan(
    r"(?<![\w.+'’-])(?=[\w.+'’:-]{1,72}+@)(?:mailto:)?[\w.+'’-]{1,64}+@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
    r"|(?<![\w.+'’-])(?=[\w.+-]{1,64}+\s?[\[({<])[\w.+-]{1,64}+\s?[\[({<]\s?(?:at|@)\s?[\])}>]\s?[\w-]{1,63}(?:\s?(?:[\[({<]\s?dot\s?[\])}>]|\.)\s?\w{1,63}){1,5}",
    re.IGNORECASE,
)
_WIDE_DOMAINS = r"(?:com|org|net|edu|gov|info|example)"
# "jane.doe @ mail . com", "jane at mail dot com". A blank behind a point may begin a sentence ("@ scale. In 2015"),
# so that few domains follow one.
_BROKEN_EMAIL = scan(
    r"(?<![\w.+@-])(?=[\w.+-]{1,64}+[ ]{0,2}@)[\w.+-]{1,64}+(?:[ ]{1,2}@[ ]{0,2}|@[ ]{1,2}|@)[a-z\d][a-z\d-]{0,62}(?:[ ]?\.[ ]?[a-z\d][a-z\d-]{1,62}){0,2}"
    rf"(?:[ ]?\.[ ]?{_WIDE_DOMAINS}|(?:\.|[ ]\.[ ])[a-z]{{2,3}})(?![\w@])"
    rf"|(?<![\w.+@-])(?=[\w.+-]{{2,64}}+[ ][aA][tT][ ])[\w.+-]{{2,64}}+[ ](?:at|AT)[ ][\w-]{{2,63}}(?:[ ](?:dot|DOT)[ ]\w{{2,63}}){{0,2}}[ ](?:dot|DOT)[ ](?:{_WIDE_DOMAINS}|[a-z]{{2}})(?!\w)"
)
# What is left of an address without its domain, where contact data stand.
_LOCAL_EMAIL = re.compile(r"(?<![\w.+@/-])[\w.+-]{2,64}@(?:[\w-]{2,63})?(?![\w.@/-])")
_LABELLED_EMAIL = scan(
    r"(?<!\w)e[- ]?mail(?:[ ]?(?:id|address))?[ ]{0,3}(?:[:：=]|[ ]?[-–—](?=[ ]))[ ]{0,5}(?P<value>[a-z\d][\w.+-]{3,63}+)(?![\w@/(])",
    re.IGNORECASE,
)
_SITES = (
    r"(?:linkedin|github|gitlab|bitbucket|twitter|x|medium|behance|dribbble|stackoverflow|kaggle|orcid|facebook|"
    r"instagram|researchgate|academia|xing|youtube|vimeo|upwork|leetcode|hackerrank|codepen|about|t|linktr|"
    r"scholar\.google|bit|angel|wellfound|substack|tiktok|pinterest|soundcloud|huggingface|npmjs|pypi)"
)
# No domain is longer. Few words stand before a slash, and the rest need not be tried as one.
_BEFORE_SLASH = r"(?<![\w.-])(?=[\w.-]{4,400}+/)"
_LINK = scan(
    r"https?://[^\s<>\"'{}|\\^`\])]+"
    r"|\bwww\.[^\s<>\"'{}|\])]+"
    rf"|{_BEFORE_SLASH}(?:[\w-]{{1,63}}\.)?{_SITES}\.(?:com|org|io|net|me|co|ee|ai|edu|[a-z]{{2}})/[^\s<>\"'{{}}|\])]+"
    rf"|{_BEFORE_SLASH}[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,4}}\.(?:com|org|net|io|dev|me|co|info|edu|page|tech|ai|app|site|online|xyz|[a-z]{{2}})"
    r"/[\w~@./%#?=&-]*[\w/]"
    r"|(?<![\w-])0000-000\d-\d{4}-\d{3}[\dX](?![\w-])",
    re.IGNORECASE,
)
# "janedoe.dev" and "@janedoe". In running text these would be "Node.js" or "@Override", so only lines of the
# header and of references are searched.
_BARE_DOMAIN = scan(
    r"(?<![\w@.-])[a-z0-9][\w-]{2,62}(?:\.[\w-]{1,63}){0,4}\.(?:com|org|net|io|dev|me|info|page|tech|site|online|xyz|design|blog)"
    r"\b(?!\.\w)",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,}")
LABELLED_HANDLE = scan(
    r"(?:linked\s?in|git\s?hub|git\s?lab|skype|twitter|telegram|instagram|facebook|wechat|orcid|xing|behance|dribbble|"
    r"kaggle|website|portfolio|blog|homepage)\s*+(?:id|profile|handle|username|url)?\s*+[:：]\s*+"
    r"(?P<value>[^\s|•;,\[](?:[^\n|•;,\[ ]|[ ](?![ ])){0,100}+)",
    re.IGNORECASE,
)
SITES_WITH_LABEL = prefilter(
    substrings=("linked", "git", "skype", "twitter", "telegram", "instagram", "facebook", "wechat", "orcid", "xing", "behance", "dribbble", "kaggle",
                "website", "portfolio", "blog", "homepage")
)  # fmt: skip
# In the header they need contact data beside them, or a cell of their own: a list of tools may stand there too.
_CONTACT_BESIDE = re.compile(
    r"\w@\w|(?!(?:19|20)\d\d[ -]{1,3}(?:19|20)\d\d)\d[\d ().-]{5,16}\d|\[(?:EMAIL|PHONE|LINK|ADDRESS)\]|(?:linkedin|github)\.com/",
    re.IGNORECASE,
)
_CELL_BEFORE, _CELL_BEHIND = (
    re.compile(
        r"(?:^|[|•·\t:]|[ ]{2}|(?<!\w)(?:telegram|twitter|insta(?:gram)?|ig|mastodon|bluesky|threads|tiktok|skype|github|web)[ ]?)[ ]?$",
        re.IGNORECASE,
    ),
    re.compile(r"[ ]?(?:$|[|•·\t]|[ ]{2})"),
)
_BESIDE = 40
# "ASP.NET" and "VB.Net" are a platform.
_PLATFORM = re.compile(
    r"(?:ASP|ADO|VB|C#|F#|J#|EF|ML|Paint|Lucene|Json|Log4)\.NET|socket\.io|draw\.io|\w{1,20}\.(?:NET|Net)(?= (?:Core|MVC|\d))",
    re.IGNORECASE,
)
# "ASP.NET/C#", "Node.js/Express" and "utils.py/main.py": tools and files with a slash between them.
_TOOLS = re.compile(
    r"[\w.-]{1,40}\.(?:js|jsx|ts|tsx|cs|rb|py|vb)/|[\w#-]{1,20}\.(?-i:NET|Net)/|(?:asp|ado|vb|ef)\.net/|socket\.io/",
    re.IGNORECASE,
)
# Outside the header "Website: ..." may go on with words, so a value must look like a handle there.
_SIGN_OF_HANDLE = re.compile(r"[\d_./@-]")
_SITE_LABEL = re.compile(r"website|portfolio|blog|homepage", re.IGNORECASE)
"""What stands behind one of these has a dot or the like wherever it stands: "Website: WordPress" is work."""

# The domain of an address that is written with blanks or brackets.
_BEHIND_AT = re.compile(r"(?:@|at[\])}>])[ ]?[\])}>]?[ ]?$", re.IGNORECASE)
_BLANK = re.compile(r"\s")


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, spelt-out ones included."""
    yield from spans_of(_EMAIL, text, "email", reason="email.form")
    yield from spans_of(_BROKEN_EMAIL, text, "email", reason="email.broken")


def find_links(text: str) -> Iterator[Span]:
    """URLs and profile paths."""
    for span in spans_of(_LINK, text, "link", reason="link.form"):
        if _TOOLS.match(text, span.start):
            continue
        end = span.end
        while end > span.start and text[end - 1] in ".,;:!?":
            end -= 1
        yield span._replace(end=end)


def links_in_line(line: Line, seen: PrefilterText) -> Iterator[Span]:
    """Bare domains, handles and parts of addresses, where contact data stand. Offsets are into the line, as `seen`."""
    if line.section in CONTACT_SECTIONS or (line.section == "header" and line.start < HEADER_CHARACTERS):
        if "@" in line.text:
            yield from spans_of(_LOCAL_EMAIL, line.text, "email", reason="email.local")
        for match in _LABELLED_EMAIL.finditer(line.text):
            if _SIGN_OF_HANDLE.search(match["value"].rstrip(".-")):
                yield Span(*match.span("value"), "email", TOKENS["email"], reason="email.label")
    if line.section == "references" or (line.section == "header" and line.start < HEADER_CHARACTERS):
        for pattern in (_BARE_DOMAIN, _HANDLE):
            for span in spans_of(pattern, line.text, "link", reason="link.bare"):
                if not _BEHIND_AT.search(line.text, max(0, span.start - 5), span.start) and (
                    line.section == "references" or _is_contact(line.text, span)
                ):
                    yield span
    if (":" not in line.text and "：" not in line.text) or not SITES_WITH_LABEL.may_match(seen):
        return
    for match in LABELLED_HANDLE.finditer(line.text):
        value = match["value"].strip()
        named = line.section == "header" and not _SITE_LABEL.match(match[0])
        if named or (_SIGN_OF_HANDLE.search(value) and not _BLANK.search(value)):
            start = match.start("value")
            yield Span(start, start + len(value), "link", TOKENS["link"], reason="link.label")


def _is_contact(text: str, span: Span) -> bool:
    """True for a domain or a handle with contact data beside it, or with nothing else in its cell."""
    start, end = span.start, span.end
    if _PLATFORM.match(text, start):
        return False
    alone = _CELL_BEFORE.search(text, max(0, start - 16), start) and _CELL_BEHIND.match(text, end)
    around = text[max(0, start - _BESIDE) : start] + " " + text[end : end + _BESIDE]
    return bool(alone) or _CONTACT_BESIDE.search(around) is not None


EMAILS = Recogniser(
    prefilter(substrings=("@", "at]", "at)", "at }", "at}", "at ]", "at )", "at>", "at >", " dot ")),
    find_emails,
)
LINKS = Recogniser(prefilter(substrings=("/", "www.", "0000-000")), find_links)
