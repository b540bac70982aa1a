"""Resume and job text as it arrives, and as the model may read it.

`normalise` is the one place where text is cleaned. It is idempotent, keeps every letter and digit,
and keeps line breaks, since sentence and line boundaries are where passages end. Its work grows with
the length of the text and not faster, whatever the text holds: what follows relies on runs of combining
marks and of blanks having an end (docs/adr/0015-bounded-text.md).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from service.core.errors import EmptyTextError, TextTooLongError

MAX_TEXT_CHARACTERS = 100_000
"""Default limit on one document, in characters (about 25 pages)."""

MIN_LATIN_SHARE = 0.5
"""Below this share of Latin letters a document is flagged as written in another script."""

MOST_MARKS = 30
"""Combining marks in one run, as in Unicode's stream-safe text format (UAX #15, section 13). No script needs
as many; those beyond are dropped, since putting a run in canonical order takes the square of its length."""

MOST_BLANKS = 128
"""Blanks in one run: as many as a line of print. A gap of columns that loses those beyond is still a gap."""

_LINE_BREAKS = frozenset("\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
_MANY_BREAKS = re.compile(r"\n{3,}+")
_SOFT_HYPHEN = "\u00ad"
# Where a line ends it is a place to break a word; beside a hyphen it adds nothing. Possessive ("++"): a long
# run is read once.
_NO_HYPHEN = re.compile(r"(?<!\xad)\xad++(?=[ ]*(?:\n|\Z)|-)|(?<=-)\xad++")
_SOFT_HYPHENS = re.compile(r"\xad++")
_MANY_BLANKS = re.compile(f" {{{MOST_BLANKS + 1},}}+")


@dataclass(frozen=True, slots=True)
class Document:
    """Normalised text. `latin_share` is the share of its letters that are Latin, in [0, 1]."""

    text: str
    latin_share: float

    @property
    def non_latin_script(self) -> bool:
        return self.latin_share < MIN_LATIN_SHARE


def normalise(text: str) -> str:
    """Return `text` in Unicode NFKC without control, format or surrogate characters.

    Line breaks of every kind become a newline; other control characters (NUL included), lone
    surrogates and exotic spaces become a space; invisible format characters (zero-width, bidi
    marks, byte-order marks) vanish, since a resume can hide words with them. A soft hyphen is a hyphen,
    which is what PDF files mean by it ("on-premise", "2018 - 2021"), but vanishes at the end of a line.
    Of a run of combining marks `MOST_MARKS` stay, of blanks `MOST_BLANKS`, of line breaks two.
    """
    composed = _composed(text.replace("\r\n", "\n").replace("\r", "\n"))
    composed = composed.translate({ord(ch): _replacement(ch) for ch in set(composed)})
    # Removing a format character can bring two composable characters together, or two runs of marks.
    composed = _composed(composed)
    if _SOFT_HYPHEN in composed:
        composed = _SOFT_HYPHENS.sub("-", _NO_HYPHEN.sub("", composed))
    composed = "\n".join([line.rstrip(" ") for line in composed.split("\n")])
    composed = _MANY_BREAKS.sub("\n\n", composed).strip()
    return _MANY_BLANKS.sub(" " * MOST_BLANKS, composed)


def longest_normalised(text: str) -> int:
    """A length that `normalise(text)` does not exceed, found without normalising: in linear time and soon."""
    if text.isascii():
        return len(text)
    # Composing across characters only makes a text shorter.
    return sum(n * len(unicodedata.normalize("NFKC", ch)) for ch, n in Counter(text).items())


def _composed(text: str) -> str:
    """`text` in NFKC, in time that grows with its length: no run of combining marks is long."""
    return text if text.isascii() else unicodedata.normalize("NFKC", _with_bounded_marks(text))


def _with_bounded_marks(text: str) -> str:
    """`text` without the combining marks beyond `MOST_MARKS` of a run, counted as they are decomposed."""
    ends: dict[str, int] = {}  # how many marks a character ends with
    marks: set[str] = set()  # those that are nothing else
    for ch in set(text):
        decomposed = unicodedata.normalize("NFKD", ch)
        starters = [i for i, part in enumerate(decomposed, 1) if not unicodedata.combining(part)]
        ends[ch] = len(decomposed) - (starters[-1] if starters else 0)
        if not starters:
            marks.add(ch)
    if not marks:
        return text
    kept: list[str] = []
    run = 0
    for ch in text:
        if ch not in marks:
            run = ends[ch]
        elif run + ends[ch] <= MOST_MARKS:
            run += ends[ch]
        else:
            continue  # a mark more; letters are never dropped
        kept.append(ch)
    return "".join(kept)


def _replacement(ch: str) -> str:
    if ch in _LINE_BREAKS:
        return "\n"
    if ch == _SOFT_HYPHEN:
        return ch
    match unicodedata.category(ch):
        case "Cc" | "Cs" | "Zs" | "Cn":
            return " "
        case "Cf":
            return ""
        case _:
            return ch


def read_document(text: str, *, field: str, max_characters: int = MAX_TEXT_CHARACTERS) -> Document:
    """Normalise `text` and check that there is something to read.

    Raises `TextTooLongError` above `max_characters`, counted before normalising, so that the work is
    bounded, and after it, since some characters become several (U+FDFA becomes 18); and `EmptyTextError`
    if no letter, digit or symbol is left.
    """
    if len(text) > max_characters:
        raise TextTooLongError(
            f"{field} has {len(text):,} characters; the limit is {max_characters:,}",
            field=field,
            limit=max_characters,
            actual=len(text),
        )
    clean = normalise(text)
    if not clean:
        raise EmptyTextError(
            f"{field} holds no text: {len(text):,} characters came in, and none was left after "
            "white space and control characters",
            field=field,
            limit=1,
            actual=0,
        )
    if len(clean) > max_characters:
        raise TextTooLongError(
            f"{field} has {len(clean):,} characters once it is normalised ({len(text):,} came in); "
            f"the limit is {max_characters:,}",
            field=field,
            limit=max_characters,
            actual=len(clean),
        )
    return Document(text=clean, latin_share=_latin_share(clean))


def _latin_share(text: str) -> float:
    counts: dict[str, int] = {}
    for ch in text:
        counts[ch] = counts.get(ch, 0) + 1
    letters = latin = 0
    for ch, n in counts.items():
        if ch.isalpha():
            letters += n
            if ch.isascii() or unicodedata.name(ch, "").startswith("LATIN"):
                latin += n
    return latin / letters if letters else 1.0
