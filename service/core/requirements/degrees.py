"""Degrees: their level, and their field where it is said. American, British and Indian names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.core.redaction.scanning import scan

SCHOOL, ASSOCIATE, BACHELOR, MASTER, DOCTORATE = 1, 2, 3, 4, 5
"""Levels in their order. `SCHOOL`: a diploma of a secondary school, or what stands for one."""

_WORDS: tuple[tuple[int, str], ...] = (
    (
        DOCTORATE,
        r"ph\.?\s?d\b\.?|doctorate|doctoral|doctor of \w{3,20}|juris doctor|pharm\.?\s?d\b|\bj\.d\.(?! power)|\bm\.d\.|\bdnp\b|\bedd\b|\bdvm\b",
    ),
    (
        MASTER,
        r"master['’]?s?['’]?(?= (?:degree|of (?:arts|science|business|engineering|law|public|social|education|technology|computer|commerce|philosophy|fine|nursing|health|accounting|architecture|library)|in\b|or\b|level|required|preferred))|masters?['’]s?\b|\bm\.?b\.?a\b\.?|\bm\.s\.|\bm\.a\.|\bm\.?sc\b\.?|\bm\.?tech\b|\bmsn\b|\bmsw\b|\bm\.ed\b|\bmca\b|\bll\.?m\b|\bm\.e\b\.?|\bm\.?com\b(?!mun)|\bmph\b|post-?\s?graduate (?:degree|diploma)|graduate degree|advanced degree|\bpgdm?\b",
    ),
    (
        BACHELOR,
        r"bachelor['’]?s?['’]?|\bb\.s\.?(?=[\s,/)]|$)|\bb\.a\.?(?=[\s,/)]|$)|\bb\.?sc\b\.?(?!['’]s)|\bb\.?tech\b|\bb\.e\b\.?|\bbsn\b|\bbba\b|\bb\.?com\b\.?(?!mun)|\bll\.?\s?b\b|\bbeng\b|\bbca\b|\bbsw\b|\bbsee\b|\bbsme\b|\bbscs\b|\bb\.ed\b|under-?graduate (?:degree|studies)|(?:four|4)(?: \(4\))?[\s-]year (?:college |university )?degree|(?:college|university|honou?rs) degree|\bbs/ba\b|\bba/bs\b",
    ),
    (
        ASSOCIATE,
        r"associate['’]? ?s?['’]?(?= (?:of (?:arts|science|applied)|degree|in (?:applied|arts|science|nursing)|level required|(?:or|/) ?bachelor))|(?:two|2)(?: \(2\))?[\s-]year (?:college |technical |technical school )?degree|\bfoundation degree|\bhnd\b|\bhnc\b|\baas degree|\ba\.a\.s?\.|college diploma|diploma in|\bpolytechnic diploma|technical (?:school )?degree",
    ),
    (
        SCHOOL,
        r"high[\s-]?school|\bged\b|\bg\.e\.d\.|\bgcses?\b|\ba[\s-]levels?\b|secondary school|\bhs diploma|\bh\.s\. diploma|\bh\.?s\.?c\b|\bs\.?s\.?c\b|\bhigher secondary|\bdiploma/ged|\bdiploma or ged",
    ),
)
_SMALL = tuple((level, scan(pattern)) for level, pattern in _WORDS)
_UNNAMED = scan(
    r"\bdegree (?:in|from)\b|\b(?:a|relevant|related|technical|business|engineering|science|nursing|accounting) degree\b|\bdegree[\s-](?:educated|qualified)|\bdegree(?= (?:is )?(?:required|preferred|level))|degree holder"
)
"""A degree without its name is taken for a bachelor's."""

_ACRONYMS = (
    (DOCTORATE, scan(r"\bJD\b(?! Edwards)|\bPsyD\b")),
    (MASTER, scan(r"\b(?:MS|MA|ME)(?=/|\sdegree|\sin\s[A-Z]|\s(?:required|preferred))|(?<=/)(?:MS|MA)\b(?!\sOffice)|\bM\.?Eng\b|\bMEng\b|(?<=or\s)M[SA]\b(?=\s(?:degree|in\b)|[.,;)])")),
    (BACHELOR, scan(r"\b(?:BS|BA)\b(?=\s?/\s?[BM]|\sdegree|\sin\s|,?\s(?:or (?:BS|BA|MS|MA|equiv)|required|preferred|with)|,\s(?:MS|MA|BS|BA|\[)|$)|\bBE\b(?=\sin\s|\sdegree|,?\s\[|$)|(?<=/)(?:BS|BA)\b")),
    (ASSOCIATE, scan(r"\b(?:AA|AS|AAS)(?=/(?:A[AS]|B[AS])|\sdegree|\sin\s[A-Z])|(?<=/)(?:AA|AS|AAS)\b(?=\sdegree)")),
)  # fmt: skip
_FIELD = re.compile(r"[^.;()]{0,40}?\b(?:in|of)\s(?P<field>[^.;:()]{3,120})")
_STOP = frozenset(
    """a an and any as or the in of with from for degree degrees field fields related relevant similar discipline disciplines area areas equivalent other another another's
    study studies major required preferred plus is science arts applied technical college university accredited school bachelor bachelors master masters associate associates
    closely appropriate experience years year minimum must combination such etc one two three four five to least subject subjects e.g. which that equivalent. highly strongly
    emphasis concentration comparable program four-year desired at our your this work job-related directly""".split()
)
_WORD = re.compile(r"[a-z][a-z&+#'-]{1,25}")
_FIELD_WORDS = 6
_ENDS_FIELD = re.compile(
    r"\b(?:required|preferred|is|are|with|plus|from|and (?:\d|at least|minimum)|or (?:equivalent|\d)|experience|years?|must|desired)\b|\d|,\s?(?:and|or)?\s?(?:a|an)\s"
)

PURSUED = re.compile(
    r"\b(?:pursuing|studying|working towards?|candidate|in progress|enrolled|expected|undergoing|completing|perusing|persuing|currently (?:doing|studying))\b"
)
"""A degree that it stands beside is not there yet."""


@dataclass(frozen=True, slots=True)
class Degree:
    """Characters [start, end) of a text, the level, and the words of its field, empty if none is said."""

    start: int
    end: int
    level: int
    fields: tuple[str, ...]


def degrees_in(text: str, small: str) -> Iterator[Degree]:
    """The degrees in `text`, which is `small` in small letters, by level and then in order."""
    ends: set[int] = set()
    for patterns, where in ((_SMALL, small), (_ACRONYMS, text)):
        for level, pattern in patterns:
            for match in pattern.finditer(where):
                ends.update(range(match.end(), match.end() + _NEXT_TO))
                yield Degree(match.start(), match.end(), level, _field(small, match.end()))
    for match in _UNNAMED.finditer(small):
        if ends.isdisjoint(range(match.start(), match.end() + 1)):
            yield Degree(match.start(), match.end(), BACHELOR, _field(small, match.end()))


_NEXT_TO = 4


def _field(small: str, end: int) -> tuple[str, ...]:
    found = _FIELD.match(
        small[end - 3 if small[max(0, end - 3) : end] in (" in", " of") else end : end + 170]
    )
    if found is None:
        return ()
    field = found["field"]
    stop = _ENDS_FIELD.search(field)
    words = _WORD.findall(field[: stop.start()] if stop else field)
    return tuple(word for word in words if word not in _STOP)[:_FIELD_WORDS]
