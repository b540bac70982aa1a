"""Was a resume read in the right order? Judged by the JSON that it was made from, not by another reader.

The order of the sections is the theme's own affair. Within them it is not: a sentence reads on from its
first word to its last, and the parts of one post follow each other with nothing from another section
between.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.made_documents.people import Resume

_LEAST_CHARACTERS = 25
"""Texts below that may stand twice, or be shown in another form."""


def faults(text: str, resume: Resume) -> list[str]:
    """What is out of order in `text`, in words; nothing if it was read well. Texts that a theme leaves out
    do not count.
    """
    read = _letters(text)
    found: list[str] = []
    shown = 0
    for name, sentence in _sentences(resume):
        written = _letters(sentence)
        if written[:12] in read or written[-12:] in read:
            shown += 1
            if written not in read:
                found.append(f"{name} is not read in one piece")
    if shown < 5:
        found.append(f"only {shown} sentences were read")
    return found or list(_misplaced(read, resume))


def _misplaced(read: str, resume: Resume) -> Iterator[str]:
    elsewhere = [
        (name, read.find(_letters(sentence)))
        for name, sentence in _sentences(resume)
        if not name.startswith("work")
    ] + [("skills", read.find(_letters("".join(skill["keywords"])))) for skill in resume["skills"]]
    before = -1
    for i, post in enumerate(resume["work"]):
        places = [at for line in post["highlights"] if (at := read.find(_letters(line))) >= 0]
        if not places:
            continue
        if places != sorted(places):
            yield f"the lines of post {i} are not in order"
        if places[0] < before:
            yield f"post {i} stands before an earlier one"
        for name, at in elsewhere:
            if places[0] < at < places[-1]:
                yield f"{name} stands in the midst of post {i}"
        before = places[-1]


def _sentences(resume: Resume) -> Iterator[tuple[str, str]]:
    yield "summary", resume["basics"]["summary"]
    for i, post in enumerate(resume["work"]):
        yield f"work {i} summary", post["summary"]
        for j, line in enumerate(post["highlights"]):
            yield f"work {i} line {j}", line
    for section, key in (("volunteer", "summary"), ("awards", "summary"), ("references", "reference")):
        for entry in resume[section]:
            if len(entry[key]) >= _LEAST_CHARACTERS:
                yield section, entry[key]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
