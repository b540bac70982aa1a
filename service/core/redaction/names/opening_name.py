"""A name that no list holds at the start of the text, told by what comes next: a post, a town, contact data, a heading.

A firm or a product rarely opens a resume, so words that mean nothing else are enough there. They must end before a
word that does mean something: "Pesha Quarvel Warehouse Manager" is a name and a post.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from service.core.redaction.layout import Line
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.header_forms import MIN_SCORE, Scored
from service.core.redaction.names.header_line import HeaderLine
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.word_lists import (
    CREDENTIALS,
    GENERATIONS,
    PARTICLES,
    PLACES,
    STOP_WORDS,
    THING_NOUNS,
)

_MOST_WORDS = 4
_HEADER_LINES = 12
_LONGEST_POST = 90
_AHEAD_OF_ONE_WORD = 0.5
"""By so much a name of two words speaks louder than one word alone."""

_RARE_PAIR = 1000
_TITLES_OF_DOCUMENTS = frozenset(
    "bewerbung anschreiben profil perfil zyciorys zivotopis biodata curriculo curriculum cuprins portofoliu hoja "
    "zusammenfassung samenvatting riepilogo resumo lebenslauf ozgecmis".split()
)
_SEPARATOR = re.compile(r"\)?\s{0,3}[|,•·–—-]\s{0,3}")
_JOINTS = (" ", ") ", ". ", '" ', "” ")
_OPENINGS = ("(", '"', "“", "'", "‘")
_LABEL = re.compile(r"[^\W\d_][\w.'’]{0,20}(?: [\w.'’]{1,20}){0,3} ?:")
_ONLY_CREDENTIALS = re.compile(r",?(?:[ ,]{1,2}[A-Z][A-Za-z.]{0,2}[A-Z]{1,3}\.?){1,5}\W{0,3}")


def opening_name(resume: ParsedResume, line: Line, shape: HeaderLine, *, told: bool) -> Iterator[Scored]:
    """Names that nobody knows at the start of `line`, the first of the text. `told`: see `tells_of_a_name`."""
    if not shape.cells:
        return
    at = line.start + shape.cells[0][0]
    if told:
        yield from _one_word(resume, line)
        yield from _small_letters(resume, line)
    name = name_before_a_post(resume, at, line.end)
    if name is not None:
        yield MIN_SCORE + _AHEAD_OF_ONE_WORD, [name]


def tells_of_a_name(resume: ParsedResume, below: Line | None) -> bool:
    """True if `below`, the line under the first, is a heading, a post or a field with a label: a name goes before these."""
    if below is None:
        return False
    if below.heading:
        return True
    text = below.text.strip()
    return _LABEL.match(text) is not None or (
        len(text) <= _LONGEST_POST
        and not text.endswith(".")
        and any(resume.folded[i] in STOP_WORDS for i in resume.words_in(below.start, below.end)[:8])
    )


def means_nothing_else(resume: ParsedResume, i: int) -> bool:
    """True if word `i` is no word of English, no place, post, tool or firm, known as a name or not."""
    word = resume.folded[i]
    return (
        (len(word) > 2 or resume.is_name_word(i))
        and (word not in resume.lexicon.english or resume.is_name_word(i))
        and word not in STOP_WORDS
        and word not in PLACES
        and word not in THING_NOUNS
        and word not in CREDENTIALS
        and word not in _TITLES_OF_DOCUMENTS
        and i not in resume.protected
    )


def is_unknown_pair(resume: ParsedResume, above: NameCandidate, below: NameCandidate) -> bool:
    """True for two lines of which each holds words that mean nothing else: "Pesha" above "Quarvel"."""
    return all(
        means_nothing_else(resume, i) for candidate in (above, below) for i in range(*candidate)
    ) or _is_rare_pair(resume, NameCandidate(above.first, below.stop))


def surname_below(resume: ParsedResume, name: NameCandidate) -> Iterator[NameCandidate]:
    """The "Quarvel" under "Pesha Theresa": one word in a line of its own, right above a post or contact data.

    It may be a town as well, which is hidden in a header too. No word of English: "Cook" is a post more often.
    """
    line_starts = [line.start for line in resume.lines[:_HEADER_LINES]]
    at = bisect_right(line_starts, resume.starts[name.first]) - 1
    if not 0 <= at < min(len(resume.lines), _HEADER_LINES) - 2:
        return
    line, below, after = resume.lines[at : at + 3]
    inside = resume.words_in(below.start, below.end)
    if (
        below.start == line.end + 1
        and not resume.text[resume.ends[name.stop - 1] : line.end].strip(" .")
        and len(inside) == 1
        and below.text.strip() == resume.written[inside[0]]
        and resume.capitalised[inside[0]]
        and below.text.isupper() == line.text.isupper()
        and means_nothing_else(resume, inside[0])
        and resume.folded[inside[0]] not in resume.lexicon.english
        and not resume.holds_excluded(below.start, below.end)
        and (tells_of_a_name(resume, after) or resume.is_excluded(after.start))
    ):
        yield NameCandidate(inside[0], inside[0] + 1)


def _one_word(resume: ParsedResume, line: Line) -> Iterator[Scored]:
    """One word: "Suryani" above "Registered Nurse", with or without degrees behind it."""
    inside = resume.words_in(line.start, line.end)
    if not inside or not resume.capitalised[inside[0]] or not means_nothing_else(resume, inside[0]):
        return
    i = inside[0]
    behind = resume.text[resume.ends[i] : line.end]
    alone = not behind.strip(" \t.*#_") or _ONLY_CREDENTIALS.fullmatch(behind) is not None
    before = resume.text[line.start : resume.starts[i]].strip(" \t.*#_•")
    known = resume.is_name_word(i)
    if resume.folded[i] in resume.lexicon.english and not resume.lexicon.is_given_name(resume.folded[i]):
        return  # the "Key" of "Key Skills"
    if (
        alone
        and not before
        and (len(resume.folded[i]) > 4 or (known and len(resume.folded[i]) > 2))
        and (known or not _is_mixed(resume.written[i]))
    ):
        yield MIN_SCORE, [NameCandidate(i, i + 1)]


def _is_mixed(word: str) -> bool:
    """True for "DevOps" and "iPhone", which no name is written as."""
    return any(ch.isupper() for ch in word[1:]) and not word.isupper()


def _small_letters(resume: ParsedResume, line: Line) -> Iterator[Scored]:
    """As "jane van der doe" in a line of its own, initials included."""
    text = line.text.strip()
    inside = resume.words_in(line.start, line.end)
    if not 2 <= len(inside) <= 6 or not text.islower() or any(ch.isdigit() or ch in "@/:,;|" for ch in text):
        return
    named = [i for i in inside if len(resume.folded[i]) > 1 and resume.folded[i] not in PARTICLES]
    whole = NameCandidate(inside[0], inside[-1] + 1)
    if not 1 <= len(named) <= 3:
        return
    if all(means_nothing_else(resume, i) for i in named) or _is_rare_pair(resume, whole):
        yield MIN_SCORE + _AHEAD_OF_ONE_WORD, [whole]


def _is_rare_pair(resume: ParsedResume, candidate: NameCandidate) -> bool:
    """True for two words of English that many people bear, the first as given name: "April Summers"."""
    if len(candidate) != 2 or not resume.protected.isdisjoint(range(*candidate)):
        return False
    given, surname = (resume.folded[i] for i in range(*candidate))
    return (
        resume.lexicon.given_names.get(given, 0) >= _RARE_PAIR
        and resume.lexicon.surnames.get(surname, 0) >= _RARE_PAIR
        and surname not in PLACES
        and not resume.holds_stop_word(candidate, placed=True)
    )


def name_before_a_post(resume: ParsedResume, at: int, end: int) -> NameCandidate | None:
    """The first words of "Pesha Quarvel Warehouse Manager" and "Pesha Quarvel | Warehouse Manager", or None.

    They begin at `at`; nothing behind `end` is looked at.
    """
    whole = resume.candidate_at(at, most=_MOST_WORDS + 2, strict=False)
    if whole is None or resume.is_excluded(resume.starts[whole.first]):
        return None
    name = NameCandidate(whole.first, min(whole.first + 2, whole.stop))
    if not _is_rare_pair(resume, name):
        stop, full = _end_of_unknown(resume, whole)
        name = NameCandidate(whole.first, stop)
        if not 2 <= len(name) <= _MOST_WORDS + 1 or full < 1 or not resume.capitalised[stop - 1]:
            return None
    return name if _a_post_follows(resume, name.stop, end) else None


def fills_line(resume: ParsedResume, line: Line) -> NameCandidate | None:
    """The words of `line` if they are two to five with capitals that mean nothing else, or None."""
    at = line.start + len(line.text) - len(line.text.lstrip(" \t*#_"))
    whole = resume.candidate_at(at, most=_MOST_WORDS + 2, strict=False)
    if whole is None or len(whole) < 2 or resume.is_excluded(resume.starts[whole.first]):
        return None
    if resume.text[resume.ends[whole.stop - 1] : line.end].strip(" \t.)*_"):
        return None
    stop, full = _end_of_unknown(resume, whole)
    return whole if _is_rare_pair(resume, whole) or (stop == whole.stop and full > 1) else None


def _end_of_unknown(resume: ParsedResume, whole: NameCandidate) -> tuple[int, int]:
    """The first word of `whole` that means something, and how many full words stand before it.

    Initials do not count, nor do nicknames in brackets. One word of English may be a name too: "Lim Boon Kiat".
    """
    full, english = 0, False
    for i in range(*whole):
        word = resume.folded[i]
        nickname = i > whole.first and resume.text[resume.starts[i] - 1] in _OPENINGS
        if len(word) == 1 or word in PARTICLES or word in GENERATIONS or nickname:
            continue
        if full and not english and resume.is_known(word) and _is_only_english(resume, i):
            english = True
        elif not means_nothing_else(resume, i):
            return i, full
        full += 1
    return whole.stop, full


def _is_only_english(resume: ParsedResume, i: int) -> bool:
    word = resume.folded[i]
    return (
        word in resume.lexicon.english
        and word not in STOP_WORDS
        and word not in PLACES
        and word not in THING_NOUNS
        and i not in resume.protected
        and i + 1 < len(resume.folded)
        and means_nothing_else(resume, i + 1)
    )


def _a_post_follows(resume: ParsedResume, after: int, end: int) -> bool:
    """True if the words from `after` on name a post, a heading or a label, right behind or after one separator."""
    inside = resume.words_in(resume.ends[after - 1], end)
    if not inside or inside[0] != after or not resume.capitalised[after]:
        return False
    gap = resume.text[resume.ends[after - 1] : resume.starts[after]]
    if gap not in _JOINTS and not _SEPARATOR.fullmatch(gap):
        return False
    posts = [i for i in inside[:5] if resume.folded[i] in STOP_WORDS]
    if resume.folded[after] in THING_NOUNS:  # "Software Engineer", and not "Foundation"
        return after + 1 in posts and resume.capitalised[after + 1]
    return bool(posts) and all(resume.capitalised[i] for i in range(after, posts[0]))
