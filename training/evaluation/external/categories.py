"""Categories of resumes and postings: how they are compared, and a map from one side's to the other's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from service.core.printable import shortened
from training.data.example import DataFormatError
from training.data.match_labels import cell_text
from training.evaluation.external.given_table import Findings, GivenTable
from training.evaluation.external.labelled_set import GivenDocument

SEPARATOR = ";"
LONGEST = 100
"""Characters of a category. A column of texts is none, and would stand in a report."""

_MOST_NAMED = 12


def categories_of(cell: object) -> tuple[str, ...]:
    """The categories that stand in a cell, parted by `;`. Raises `ValueError` that says what is wrong."""
    text = cell_text(cell)
    found = tuple(name for part in (text or "").split(SEPARATOR) if (name := " ".join(part.split())))
    if not found:
        raise ValueError("no category")
    longest = max(map(len, found))
    if longest > LONGEST:
        raise ValueError(f"a category of {longest:,} characters; at most {LONGEST} are allowed")
    return found


def read_map(path: Path, findings: Findings) -> dict[str, list[str]]:
    """Categories of resumes, as compared, to those of postings: a table with columns `resume` and `posting`.

    A category may stand in several rows. Raises `DataFormatError` if it cannot be read.
    """
    table = GivenTable.of_file(path, findings)
    for column in ("resume", "posting"):
        table.given(column, "--map")
    found: dict[str, list[str]] = {}
    for row, place in table.read(["resume", "posting"], findings):
        try:
            for name in categories_of(row["resume"]):
                found.setdefault(name.casefold(), []).extend(categories_of(row["posting"]))
        except ValueError as error:
            raise DataFormatError(f"{place}: {error}") from None
    if not found:
        raise DataFormatError(f"{path} holds no rows")
    return found


def under_one_name(
    resumes: Sequence[GivenDocument],
    postings: Sequence[GivenDocument],
    mapped: Mapping[str, Sequence[str]] | None,
    findings: Findings,
) -> tuple[list[GivenDocument], list[GivenDocument]]:
    """Both sides with equal names for equal categories; what stands on one side alone is said.

    Case and blanks do not count. With `mapped` the categories of resumes become those of postings that it
    names; those that it does not name stay.
    """
    names: dict[str, str] = {}
    there = {name.casefold() for resume in resumes for name in resume.categories}
    unused = [name for name in mapped or () if name not in there]
    if unused:
        findings.notes.append(f"--map names categories that no resume has: {_listed(Counter(unused))}")

    def named(document: GivenDocument, of: Mapping[str, Sequence[str]]) -> GivenDocument:
        found = [other for name in document.categories for other in of.get(name.casefold(), [name])]
        return replace(
            document,
            categories=tuple(dict.fromkeys(names.setdefault(name.casefold(), name) for name in found)),
        )

    of_postings = [named(posting, {}) for posting in postings]
    of_resumes = [named(resume, mapped or {}) for resume in resumes]
    counts = [Counter(name for d in side for name in d.categories) for side in (of_resumes, of_postings)]
    for one, other, these, those in ((0, 1, "resumes", "posting"), (1, 0, "postings", "resume")):
        alone = Counter({name: n for name, n in counts[one].items() if name not in counts[other]})
        if alone:
            findings.notes.append(
                f"{sum(alone.values()):,} {these} are of categories that no {those} has, and match nothing: "
                f"{_listed(alone)}"
            )
    return of_resumes, of_postings


def _listed(counts: Counter[str]) -> str:
    named = [f"{shortened(name, 40)} ({n:,})" for name, n in counts.most_common(_MOST_NAMED)]
    more = len(counts) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")
