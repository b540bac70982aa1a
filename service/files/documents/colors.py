"""Colors as documents write them, and whether text can be told from what is under it."""

from __future__ import annotations

import re

Color = tuple[int, int, int]

LEAST_CONTRAST = 16
"""Of 255, in red, green or blue: what differs less from its background cannot be told from it."""

_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})(?:[0-9a-fA-F]{2})?$")
_FUNCTION = re.compile(
    r"rgba?\(\s*(\d{1,3})(%?)[\s,]+(\d{1,3})%?[\s,]+(\d{1,3})%?\s*(?:[,/]\s*([\d.]{1,8})(%?)\s*)?\)$"
)
_NAMED: dict[str, Color] = {
    "white": (255, 255, 255), "snow": (255, 250, 250), "ghostwhite": (248, 248, 255),
    "whitesmoke": (245, 245, 245), "ivory": (255, 255, 240), "floralwhite": (255, 250, 240),
    "azure": (240, 255, 255), "mintcream": (245, 255, 250), "aliceblue": (240, 248, 255),
    "black": (0, 0, 0), "gray": (128, 128, 128), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "navy": (0, 0, 128),
    "yellow": (255, 255, 0), "teal": (0, 128, 128), "maroon": (128, 0, 0), "darkblue": (0, 0, 139),
    "orange": (255, 165, 0), "purple": (128, 0, 128), "lightgray": (211, 211, 211),
    "lightgrey": (211, 211, 211), "darkgray": (169, 169, 169), "dimgray": (105, 105, 105),
    "gainsboro": (220, 220, 220), "beige": (245, 245, 220),
}  # fmt: skip


def rgb(written: str) -> Color | None:
    """Red, green and blue of "#fff", "1F2D3D", "rgb(0, 0, 0)" or a name; None for anything else."""
    written = written.strip().lower()
    if (named := _NAMED.get(written)) is not None:
        return named
    if match := _HEX.match(written):
        digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := _FUNCTION.match(written):
        scale = 2.55 if match[2] else 1.0
        red, green, blue = (min(255, round(int(part) * scale)) for part in (match[1], match[3], match[4]))
        return red, green, blue
    return None


def opacity(written: str) -> float:
    """The opacity of a color, 1 where it says nothing of it."""
    written = written.strip().lower()
    if written == "transparent":
        return 0.0
    match = _FUNCTION.match(written)
    if match is None or match[5] is None:
        return 1.0
    try:
        return float(match[5]) / (100.0 if match[6] else 1.0)
    except ValueError:
        return 1.0


def looks_like(color: Color, ground: Color) -> bool:
    """True if nobody can tell `color` from `ground`."""
    return max(abs(a - b) for a, b in zip(color, ground, strict=True)) < LEAST_CONTRAST
