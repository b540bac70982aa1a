"""Photos: pictures and their captions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.policy import TOKENS
from service.core.redaction.prefilter import Recogniser, prefilter
from service.core.redaction.scanning import scan
from service.core.redaction.spans import Span, spans_of

# What is between two brackets may hold anything but another beginning of the same kind: then no two attempts
# read the same characters, and text of nothing but beginnings takes no longer than any other.
_LATEX_PHOTO = r"\\(?:includegraphics|photo)"
_PHOTO = scan(
    r"!\[(?:[^\]\n!]|!(?!\[))*+\](?:\((?:[^)\n!]|!(?!\[))*+\)|(?=\[))"
    r"|<img\b(?:[^<>]|<(?!img\b))*+>"
    r"|<figcaption>(?:[^<\n]|<(?!/?figcaption>))*+</figcaption>"
    rf"|{_LATEX_PHOTO}(?:\[(?:[^\]\n\\]|(?!{_LATEX_PHOTO})\\)*+\])*+\{{(?:[^}}\n\\]|(?!{_LATEX_PHOTO})\\)*+\}}"
    rf"(?:\{{(?:[^}}\n\\]|(?!{_LATEX_PHOTO})\\)*+\}})?"
    r"|\[(?:photo|picture|headshot|portrait|image)(?:[^\]\n\[]|\[(?!photo|picture|headshot|portrait|image))*+\]"
    r"|\((?:photo|picture|headshot|portrait)(?:[^)\n(]|\((?!photo|picture|headshot|portrait))*+\)"
    r"|(?<![\w-])(?=[\w-]{5,140}+\.)[\w-]{0,60}?(?:photo|headshot|portrait|profile[_-]?pic|avatar|selfie)[\w-]{0,60}\.(?:jpe?g|png|webp|gif|heic)\b"
    r"|\b(?:alt(?:ernative)?[ -]?text|photo|picture|headshot|portrait)\s*[:=]\s*[\"“]?[^\s\[][^\n|\"”]*[\"”]?"
    r"|\b(?:photo|picture|portrait|headshot) of (?:[A-Z][\w'’.-]*\s?){1,4}",
    re.IGNORECASE,
)
_NOT_PHOTO = re.compile(r"(?:photo|picture|portrait)\s*:\s*(?:editing|retouching|adobe)", re.IGNORECASE)


def find_photos(text: str) -> Iterator[Span]:
    """Pictures and their captions, in Markdown, HTML, LaTeX and words."""
    for span in spans_of(_PHOTO, text, "photo"):
        if not _NOT_PHOTO.match(text, span.start) and text[span.start : span.end] != TOKENS["photo"]:
            yield span


PHOTOS = Recogniser(
    prefilter(substrings=("photo", "![", "<img", "picture", "headshot", "portrait", "avatar", "selfie", "includegraphics",
                          "figcaption", "profilepic", "profile_pic", "profile-pic", "alttext", "alt text", "alt-text",
                          "alternativetext", "alternative text", "alternative-text", "[image")),
    find_photos,
)  # fmt: skip
