"""What stands where a text should, and is none: `null`, a file's name, an error, the bytes of a file.

Programs that take the text out of a file write such things when that fails. Scored, they would pass for a
person whom nobody has read. Each kind is told by what it holds as a whole, so that a text which mentions one
of them is no case; where a rule is in doubt it says nothing, and `little_text` does.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence

from service.core.errors import NoDocumentError

_SHORT = 2_000
"""Characters within which somebody says that there is nothing, names a file, or shows an error page."""

_LOOKED_AT = 4_000
_CONTROL = re.compile("[\x00-\x07\x0e-\x19\x1c-\x1f]")
_USE_FILE = "; send the file itself as `file`"

_NOTHING = frozenset(
    """null none nil undefined nan n/a na n.a n.a. #n/a #ref! #value! #name? #null! #error! missing
    empty blank unknown void false true object promise error failed nothing unavailable unreadable
    tbd tba todo loading attached""".split()
)
"""Single words that stand where there is no text; several of them are none either."""

_PHRASES = frozenset(
    """not available|not provided|not applicable|not given|not found|not specified|not set|no resume|no cv|no text|no content
    |no description|no data|no file|no document|no value|no text found|no content found|no resume found|resume not found
    |file not found|document not found|no such file|no such file or directory|none provided|no resume provided
    |no resume available|no description available|no description provided|to be defined|see attachment|see attached
    |see attached file|see attached resume|see resume|see cv|see attached cv|resume attached|cv attached|please see attached
    |please see attached resume|image only|scanned document|no text content|no readable text|no extractable text
    |empty document|empty file|unable to parse|parse error|parsing failed|parsing error|extraction failed
    |text extraction failed|failed to parse|failed to extract text|could not extract text|unable to extract text
    |no preview available|preview not available""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_OBJECT = re.compile(
    r"""\[object\ \w{1,40}\]|\[class\ [\w.$]{1,80}\]|\[B@[0-9a-f]{1,16}|(?:[\w$]{1,40}\.){1,8}[\w$]{1,60}(?:@[0-9a-f]{4,16}|\[\])
    |<(?:_io\.)?[\w.]{1,80}(?:\ object)?\ at\ 0x[0-9a-f]{1,16}>|<_io\.\w{1,40}\ [^<>]{0,400}>|<Buffer(?:\ [0-9a-f]{2}){1,60}[^<>]{0,60}>
    |Promise\s\{[^{}]{0,60}\}|<(?:File|Blob|Response|FileStorage|InMemoryUploadedFile|UploadFile|FieldStorage)\b[^<>]{0,400}>
    |Response\s\[\d{3}\]|<Response\s\[\d{3}\]>|function\s?\w{0,40}\(\)\s?\{[^{}]{0,60}\}|Symbol\(\w{0,40}\)
    |\{\{[^{}]{1,80}\}\}|\$\{[^{}]{1,80}\}|<%=?[^<>%]{1,80}%>|%\(?\w{0,40}\)?s|\{[\w.]{1,60}\}|@@\w{1,60}@@""",
    re.VERBOSE | re.IGNORECASE,
)
"""What languages print of an object that is no text, and places of templates that nobody filled in."""

_SUFFIX = (
    r"(?:pdf|docx?|docm|dotx?|odt|ott|rtf|txt|te?xt|html?|xhtml|md|pages|wpd|xlsx?|csv|pptx?|json|xml|zip|rar|7z|gz|png|jpe?g|gif"
    r"|tiff?|bmp|webp|heic|eml|msg|tmp|bin|dat)"
)
_FILE_NAME = re.compile(rf"[^\n/\\<>|?*]{{1,200}}\.{_SUFFIX}", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:(?:blob:)?[a-z][a-z0-9+.-]{1,20}://\S{1,1900}|(?:cid|urn):\S{1,1900}"
    r"|www\.\S{3,1900}"
    r"|(?:[a-z0-9-]{1,63}\.){1,6}(?:com|org|net|io|ai|co|dev|app|me|eu|de|fr|uk|us|in|info|edu|gov)/\S{0,1900}"
    r"|(?:/|~/|\.{1,2}/|[a-z]:[\\/]|\\\\)[^\n]{1,400}\.[a-z0-9]{1,8}"
    r"|(?:/|~/|\.{1,2}/|[a-z]:[\\/]|\\\\)\S{1,400}"
    r"|(?:[\w.-]{1,100}/){1,12}[\w .()+-]{1,200}\." + _SUFFIX + r")",
    re.IGNORECASE,
)
_WORDS_OF_NAME = 8
_IDENTIFIER = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=\D{0,40}\d)[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}",
    re.IGNORECASE,
)
_WRAPPING = " \t\r\n\"'`[](){},;.:|-_*#!?<>=…•·–—\\/~+"

