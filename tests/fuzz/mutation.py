"""Changed copies of a file, drawn at random: what fuzzing is where nothing guides it."""

from __future__ import annotations

import random

_TOKENS = (
    b"\x00",
    b"\xff\xff",
    b"<",
    b"{",
    b"}",
    b"\\",
    b"endobj",
    b"<<",
    b">>",
    b"<!DOCTYPE",
    b"99999999999",
    b"-1",
    b"%PDF-",
    b"PK\x03\x04",
)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """`data` with 1 to 8 changes: bytes changed, parts cut, doubled or moved, tokens put in."""
    changed = bytearray(data)
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(changed)) if changed else 0
        length = min(len(changed) - at, draw.choice((1, 2, 16, 400)))
        match draw.randrange(6):
            case 0 if changed:
                changed[at] ^= 1 << draw.randrange(8)
            case 1:
                del changed[at : at + length]
            case 2:
                changed[at:at] = changed[at : at + length] * draw.randint(1, 5)
            case 3:
                changed[at:at] = draw.choice(_TOKENS)
            case 4:
                changed[at : at + length] = draw.randbytes(length)
            case _:
                part = changed[at : at + length]
                del changed[at : at + length]
                to = draw.randrange(len(changed) + 1)
                changed[to:to] = part
    return bytes(changed)
