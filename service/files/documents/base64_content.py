"""Files that stand in JSON or in a table, as base64."""

from __future__ import annotations

import base64
import binascii

_LINE_ENDS = str.maketrans("", "", "\r\n")


def decoded_content(content: str) -> bytes:
    """The bytes of a file. Lines may be broken, as mail and `base64` break them. Raises `ValueError`."""
    if "\n" in content or "\r" in content:
        content = content.translate(_LINE_ENDS)
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
