"""Pairs that `evenmatch-train mine` wrote: they join what is trained on, and nothing that is measured on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.data.example import DataFormatError, Dataset, Example, Fold
from training.data.review import fingerprint
from training.data.tables import TableRow, read_tables

MINED_COLUMN = "mined_negative"
"""True in rows that nobody labelled: a model ranked the resume high, and no label speaks of the pair."""

_TRUE = ("true", "1", "1.0", "yes")


def is_mined(row: Mapping[str, object]) -> bool:
    """Whether a row of a table says that it was mined."""
    return str(row.get(MINED_COLUMN)).strip().lower() in _TRUE


def count_mined(rows: Iterable[TableRow]) -> int:
    """How many rows of a table were mined."""
    return sum(is_mined(row) for row in rows)


def check_mined(path: Path) -> list[TableRow]:
    """The rows of a file of mined pairs.

    Raises `DataFormatError` if it cannot be read, or has a row that was not mined.
    """
    rows = [row for part in read_tables(path).values() for row in part]
    others = len(rows) - count_mined(rows)
    if others:
        raise DataFormatError(
            f"{path}: {others:,} of {len(rows):,} rows are not marked as mined (column `{MINED_COLUMN}`); "
            "data.files.mined takes what `evenmatch-train mine` wrote",
            field="data.files.mined",
        )
    return rows


def with_mined(dataset: Dataset, mined: Sequence[Example]) -> Dataset:
    """The data with mined pairs among those that are trained on, as non-matches of grade 0.

    A pair joins if its job is trained on, no label speaks of it anywhere, and its resume stands in no part
    that is measured or chosen by; the others are left out. A warning says how many joined.
    """
    held = [pairs for name, pairs in dataset.items() if name != "train"]
    train = _joined(dataset.train, held, mined)
    folds = tuple(
        Fold(_joined(fold.train, [fold.validation, fold.held_out], mined), fold.validation, fold.held_out)
        for fold in dataset.folds
    )
    joined = len(train) - len(dataset.train)
    said = (
        f"{joined:,} of {len(mined):,} mined pairs are trained on as non-matches; nobody labelled them, and "
        "they are in no other split"
    )
    if joined < len(mined):
        said += " (the others are of jobs that are not trained on, of labelled pairs or held-out resumes)"
    return replace(dataset, train=train, folds=folds, warnings=(*dataset.warnings, said))


def _joined(
    train: Sequence[Example], held: Sequence[Sequence[Example]], mined: Sequence[Example]
) -> list[Example]:
    jobs = {e.job_id: e for e in train}
    persons = {e.resume_id for of in held for e in of}
    texts = {fingerprint(e.resume) for of in held for e in of}
    labelled = {(e.job_id, name) for e in train for name in (e.resume_id, fingerprint(e.resume))}
    added: list[Example] = []
    for e in mined:
        job, text = jobs.get(e.job_id), fingerprint(e.resume)
        if job is None or e.resume_id in persons or text in texts:
            continue
        if (e.job_id, e.resume_id) in labelled or (e.job_id, text) in labelled:
            continue
        labelled |= {(e.job_id, e.resume_id), (e.job_id, text)}
        # The labelled posting, letter by letter: another spelling of its text would be another job.
        added.append(
            replace(
                e,
                title=job.title,
                description=job.description,
                job_family=job.job_family,
                label=0,
                grade=0,
            )
        )
    return [*train, *added]