_MAGIC: tuple[tuple[str, str], ...] = (
    ("%PDF-", "PDF"), ("PK\x03\x04", "ZIP or Word"), ("PK\x05\x06", "ZIP"), ("\x7fELF", "program"),
    ("\x89PNG", "PNG"), ("‰PNG", "PNG"), ("\ufffdPNG", "PNG"), ("?PNG\r\n", "PNG"), ("GIF87a", "GIF"),
    ("GIF89a", "GIF"), ("\xff\xd8\xff", "JPEG"), ("\ufffd\ufffd\ufffd\ufffd\x00\x10JFIF", "JPEG"),
    ("\xd0\xcf\x11\xe0", "old Word"), ("ÐÏ\x11à", "old Word"), ("\ufffd\ufffd\x11\ufffd", "old Word"),
    ("\x1f\x8b\x08", "gzip"), ("\x1f\ufffd\x08", "gzip"), ("7z\xbc\xaf", "7z"), ("Rar!\x1a", "RAR"),
    ("II*\x00", "TIFF"), ("MM\x00*", "TIFF"), ("RIFF", "RIFF"), ("SQLite format 3\x00", "SQLite"),
    ("MZ\x90\x00", "program"), ("%!PS-", "PostScript"), ("bplist00", "property list"),
)  # fmt: skip
_MOST_CONTROLS = 0.03
_MOST_REPLACED = 0.3
_LEAST_BINARY = 20
_BINARY_WITHIN = 1_500

_DATA_URL = re.compile(r"data:[\w.+-]{0,60}(?:/[\w.+-]{1,100})?(?:;[\w=.+\"-]{1,60}){0,4},", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}\Z")
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/_-]{40,200}")
_HEX = re.compile(r"(?:0x|\\x)?(?:[0-9a-fA-F]{2}(?:[ \n]|\\x)?){50,}\Z")
_KNOWN_BASE64 = {
    "JVBERi0": "PDF", "UEsDB": "Word or ZIP", "0M8R4KGxGuE": "old Word", "iVBORw0KGgo": "PNG", "/9j/": "JPEG",
    "R0lGOD": "GIF", "e1xydGY": "RTF", "PCFET0NUWVBF": "HTML", "PGh0bWw": "HTML", "H4sI": "gzip", "SUkqA": "TIFF",
}  # fmt: skip

