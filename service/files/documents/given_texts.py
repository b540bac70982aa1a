"""Texts that are given as text and are really something else: HTML, escaped HTML, RTF, Markdown, JSON.

Applicant tracking systems send postings as (escaped) HTML, editors as JSON, parsers as RTF. Their marks
are no words of anybody: read as text, they would move scores. Here it is found out, cheaply, what a text is;
whatever needs a parser is read by the process that reads documents (`documents.pool`). Text that merely
holds a tag, a comparison or a type stays as it is. Reading is done until it changes nothing, so that a text
that was read is read as itself.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Callable
from functools import cache
from typing import Literal
from urllib.parse import unquote_plus

from markdown_it import MarkdownIt

from service.core.errors import DamagedDocumentError, UnsafeDocumentError, UnsupportedDocumentError
from service.core.no_document import why_no_document
from service.core.redaction.json_resume import is_json_resume
from service.core.structured_text import has_matches
from service.files.documents.html import parse_html
from service.files.documents.json_in_text import text_of_json
from service.files.documents.kinds import DocumentKind, kind_of_markup
from service.files.documents.markup_in_text import html_of, is_html, restored, without_entities
from service.files.documents.parsed import DocumentLimits, ParsedDocument, Warnings, counted
from service.files.documents.rtf import RtfParser
from service.files.documents.xml_in_text import is_xml, json_of_xml, without_declaration
from service.files.documents.xml_resumes import XmlResumeParser

TextForm = Literal["html", "rtf", "markdown", "json", "xml", "europass_xml", "hr_open_xml"]
"""What a text may be that is more than text."""

_START = 4_000
_MOST_ROUNDS = 8
"""Forms within one another, as HTML in JSON in HTML."""

_JSON_START = re.compile(r"\s{0,100}(?:```(?:json)?\s{0,10})?(?:[\[{]\s{0,100}[\"'\[{]|b?[\"'])")
_JSON_END = re.compile(r"[\"'\]}]\s{0,20}(?:```)?\s{0,100}\Z")
_RTF_START = re.compile(r"\s{0,100}\{\\{1,2}rtf")
_RTF_WORD = re.compile(
    r"\\(?:pard?|b0|i0|ulnone|fs\d{1,3}|f\d{1,2}|cf\d{1,2}|lang\d{1,5}|'[0-9a-fA-F]{2}|tab|line|bullet|li\d{1,5})\b"
)
_RTF_PARAGRAPH = re.compile(r"\\pard?\b")
_RTF_FORMAT = re.compile(r"\\(?:fs\d|f\d|b0|i0|cf\d|lang\d|'[0-9a-fA-F]{2}|ulnone)")
_LEAST_RTF_WORDS = 4
_CDATA = re.compile(r"\s{0,100}<!\[CDATA\[(.*)\]\]>\s{0,100}", re.DOTALL)
_ESCAPED_BREAK = re.compile(r"(?:\\r)?\\n(?=[\s\\A-Z0-9•*#<(\"–-]|\Z)")  # noqa: RUF001
_DRIVE = re.compile(r"(?:^|\s)[A-Za-z]:\\")
_LEAST_ESCAPED = 2
_UNICODE_ESCAPE = re.compile(r"\\u(00[0-9a-fA-F]{2}|20[0-9a-fA-F]{2})")
_PERCENT = re.compile(r"%(?:20|0[AaDd]|3[CcEe]|2[Ff]|C3|E2)")
# Lines are broken at 72 to 76 characters: at the end of a short one the sign is the text's own.
_QUOTED_PRINTABLE = re.compile(
    r"=(?:20|3D|0A|0D|09|C[23]=[89AB][0-9A-F]|E2=80=[89AB][0-9A-F])|(?<=[^\n]{50})=\r?\n"
)
_BLANK = re.compile(r"\s")

_BOLD = re.compile(
    r"(?<![*\w])\*\*[^\s*](?:[^*\n]{0,200}[^\s*])?\*\*(?![*\w])|(?<![_\w])__[^\s_](?:[^_\n]{0,200}[^\s_])?__(?![_\w])"
)
_NEVER_ALONE = 1_000_000
_MARKS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"^#{1,6} \S[^\n]{0,120}$", re.MULTILINE), 2),
    (_BOLD, 2),
    (re.compile(r"\[[^\]\n]{1,200}\]\((?:https?:|mailto:|tel:|#|\.|/)[^)\s]{0,500}\)"), 2),
    (re.compile(r"^(?:```|~~~)\w{0,20}[ ]*$", re.MULTILINE), _NEVER_ALONE),
    (re.compile(r"^\|?(?: ?:?-{2,80}:? ?\|){1,40}(?: ?:?-{2,80}:? ?)?$", re.MULTILINE), 1),
)
"""What Markdown has and other texts do not, and how many of one kind tell it; one each of two kinds does."""

_LINE_OF_CODE = re.compile(
    r"^[ \t]{0,40}(?:#include|#define|#if|#!|def |class |import |from \w+ import|return\b|[^\n]{0,200}[;{]$)",
    re.MULTILINE,
)


def form_of_text(text: str) -> TextForm | None:
    """What `text` is beside text, or None. In time that grows with its length."""
    if _RTF_START.match(text) or ("\\par" in text and _is_rtf(text)):
        return "rtf"
    if _JSON_START.match(text) and _JSON_END.search(text, max(0, len(text) - 130)) and _is_json(text):
        return "json"
    if "<" in text:
        if is_xml(text):
            return _kind_of_xml(text)
        if not text.lstrip().startswith("<![CDATA[") and is_html(text):
            return "html"
    return "markdown" if _is_markdown(text) else None


def _kind_of_xml(text: str) -> TextForm:
    try:
        kind = kind_of_markup(text[:_START].lstrip())
    except UnsupportedDocumentError:
        kind = None
    match kind:
        case "html" | "europass_xml" | "hr_open_xml":
            return kind
        case _:
            return "xml"


def unescaped(text: str) -> str:
    """`text` without what needs no parser: entities, an envelope of CDATA, escapes of JSON and addresses."""
    if "<![CDATA[" in text[:200] and (match := _CDATA.fullmatch(text)):
        text = match[1]
    if "\\u00" in text and not _JSON_START.match(text):
        text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if "%" in text and not _BLANK.search(text) and "://" not in text and has_matches(_PERCENT, text, 3):
        return unquote_plus(text)
    return without_entities(text)


def as_sent(text: str) -> str:
    """`text` without what mail and programs do to lines: quoted-printable, a backslash and n for a break."""
    if "=" in text and has_matches(_QUOTED_PRINTABLE, text, 3):
        return quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    if "\\n" not in text or "\n" in text or _DRIVE.search(text) or _JSON_START.match(text):
        return text
    if not has_matches(_ESCAPED_BREAK, text, _LEAST_ESCAPED):
        return text
    return _ESCAPED_BREAK.sub("\n", text).replace("\\t", "    ")


def may_hold_marks(text: str) -> bool:
    """False for what is plain text without doubt, at the cost of looking for some characters."""
    return (
        ("<" in text and ">" in text)
        or ("&" in text and ";" in text)
        or "\\" in text
        or "=20" in text
        or "=3D" in text
        or "=\n" in text
        or ("%" in text and not _BLANK.search(text))
        or "**" in text
        or "__" in text
        or "](" in text
        or "```" in text
        or "~~~" in text
        or "# " in text
        or "--|" in text
        or "-- |" in text
        or text.lstrip().startswith(("{", "[", '"', "'", "b'", 'b"'))
    )


def read_plainly(text: str) -> ParsedDocument | Literal["parser"] | None:
    """What `text` is read as without a parser: None if it stays as it is, "parser" if it takes one."""
    if not may_hold_marks(text) or why_no_document(text) is not None:
        return None
    shown = as_sent(text)
    if form_of_text(shown) is not None:
        return "parser"
    shown = unescaped(shown)
    if form_of_text(shown) is not None:
        return "parser"
    return None if shown == text else _document(shown.strip(), "text", text, Warnings())


def read_given_text(text: str, limits: DocumentLimits) -> ParsedDocument | None:
    """What a reader sees of a text, in this process; None if it is a text as it stands.

    Raises a `DocumentError` if it is of a form that cannot be read, or forms within one another have no end.
    """
    warnings = Warnings()
    found: list[DocumentKind] = []
    read = _read(text, limits, warnings, found, _MOST_ROUNDS)
    if read == text:
        return None
    kinds = [kind for kind in found if kind != "text"]
    return _document(read, kinds[0] if kinds else "text", text, warnings)


def _read(
    text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
) -> str:
    for _ in range(rounds):
        shown = as_sent(text)
        form = form_of_text(shown)
        if form is None:
            shown = unescaped(shown)
        else:
            shown, kind = _READERS[form](shown, limits, warnings, found, rounds - 1)
            found.append(kind)
        if shown.split() == text.split():
            return text
        text = shown.strip()
    raise DamagedDocumentError(
        f"the document is damaged: it is escaped, or wrapped, more than {_MOST_ROUNDS} times"
    )


def _read_html(
    text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
) -> tuple[str, DocumentKind]:
    markup = html_of(text)
    assert markup is not None
    return _shown(markup, limits, warnings), "html"


def _read_markdown(
    text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
) -> tuple[str, DocumentKind]:
    return _shown(f"<body>{_markdown().render(text)}</body>", limits, warnings), "markdown"


def _shown(markup: str, limits: DocumentLimits, warnings: Warnings) -> str:
    document = parse_html(markup, "html", limits, Warnings())
    warnings.update(document.warnings)
    return restored(document.text)


def _read_rtf(
    text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
) -> tuple[str, DocumentKind]:
    source = text.strip()
    if source.startswith("{\\\\rtf"):
        source = source.replace("\\\\", "\\")
    if not source.startswith("{\\rtf"):
        source = f"{{\\rtf1\\ansi {source}}}"
    written = "".join(ch if ch.isascii() else _rtf_escape(ch) for ch in source)
    document = RtfParser().parse(written.encode("ascii"), limits)
    warnings.update(document.warnings)
    return document.text, "rtf"


def _rtf_escape(ch: str) -> str:
    units = ch.encode("utf-16-le", "surrogatepass")
    numbers = [int.from_bytes(units[i : i + 2], "little", signed=True) for i in range(0, len(units), 2)]
    return "".join(f"\\u{number}?" for number in numbers)


def _read_json(
    text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
) -> tuple[str, DocumentKind]:
    within: list[DocumentKind] = []

    def read_value(value: str) -> str:
        if not may_hold_marks(value):
            return value
        return _read(value, limits, warnings, within, rounds)

    read = text_of_json(text, read_value)
    if read is None:
        return text, "text"
    found += within
    return read, "json_resume" if is_json_resume(read) else "text"


def _read_xml(
    text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
) -> tuple[str, DocumentKind]:
    record = json_of_xml(text)
    return text if record is None else record, "text"


def _read_xml_resume(kind: DocumentKind) -> _Reader:
    def read(
        text: str, limits: DocumentLimits, warnings: Warnings, found: list[DocumentKind], rounds: int
    ) -> tuple[str, DocumentKind]:
        try:
            document = XmlResumeParser(kind).parse(
                without_declaration(text).encode("utf-8", "replace"), limits
            )
        except (DamagedDocumentError, UnsafeDocumentError):
            return _read_xml(
                text, limits, warnings, found, rounds
            )  # of somebody's own kind, with the same root
        warnings.update(document.warnings)
        return document.text, kind

    return read


_Reader = Callable[[str, DocumentLimits, Warnings, list[DocumentKind], int], tuple[str, DocumentKind]]

_READERS: dict[TextForm, _Reader] = {
    "html": _read_html,
    "markdown": _read_markdown,
    "rtf": _read_rtf,
    "json": _read_json,
    "xml": _read_xml,
    "europass_xml": _read_xml_resume("europass_xml"),
    "hr_open_xml": _read_xml_resume("hr_open_xml"),
}


@cache
def _markdown() -> MarkdownIt:
    """Markdown as people write it into a field: a line break is one, and a list stays as it is written.

    "2019. Acme" is no item of a list, and "<vector>" no HTML.
    """
    return (
        MarkdownIt("commonmark", {"html": False, "breaks": True})
        .enable(["table", "strikethrough"])
        .disable(["list", "code", "reference", "html_block", "html_inline", "entity"])
    )


def _document(read: str, kind: DocumentKind, given: str, warnings: Warnings) -> ParsedDocument:
    warnings["markup_read"] = max(1, len(given) - len(read))
    return ParsedDocument(read, kind, None, counted(warnings))


def _is_rtf(text: str) -> bool:
    """A piece of RTF without its beginning."""
    if not _RTF_PARAGRAPH.search(text) or not _RTF_FORMAT.search(text):
        return False
    return sum(1 for _ in _RTF_WORD.finditer(text)) >= _LEAST_RTF_WORDS


def _is_json(text: str) -> bool:
    start = text.lstrip()
    if start[0] in "{[`":
        return True
    # A text in quotation marks is JSON only if something in it is escaped.
    return "\\" in start and start[-1:] in "\"' \t\r\n"


def _is_markdown(text: str) -> bool:
    if not (
        "**" in text
        or "__" in text
        or "](" in text
        or "# " in text
        or "```" in text
        or "~~~" in text
        or "--" in text
    ):
        return False
    kinds = 0
    is_sure = False
    for pattern, least in _MARKS:
        count = sum(1 for _, _ in zip(range(min(least, 2)), pattern.finditer(text), strict=False))
        kinds += count > 0
        is_sure = is_sure or count >= least
    if not (is_sure or kinds >= 2):
        return False
    lines = text.count("\n") + 1
    return sum(1 for _ in _LINE_OF_CODE.finditer(text)) <= lines // 3
