"""Decisions on annotated resumes for a set of postings: bare, redacted by us, redacted by the annotation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.core.engines.loading import LoadedModel
from service.core.errors import InputError
from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.redaction.policy import Category
from service.core.redaction.spans import Span
from training.data.example import DataFormatError
from training.data.tables import columns_of, list_columns, read_tables
from training.evaluation.decision_effect import decision_effect, decisions
from training.evaluation.redaction.measuring import MeasuredResume
from training.evaluation.redaction.schema import DecisionReport
from training.evaluation.schema import DecisionEffect
from training.evaluation.scored_pairs import Floats
from training.evaluation.scoring import encode_distinct

DESCRIPTION_COLUMNS = ("description", "job_description", "job", "text")
TITLE_COLUMNS = ("title", "job_title")


@dataclass(frozen=True, slots=True)
class Posting:
    title: str | None
    description: str


def read_postings(path: Path, description: str | None = None, title: str | None = None) -> list[Posting]:
    """The postings of a CSV, JSON Lines or Parquet file; distinct ones, in their order.

    `description` and `title` name the columns; by default the first of `DESCRIPTION_COLUMNS` and
    `TITLE_COLUMNS` that is there, and no titles if none is. Raises `DataFormatError` if the file cannot be
    read, has not the columns, or no description.
    """
    rows = [row for table in read_tables(path).values() for row in table]
    columns = columns_of(rows)
    body = _column(path, columns, description, DESCRIPTION_COLUMNS)
    head = (
        _column(path, columns, title, TITLE_COLUMNS) if title or set(columns) & set(TITLE_COLUMNS) else None
    )
    found: dict[Posting, None] = {}
    for row in rows:
        text, name = row.get(body), None if head is None else row.get(head)
        if isinstance(text, str) and text.strip():
            found[Posting(name if isinstance(name, str) and name.strip() else None, text)] = None
    if not found:
        raise DataFormatError(f"{path}: column `{body}` holds no text")
    return list(found)


def spread(postings: Sequence[Posting], most: int) -> list[Posting]:
    """`most` of the postings, evenly spread over their order; all of them if there are no more."""
    if len(postings) <= most:
        return list(postings)
    return [postings[i * len(postings) // most] for i in range(most)]


def _column(path: Path, columns: Sequence[str], wanted: str | None, known: Sequence[str]) -> str:
    for column in (wanted,) if wanted else known:
        if column in columns:
            return column
    asked = f"`{wanted}`" if wanted else f"`{'`, `'.join(known)}`"
    raise DataFormatError(f"{path} has no column {asked}; {list_columns(columns)}")


def decide(
    matcher: Matcher,
    loaded: LoadedModel,
    resumes: Sequence[MeasuredResume],
    postings: Sequence[Posting],
    annotated: frozenset[Category],
    *,
    rounds: int,
    rng: np.random.Generator,
) -> DecisionReport:
    """Score every resume's texts for every posting and count the decisions that differ.

    `matcher`: one that keeps names, since texts are scored bare, too. `annotated`: the categories that the
    data annotates. A resume of which the model cannot read some text is left out and counted. Raises
    `DataFormatError` if none is left, and an `InputError` for an unusable posting.
    """
    jobs = [
        matcher.tokenize_job(
            p.description, p.title, field=f"postings[{i}]", title_field=f"postings[{i}].title"
        )
        for i, p in enumerate(postings)
    ]
    texts: list[list[TokenizedResume]] = []
    for resume in resumes:
        try:
            texts.append([_tokenized(matcher, text) for text in _texts(resume, annotated)])
        except InputError:
            continue
    if not texts:
        raise DataFormatError("no resume can be read by the model: no decisions can be compared")
    scores = _scores(matcher, loaded, jobs, texts)  # (4, R, P)
    titled = [job.title is not None for job in jobs] * len(texts)
    flat = scores.reshape(len(scores), -1)
    selected = [decisions(matcher, of, titled) for of in flat]
    numbers = np.repeat(np.arange(len(texts)), len(jobs))

    def effect(first: int, second: int) -> DecisionEffect:
        return decision_effect(
            flat[first],
            flat[second],
            selected[first],
            selected[second],
            resumes=numbers,
            jobs=len(jobs),
            rounds=rounds,
            rng=rng,
        )

    manifest = matcher.bundle.manifest
    return DecisionReport(
        bundle=manifest.name,
        version=manifest.version,
        digest=matcher.bundle.digest,
        threshold=matcher.bundle.decision.threshold,
        postings=len(jobs),
        unreadable=len(resumes) - len(texts),
        against_bare=effect(_BARE, _OURS),
        against_annotation=effect(_ANNOTATED, _OURS),
        against_completed_annotation=effect(_COMPLETED, _OURS),
    )


_BARE, _OURS, _ANNOTATED, _COMPLETED = range(4)


def _texts(resume: MeasuredResume, annotated: frozenset[Category]) -> tuple[str, str, str, str]:
    return (
        resume.text,
        resume.redacted.text,
        resume.hidden_by_annotation([]),
        resume.hidden_by_annotation(list(_not_annotated(resume, annotated))),
    )


def _not_annotated(resume: MeasuredResume, annotated: frozenset[Category]) -> Iterable[Span]:
    """Spans of ours on which the data says nothing: neither their category nor that they must stay."""
    for span in resume.redacted.spans:
        stays = any(start < span.end and span.start < end for start, end in resume.kept)
        if span.category not in annotated and not stays:
            yield span


def _tokenized(matcher: Matcher, text: str) -> TokenizedResume:
    return matcher.tokenize_resume(text, redact=False, field="text")


def _scores(
    matcher: Matcher,
    loaded: LoadedModel,
    jobs: Sequence[TokenizedJob],
    texts: Sequence[Sequence[TokenizedResume]],
) -> Floats:
    """raw_score of each resume's texts for each job, (texts, R, P)."""
    encoded = encode_distinct(loaded, jobs, [text for of in texts for text in of])
    job_vectors = [encoded.of(job.texts) for job in jobs]
    scores = np.empty((len(texts[0]), len(texts), len(jobs)))
    for row, of in enumerate(texts):
        for kind, text in enumerate(of):
            vectors = encoded.of(text.texts)
            scores[kind, row] = [
                matcher.raw_score(job, of_job, vectors) for job, of_job in zip(jobs, job_vectors, strict=True)
            ]
    return scores
