"""What is wrong or doubtful with a set, found from its texts and labels alone: before anything is encoded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from service.core.bundle import Bundle
from service.core.printable import shortened
from training.data.example import DataError
from training.data.nearly_same import nearly_same
from training.data.review import fingerprint, normalised
from training.data.tables import read_tables
from training.evaluation.external.given_table import MOST_NAMED
from training.evaluation.external.labelled_set import GivenDocument, LabelledSet

NEARLY_SAME = 0.8
"""Jaccard similarity of shingles of five words from which on two resumes are one with another date."""

MOST_COMPARED = 20_000
"""Resumes among which such repeats are looked for: some 10 KB of memory each, and time by the square."""

_LEAST_TEXT = 20
"""Characters: shorter cells are ids, labels and titles."""

FEW_RESUMES, FEW_POSTINGS, FEW_MATCHES = 30, 20, 50
"""Under these an interval from resamples is too narrow: it knows only what it draws from."""


def check_classes(data: LabelledSet) -> None:
    """Raise `DataError` if there are no matches, or nothing but matches."""
    matches = int(data.labels.sum())
    if 0 < matches < len(data):
        return
    why = (
        "no category is on both sides (--map says which of them are the same)"
        if data.every_pair and not matches and any(resume.categories for resume in data.resumes)
        else "matches and others are needed to tell them apart"
    )
    raise DataError(f"one class only: {matches:,} of {len(data):,} pairs match; {why}")


def size_notes(data: LabelledSet) -> list[str]:
    """What is too few to say much."""
    matches = int(data.labels.sum())
    found = [
        f"{count:,} {what}" + (f" (under {least})")
        for count, what, least in (
            (len(data.resumes), "resumes", FEW_RESUMES),
            (len(data.postings), "postings", FEW_POSTINGS),
            (matches, "matches", FEW_MATCHES),
        )
        if count < least
    ]
    notes = []
    if found:
        notes.append(f"{', '.join(found)}: intervals from so few are too narrow")
    without = int((data.matches_of_postings == 0).sum())
    if without:
        notes.append(
            f"{without:,} of {len(data.postings):,} postings have no match: they count in pooled figures only"
        )
    return notes


def repeat_notes(data: LabelledSet) -> list[str]:
    """Resumes and postings whose texts stand there under several ids, or nearly so."""
    notes = []
    for what, documents in (("resumes", data.resumes), ("postings", data.postings)):
        texts = Counter((d.title or "", d.fingerprint) for d in documents)
        again = sum(n - 1 for n in texts.values())
        if again:
            hint = " (--repeats drop)" if what == "resumes" else ""
            notes.append(
                f"{again:,} of {len(documents):,} {what} have the text of another under another id{hint}: "
                f"they count as several, and intervals are too narrow{_places(documents, _equal(documents))}"
            )
    distinct = _first_of_each(data.resumes)
    if len(distinct) > MOST_COMPARED:
        notes.append(
            f"{len(distinct):,} different resumes are more than {MOST_COMPARED:,}: whether some are nearly "
            "the same under two ids was not looked for"
        )
        return notes
    words = (normalised(data.resumes[i].text).split() for i in distinct)
    near = [(distinct[i], distinct[j]) for i, j in nearly_same(words, NEARLY_SAME)]
    if near:
        notes.append(
            f"{len(near):,} pairs of resumes are nearly the same text under two ids, as of one person twice"
            f"{_places(data.resumes, near)}"
        )
    return notes


def repeating_note(data: LabelledSet, repeating: Sequence[tuple[int, int]]) -> str | None:
    """Resumes that hold the text of a posting which they are paired with."""
    paired = set(zip(data.pair_resumes.tolist(), data.pair_postings.tolist(), strict=True))
    found = [pair for pair in repeating if pair in paired]
    if not found:
        return None
    named = [
        f"{data.resumes[resume].place} holds {data.postings[posting].place}"
        for resume, posting in found[:MOST_NAMED]
    ]
    more = f" and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
    return (
        f"{len(found):,} pairs leak: the resume holds half of the posting or more, word by word: "
        f"{'; '.join(named)}{more}"
    )


def shared_note(data: LabelledSet, training: Path) -> str:
    """How many of the set's texts stand in a table of training data, whatever its columns are called.

    Raises `DataFormatError` if it cannot be read.
    """
    known = {
        fingerprint(cell)
        for rows in read_tables(training).values()
        for row in rows
        for cell in row.values()
        if isinstance(cell, str) and len(cell) >= _LEAST_TEXT
    }
    found = [[d for d in documents if d.fingerprint in known] for documents in (data.resumes, data.postings)]
    counts = (
        f"{len(found[0]):,} of {len(data.resumes):,} resumes and {len(found[1]):,} of "
        f"{len(data.postings):,} postings"
    )
    if not any(found):
        return f"{counts} stand in {training}"
    places = ", ".join(d.place for side in found for d in side[:MOST_NAMED])
    return f"{counts} stand in {training} and leak if the bundle was trained on it: {places}"


def trained_on_note(bundle: Bundle) -> str:
    """Whether the bundle may have been trained on these texts, as far as it can be known."""
    name = f"{bundle.manifest.name} {bundle.manifest.version}"
    try:
        config = json.loads((bundle.path / "training_config.json").read_bytes())
        given = config.get("data") or {}
        files, synthetic = given.get("files"), given.get("synthetic")
    except (OSError, ValueError, AttributeError):
        return f"{name} does not say what it was trained on: whether these texts are among it cannot be known"
    if files:
        sources = [files.get("file"), *(files.get("files") or {}).values()] if isinstance(files, dict) else []
        said = ", ".join(shortened(Path(str(source)).name) for source in sources if source) or "files"
        return (
            f"{name} was trained on {said} and keeps no digests of texts: whether these are among them "
            "cannot be known"
        )
    if synthetic:
        return f"{name} was trained on generated texts alone: nobody's resume or posting was among them"
    return f"{name} does not say what it was trained on: whether these texts are among it cannot be known"


def _first_of_each(documents: Sequence[GivenDocument]) -> list[int]:
    first: dict[str, int] = {}
    for i, document in enumerate(documents):
        first.setdefault(document.fingerprint, i)
    return list(first.values())


def _equal(documents: Sequence[GivenDocument]) -> list[tuple[int, int]]:
    first: dict[tuple[str, str], int] = {}
    pairs = [(first.setdefault((d.title or "", d.fingerprint), i), i) for i, d in enumerate(documents)]
    return [pair for pair in pairs if pair[0] != pair[1]]


def _places(documents: Sequence[GivenDocument], pairs: Sequence[tuple[int, int]]) -> str:
    few = [f"{documents[i].place} and {documents[j].place}" for i, j in pairs[:3]]
    more = f"; {len(pairs) - 3:,} more" if len(pairs) > 3 else ""
    return f" ({'; '.join(few)}{more})"
