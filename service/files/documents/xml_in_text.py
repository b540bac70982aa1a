"""XML that comes as a text and is no resume of a kind that is known: the record that it holds, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from lxml import etree

from service.core.errors import DocumentError
from service.files.documents.containers import local, parse_xml
from service.files.documents.markup_in_text import is_element_of_html

_DECLARATION = re.compile(r"\A\s{0,100}<\?xml[^<>]{0,200}\?>")
_START = re.compile(
    r"\s{0,100}(?:<\?xml[^<>]{0,200}\?>\s{0,100})?<(?P<root>[A-Za-z_][\w.:-]{0,60})(?:\s[^<>]{0,2000})?>"
)
_DEEPEST = 60


def is_xml(text: str) -> bool:
    """Whether `text` is one element of XML, and no HTML."""
    match = _START.match(text)
    return (
        match is not None
        and not is_element_of_html(match["root"])
        and text.rstrip().endswith(f"</{match['root']}>")
    )


def json_of_xml(text: str) -> str | None:
    """`text` as JSON, by the names of its elements; None if it is no XML that can be read."""
    try:
        root = parse_xml(without_declaration(text).encode("utf-8", "replace"))
    except DocumentError:
        return None
    return json.dumps({local(root): _value(root, 0)}, ensure_ascii=False, indent=1)


def without_declaration(text: str) -> str:
    """A text is no bytes any more: the encoding that it declares is past."""
    return _DECLARATION.sub("", text)


def _value(element: etree._Element, depth: int) -> Any:
    children = [child for child in element if isinstance(child.tag, str)]
    if not children or depth > _DEEPEST:
        return "".join(map(str, element.itertext())).strip()
    if element.text is not None and element.text.strip():
        return "".join(map(str, element.itertext())).strip()  # text with elements in it
    found: dict[str, Any] = {}
    for child in children:
        value, name = _value(child, depth + 1), local(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