_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^[ \t]{0,40}File \"[^\"\n]{1,300}\", line \d{1,7}"
    r"|^[ \t]{0,40}at [^\n]{1,200}(?:\([^()\n]{0,200}(?::\d{1,7}|Native Method|Unknown Source)\)|:\d{1,7}:\d{1,7})[ \t\r]{0,10}$"
    r"|^Exception in thread \"|^Caused by: [\w.$]{1,120}|^(?:PHP )?(?:Fatal error|Parse error|Warning): [^\n]{0,200} in /"
    r"|^thread '[^'\n]{1,80}' panicked at |^goroutine \d{1,9} \[|^[ \t]{0,40}#\d{1,4} {1,8}/?[^\n]{1,200}\(\d{1,7}\): ",
    re.MULTILINE,
)
_ERROR_CLASS = re.compile(
    r"(?:[\w$]{1,60}\.){0,8}[A-Z][\w$]{0,60}(?:Error|Exception)\b(?: \[[\w ]{1,40}\])?(?::|[ \t\r]{0,10}$)",
    re.MULTILINE,
)
_FAILURE = re.compile(
    r"""(?:(?:fatal\ |internal\ |unknown\ |unexpected\ |server\ |parse\ |conversion\ |syntax\ )?error\b\s?(?:\d{3}\b|:|-|while|in\b|reading|parsing|loading
        |opening|processing|extracting|converting|occurred)
      |an?\ (?:unexpected\ |internal\ |unknown\ )?error\ (?:has\ )?occurred
      |(?:failed|unable|could\ not|couldn't|cannot|can't|can\ not|not\ able)\ (?:to\ )?(?:be\ )?(?:read|open|parse|extract|load|convert|download|fetch
        |process|decode|find|access|retrieve|connect|display|render|locate|recogni[sz]e|opened|read|parsed|loaded|converted|processed|extracted|found)\b
      |(?:the\ )?(?:file|document|resume|cv|page|attachment|object|resource|specified\ key|requested\ \w{1,20})\ (?:\w{1,20}\ ){0,3}
        (?:(?:was|is|could|can|has|does|did)(?:\ be|\ been)?\ ?(?:not|n't)|cannot|not)\ (?:be\ )?(?:found|exist|opened|read|parsed|supported|available
        |accessible|loaded|displayed)
      |no\ such\ (?:file|key|object|bucket|document)|(?:file|document|resume)\ not\ found|no\ text\ (?:could|was|found|extracted|content|layer)
      |unsupported\ (?:file|media|document|format)|(?:file|document|pdf)\ is\ (?:encrypted|corrupt|damaged|empty|password)|password\ (?:protected|required)
      |permission\ denied|access\ denied|connection\ (?:refused|timed|reset|error)|request\ (?:timed\ out|timeout|failed)|timed?\ ?out\b|timeout\b
      |stack\ ?overflow|out\ of\ memory|command\ not\ found|bad\ request|invalid\ (?:pdf|file|document|token|argument|json)
      |pdftotext|syntax\ (?:warning|error)|your\ browser\ does\ not|we're\ sorry|something\ went\ wrong|oops\b|sorry,\ )""",
    re.VERBOSE | re.IGNORECASE,
)  # fmt: skip
_STATUS = re.compile(
    r"""(?:error\s?|http\s?(?:/\d(?:\.\d)?)?\s?|status\s?(?:code)?:?\s?)?[45]\d\d\b[\s:|.–-]{0,6}(?:error\b|not\ found|forbidden|unauthorized|bad\ gateway
        |bad\ request|service\ unavailable|internal\ server\ error|gateway\ time-?out|too\ many\ requests|access\ denied|that's\ an\ error|page\ not\ found
        |method\ not\ allowed|request\ time-?out)
      |(?:page|file|resource|url|object)\ not\ found|(?:access|permission)\ (?:is\ )?denied|access\ to\ this\ (?:page|resource)
      |(?:forbidden|not\ found|unauthorized)\s{0,5}(?:[\n.:|!–-]|\Z|you\b|the\b)|bad\ gateway|service\ (?:temporarily\ )?unavailable|internal\ server\ error|gateway\ time-?out|too\ many\ requests
      |just\ a\ moment|attention\ required|checking\ (?:your\ browser|if\ the\ site)|verify(?:ing)?\ you\ are\ (?:a\ )?human|are\ you\ a\ (?:robot|human)
      |(?:please\ )?(?:enable|turn\ on)\ javascript|you\ need\ to\ enable\ javascript|this\ (?:app|site|page|website)\ (?:requires|works\ best\ with)\ javascript
      |javascript\ is\ (?:disabled|required)|request\ (?:rejected|blocked)|the\ requested\ (?:url|page|resource)|this\ page\ (?:isn't|is\ not|could\ not|can't)
      |(?:your\ )?session\ (?:has\ )?(?:expired|timed\ out)|(?:you\ (?:must|need\ to|have\ to)|please)\ (?:be\ )?(?:log|sign)(?:ged|ed)?[\s-]?in\b
      |please\ wait\b|loading\b\s?(?:\.\.\.|…|please)|(?:the\ document\ you\ are\ trying|to\ view\ the\ full\ contents|for\ the\ best\ experience,\ open\ this)
      |evaluation\ (?:only|warning|version)\b|click\ here\ to\ (?:download|view|open)|(?:your|this|the)\ (?:file|document|resume|cv)\ is\ (?:being\ processed|protected|not\ available)
      |(?:the\ )?site\ (?:can't\ be\ reached|is\ (?:down|under\ maintenance))|under\ maintenance|website\ is\ under|this\ site\ can't""",
    re.VERBOSE | re.IGNORECASE,
)  # fmt: skip
_LOG_IN = re.compile(r"\b(?:log|sign)[\s-]?in\b", re.IGNORECASE)
_LOG_IN_WORDS = re.compile(
    r"\b(?:forgot(?:ten)?|remember me|user ?name|e-?mail(?: address)?|create (?:an )?account|sign up|register|single sign-on|sso|continue with)\b",
    re.IGNORECASE,
)
_XML_ERROR = re.compile(
    r"(?:<\?xml[^<>]{0,200}\?>)?\s{0,20}<(?:Error|fault|soap:Envelope|s:Envelope)\b[^<>]{0,400}>",
    re.IGNORECASE,
)
_JSON_ERROR_KEYS = frozenset(
    """error errors exception errorcode errormessage error_code error_message error_description
    traceback stack stacktrace fault faultstring failure failed reason""".split()
)
_JSON_STATUS_KEYS = frozenset(
    """status statuscode status_code code message msg detail details success ok timestamp path type
    title instance requestid request_id trace traceid data result text content resume
    documentation_url hint method url""".split()
)
_WORD = re.compile(r"[^\W\d_]{2,}+")
_MOST_WORDS_OF_ERROR = 40
_MOST_WORDS_OF_PAGE = 150
_MOST_WORDS_OF_LOGIN = 90


