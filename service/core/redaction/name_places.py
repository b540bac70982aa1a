"""Where a person's name may stand, for resumes that are read unredacted: names decide nothing there either.

Hidden are names, e-mail addresses, which are made of them more often than not, and whatever else may be made
of one: user names and the pages of persons, and in a text with a name all links and captions of photos. That
does not depend on how the name is written, so that another name leaves the same text. A text in which nobody
is named stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.redaction.names.body import FoundName
from service.core.redaction.names.candidates import ParsedResume
from service.core.redaction.names.name_forms import NameCandidate
from service.core.redaction.names.word_lists import MONTHS, PLACES, STOP_WORDS, THING_NOUNS
from service.core.redaction.policy import Category
from service.core.redaction.spans import Span

NAME_PLACES: frozenset[Category] = frozenset({"name", "email", "link", "photo"})
"""Categories of spans in which a name may stand."""

_ANY_LINK = frozenset({"link.form", "link.broken", "json.place"})
"""Rules that find links of firms and projects, too; all others find those of a person."""

_PAGE_OF_PERSON = re.compile(
    r"(?:https?://)?(?:[\w-]{1,20}\.)?(?:linkedin\.com/(?:in|pub)/|xing\.com/profile/)", re.IGNORECASE
)
_DECLARATION = re.compile(
    r"(?<!\w)I,?[ ](?=[^\n]{2,60}?(?:,|[ ](?:do[ ])?(?:hereby|solemnly|declare|certify|confirm)(?!\w)))"
)
"""As in "I, Jane Doe, hereby declare"."""

_MOST_WORDS = 4
_ACRONYM = 3
"""Letters; a word in capitals as long as this is no name beside one that is written otherwise."""
_VERY_COMMON = 200_000
"""Bearers of a name that is one more often than anything else, whatever it means."""
_OPENS_PLACE = frozenset(
    "san santa santo sao los las saint st al el lake fort mount king queen saudi port".split()
)
"""Known as names, and the first words of "San Diego" and "King Fahad Airport"."""


def may_hold_a_name(span: Span, text: str, *, named: bool) -> bool:
    """True if a name may stand in `span` of `text`. `named`: a person is named somewhere in it."""
    if span.category in ("name", "email") or (named and span.category in NAME_PLACES):
        return True
    return span.category == "link" and (
        span.reason not in _ANY_LINK or _PAGE_OF_PERSON.match(text, span.start) is not None
    )


def names_anywhere(resume: ParsedResume) -> Iterator[FoundName]:
    """Given name and surname side by side, both known, wherever they stand; and who declares something.

    Redaction asks for prose around them, lest it hide an employer or a product. Here a firm that is called by
    somebody's full name may go, since it says little about the work.
    """
    for match in _DECLARATION.finditer(resume.text):
        candidate = resume.placed_candidate_at(match.end(), most=_MOST_WORDS)
        if candidate is not None and len(candidate) > 1 and not resume.holds_stop_word(candidate):
            yield FoundName(candidate, own=True, reason="name.declaration")
    stop = 0
    for i in _full_names(resume):
        if i >= stop:
            stop = _end(resume, i)
            yield FoundName(NameCandidate(i, stop), own=False, reason="name.pair", spreads=False)


def _full_names(resume: ParsedResume) -> Iterator[int]:
    """Words that a known surname follows, or a given name a surname, an initial between them or not."""
    lexicon = resume.lexicon
    for i, word in enumerate(resume.folded[:-1]):
        if not (word in lexicon.given_names or word in lexicon.surnames) or not _is_free(resume, i):
            continue
        j = i + 1
        if len(resume.folded[j]) == 1 and j + 1 < len(resume.folded) and _joined(resume, i):
            j += 1
        if not _joined(resume, j - 1) or not _is_free(resume, j):
            continue
        if (
            len(resume.written[j]) <= _ACRONYM
            and resume.written[j].isupper()
            and not resume.written[i].isupper()
        ):
            continue  # "Java IDE"
        other = resume.folded[j]
        if _means_more(resume, i) and _means_more(resume, j) and not _are_mostly_a_name(resume, i, j):
            continue  # "India Glass", "Summer Law", "Julia Maven"
        if (lexicon.is_given_name(word) and lexicon.is_surname(other)) or (
            lexicon.is_surname(word) and lexicon.is_given_name(other)
        ):
            yield i


def _end(resume: ParsedResume, first: int) -> int:
    """Where the name that begins with word `first` ends: known surnames behind the second word belong to it."""
    stop = first + 2
    if len(resume.folded[first + 1]) == 1:
        stop += 1
    while (
        stop < min(len(resume.folded), first + _MOST_WORDS)
        and _joined(resume, stop - 1)
        and _is_free(resume, stop)
        and resume.lexicon.is_surname(resume.folded[stop])
    ):
        stop += 1
    return stop


def _means_more(resume: ParsedResume, i: int) -> bool:
    word = resume.folded[i]
    return word in resume.lexicon.english or word in PLACES or i in resume.protected


def _are_mostly_a_name(resume: ParsedResume, i: int, j: int) -> bool:
    """True for "Jane Miller" and "Grace Long", each of whose words means something else, too."""
    common = any(
        max(of.get(resume.folded[k], 0) for of in (resume.lexicon.given_names, resume.lexicon.surnames))
        >= _VERY_COMMON
        for k in (i, j)
    )
    return common and resume.folded[j] not in THING_NOUNS and resume.protected.isdisjoint((i, j))


def _is_free(resume: ParsedResume, i: int) -> bool:
    """True for a word with a capital that is no post or month, in no firm's name, link, address or school."""
    word = resume.folded[i]
    return (
        resume.capitalised[i]
        and word not in STOP_WORDS
        and word not in MONTHS
        and word not in _OPENS_PLACE
        and i not in resume.protected_phrases
        and not resume.is_excluded(resume.starts[i])
    )


def _joined(resume: ParsedResume, i: int) -> bool:
    """True if one blank stands between words `i` and `i + 1`, or the dot of an initial and one."""
    gap = resume.text[resume.ends[i] : resume.starts[i + 1]]
    return gap == " " or (gap == ". " and len(resume.folded[i]) == 1)
