"""Misspelt key words of schools: "Universtiy", "Collage", "Institue"."""

from __future__ import annotations

from functools import lru_cache

_SPELT = {"university": 2, "universities": 0, "institute": 2, "college": 2, "school": 1, "academy": 1, "polytechnic": 2, "vidyalaya": 2}  # fmt: skip
FIRST_LETTERS = frozenset({"un", "in", "co", "sc", "sh", "ac", "po", "vi", "uv", "ui", "is", "ca"})
"""With which a key word begins, right or wrong."""


@lru_cache(maxsize=8192)
def key_word_meant(word: str) -> bool:
    """True if `word` is a key word with one or two letters wrong, left out or in the wrong place."""
    return any(
        most
        and abs(len(word) - len(right)) <= most
        and len(set(word) ^ set(right)) <= 2 * most  # an edit brings one letter and takes another away
        and 0 < _distance(word, right) <= most
        for right, most in _SPELT.items()
    )


def _distance(a: str, b: str) -> int:
    """Edits from `a` to `b`, where two letters that changed places are one."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[j] = min(row[j], before[j - 2] + 1)
        before = previous
    return row[-1]