def check_document(text: str, field: str) -> None:
    """Raise `NoDocumentError` if `text` as a whole is no document. An empty text is another error's business."""
    why = why_no_document(text)
    if why is not None:
        raise NoDocumentError(f"{field} is no document: {why}", field=field)


def why_no_document(text: str) -> str | None:
    """What `text` is instead of a document, in words that quote none of it; None if it may be one.

    It takes time that grows with the length of the text, and looks at its first 4,000 characters for most.
    """
    bare = text.removeprefix("\ufeff").strip()
    if not bare:
        return None
    start = bare[:_LOOKED_AT]
    return (
        _bytes(start)
        or _encoded(bare)
        or (_nothing(bare) if len(text) <= _SHORT else None)
        or _error(start, whole=len(text) <= _SHORT)
    )


def _bytes(start: str) -> str | None:
    for beginning, kind in _MAGIC:
        if start.startswith(beginning) and (beginning != "RIFF" or "\x00" in start[:16]):
            return f"it is the bytes of a file ({kind}) that were read as text{_USE_FILE}"
    start = start[:_BINARY_WITHIN]
    controls = len(_CONTROL.findall(start))
    if controls >= _LEAST_BINARY and controls > _MOST_CONTROLS * len(start) and not _is_spaced_by_null(start):
        return f"it is the bytes of a file that were read as text{_USE_FILE}"
    replaced = start.count("\ufffd")
    if replaced >= _LEAST_BINARY and replaced > _MOST_REPLACED * len(start):
        return f"its characters were lost when it was read in another encoding{_USE_FILE}"
    return None


def _is_spaced_by_null(start: str) -> bool:
    """UTF-16 that was read as a smaller encoding: it is a text, and is read as one."""
    return 0.4 < start.count("\x00") / len(start) < 0.6 or start.replace("\x00", "").isprintable()


def _encoded(text: str) -> str | None:
    start = text[:_SHORT]
    if _DATA_URL.match(start):
        return f"it is a data: URL{_USE_FILE}"
    first, *more = start.split(None, 1)
    if len(first) < 40 or not first.isascii():
        return None
    is_base64 = _is_base64(text, first, bool(more))
    if is_base64:
        known = next((kind for mark, kind in _KNOWN_BASE64.items() if first.startswith(mark)), None)
        return f"it is base64{'' if known is None else f' of a file ({known})'}{_USE_FILE}"
    if _HEX.match(start) and any(map(str.isdigit, start)):
        return f"it is the bytes of a file in hexadecimal{_USE_FILE}"
    return None


