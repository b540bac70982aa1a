"""Texts written for a program: markup, LaTeX, the insides of a PDF, JSON. Their marks are no content."""

from __future__ import annotations

import re

_STARTS = (
    "%pdf-", "%!ps", "{\\rtf", "<?xml", "<!doctype", "<html", "\\documentclass",
    # Base64 of a PDF, a ZIP archive (Word), RTF, PNG and JPEG.
    "jvberi0", "uesdbbq", "e1xydgy", "ivborw0kggo", "/9j/4aaq",
)  # fmt: skip
_PARTS_OF_FILES = ("[Content_Types].xml", "word/document.xml", "xl/workbook.xml")

_FORMS = (
    (re.compile(r"(?<=\d )obj\b|\bendobj\b|\bendstream\b"), 2),  # the objects of a PDF
    (
        re.compile(
            r"\\(?:documentclass|usepackage|begin|end|section|subsection|item|cventry|textbf|resumeItem)\b"
        ),
        3,
    ),
    (re.compile(r"\\(?:par|pard|fonttbl|colortbl|rtf1|ansi|deff0|viewkind4|fs\d{1,3}|lang\d{1,5})\b"), 4),
    (
        re.compile(
            r"<(?:/?(?:p|b|i|u|a|br|div|span|strong|em|ul|ol|li|table|tr|td|th|h[1-6]|html|head|body|font|hr"
            r"|img|section|article|header|footer|style|script|meta|link|title)\b[^<>]{0,200}"
            r"|/[a-zA-Z][\w:.-]{0,40})>",
            re.IGNORECASE,
        ),
        3,
    ),
    (re.compile(r"^#(?:import|show|set|let)\b", re.MULTILINE), 2),  # Typst
    (re.compile(r"&(?:nbsp|amp|lt|gt|quot|ndash|mdash|bull|#\d{1,5});"), 5),
)
"""Patterns, and how many matches tell that a text is of that form: somebody may well write about <canvas>."""

_JSON_KEY = re.compile(r'"[\w$@ .-]{1,60}"\s{0,10}:')
_JSON_RESUME = re.compile(r'"basics"\s{0,10}:')
_YAML_LINE = re.compile(r"[ ]{0,40}(?:- )?[a-z][A-Za-z]{0,15}(?:_[A-Za-z]{1,15}){0,3}:(?:\s|$)")
_LEAST_LINES = 8


def is_structured(text: str) -> bool:
    """True for markup, LaTeX, PDF objects, RTF, JSON or YAML; not for JSON Resume, which is read as such."""
    start = text[:200].lstrip().lower()
    if start.startswith(_STARTS):
        return True
    if start.startswith(("{", "[")) and has_matches(_JSON_KEY, text, 3):
        return _JSON_RESUME.search(text) is None
    if any(part in text for part in _PARTS_OF_FILES):
        return True
    return any(has_matches(pattern, text, least) for pattern, least in _FORMS) or _is_yaml(text)


def has_matches(pattern: re.Pattern[str], text: str, least: int) -> bool:
    """True if `pattern` matches `least` times or more."""
    return any(i >= least for i, _ in enumerate(pattern.finditer(text), 1))


def _is_yaml(text: str) -> bool:
    """Keys of YAML are in small letters; "Email: ..." is how people write."""
    lines = [line for line in text.split("\n") if line.strip()]
    keys = sum(_YAML_LINE.match(line) is not None for line in lines)
    return len(lines) >= _LEAST_LINES and keys > 0.6 * len(lines)