def _is_base64(text: str, first: str, has_lines: bool) -> bool:
    if has_lines:
        lines = text.split()
        if not all(map(_BASE64_LINE.fullmatch, lines[:-1])) or len({*map(len, lines[:-1])}) != 1:
            return False
        whole = "".join(lines)
    else:
        whole = text.strip()
    if _BASE64.match(whole) is None:
        return False
    sample = whole[:400]
    kinds = sum(any(map(test, sample)) for test in (str.isupper, str.islower, str.isdigit))
    if kinds < 3 or len(set(sample)) < 16:
        return False
    try:
        base64.b64decode(sample[: len(sample) // 4 * 4].translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        return False
    return True


def _nothing(text: str) -> str | None:
    if _OBJECT.fullmatch(text) or (
        text.startswith("[object") and all(map(_OBJECT.fullmatch, text.split(",")))
    ):
        return "it is what a program prints of an object that is no text"
    lowered = text.casefold()
    core = lowered.strip(_WRAPPING)
    if lowered in _NOTHING or core in _NOTHING or " ".join(core.split()) in _PHRASES:
        return "it says that there is nothing, as null and N/A do"
    tokens = [token.strip(_WRAPPING) for token in core.replace(",", " ").split()]
    if tokens and all(token in _NOTHING or not token for token in tokens):
        return "it says that there is nothing, as null and N/A do"
    if text.isascii() and not any(map(str.isalpha, text)) and any("!" <= ch <= "~" for ch in text):
        return "it holds no letter"
    if _IDENTIFIER.fullmatch(text.strip(_WRAPPING)):
        return "it is an identifier"
    lines = [line.strip("\"'<>[](), \t") for line in text.split("\n") if line.strip()]
    if len(lines) <= 10 and all(map(_names_file, lines)):
        return f"it is the name or the address of a file, and not what is in it{_USE_FILE}"
    return None


def _names_file(line: str) -> bool:
    if _ADDRESS.fullmatch(line):
        return True
    return (
        len(line.split()) <= _WORDS_OF_NAME
        and not re.search(r"[.!?;:,] ", line)
        and _FILE_NAME.fullmatch(line) is not None
    )


def _error(start: str, *, whole: bool) -> str | None:
    said = "it is the error of a program or of a web server"
    shown = start.lstrip("#*=->[\"'` \t\n")
    if _TRACE.match(shown):
        return said
    if ("Error" in start[:500] or "Exception" in start[:500]) and _is_trace(start):
        return said
    if not whole:
        return None
    words = sum(1 for _ in _WORD.finditer(start))
    if words <= _MOST_WORDS_OF_PAGE and _STATUS.match(shown):
        return said
    if words <= _MOST_WORDS_OF_ERROR and (_FAILURE.match(shown) or _ERROR_CLASS.match(shown)):
        return said
    if words <= _MOST_WORDS_OF_LOGIN and _is_log_in(start):
        return "it is a page that asks to log in"
    if start[0] == "<" and words <= _MOST_WORDS_OF_PAGE and _XML_ERROR.match(start):
        return said
    if start[0] in "{[" and words <= _MOST_WORDS_OF_PAGE:
        return _json_error(start, said)
    return None


def _is_trace(start: str) -> bool:
    return _ERROR_CLASS.search(start[:500]) is not None and sum(1 for _ in _TRACE.finditer(start)) >= 2


def _is_log_in(text: str) -> bool:
    return (
        "password" in text.casefold()
        and _LOG_IN.search(text) is not None
        and len({match[0].casefold() for match in _LOG_IN_WORDS.finditer(text)}) >= 2
    )


def _json_error(start: str, said: str) -> str | None:
    try:
        given = json.loads(start)
    except (ValueError, RecursionError):
        return None
    if not _strings(given):
        return "it is JSON without any text"
    if isinstance(given, list) and len(given) == 1:
        given = given[0]
    if not isinstance(given, dict):
        return None
    keys = {key.casefold().replace("-", "_") for key in given}
    if keys & _JSON_ERROR_KEYS and keys <= _JSON_ERROR_KEYS | _JSON_STATUS_KEYS:
        return said
    texts = _strings(given)
    if keys <= _JSON_STATUS_KEYS and all(
        _FAILURE.match(text) or _STATUS.match(text) for text in texts if " " in text
    ):
        return said if any(" " in text for text in texts) else None
    return None


def _strings(given: object, depth: int = 0) -> Sequence[str]:
    if isinstance(given, str):
        return [given] if any(map(str.isalpha, given)) else []
    if depth > 20 or not isinstance(given, dict | list):
        return []
    children = given.values() if isinstance(given, dict) else given
    return [text for child in children for text in _strings(child, depth + 1)]
