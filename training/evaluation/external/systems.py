"""Ways to score the pairs of a set: a bundle as it is served, and the baselines that it has to beat.

This is the only place here that knows how a bundle scores: all of it goes through `Matcher`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from service.core.bundle import Bundle
from service.core.copied_text import RunsOfPostings
from service.core.documents import Document
from service.core.engines.loading import LoadedModel
from service.core.errors import InputError, InputErrors
from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.tokenization import TokenIds
from service.core.vectors import Vectors
from training.evaluation.external.labelled_set import LabelledSet
from training.evaluation.external.schema import SystemKind
from training.evaluation.scored_pairs import Flags, Floats
from training.evaluation.scoring import EncodedTexts

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and out of how much."""

_SAMPLE = 64
_TOKENS_AT_ONCE = 20_000
_POSTINGS_AT_ONCE = 32


@dataclass(frozen=True)
class SystemScores:
    """How one system scores all pairs.

    Attributes:
        scores: what pairs are ranked by, (N,).
        probabilities: calibrated_probability, (N,), None for a baseline, which has none.
        selected: whether the bundle's one threshold selects, (N,); None for a baseline.
    """

    name: str
    kind: SystemKind
    description: str
    scores: Floats
    probabilities: Floats | None = None
    selected: Flags | None = None

    @property
    def decided_on(self) -> Floats:
        """What a threshold is applied to: the probability, or the score of a baseline."""
        return self.scores if self.probabilities is None else self.probabilities


@dataclass(frozen=True)
class TokenizedSet:
    """The documents of a set as one bundle reads them, in their order.

    `unreadable_resumes`, `unreadable_postings`: number to why; they have a None in the lists.
    `repeating`: pairs (resume, posting) in which the resume holds the posting's text.
    """

    jobs: list[TokenizedJob | None]
    resumes: list[TokenizedResume | None]
    unreadable_postings: dict[int, str]
    unreadable_resumes: dict[int, str]
    repeating: list[tuple[int, int]]


@dataclass(frozen=True)
class ReadSet:
    """A `TokenizedSet` of readable documents alone."""

    jobs: list[TokenizedJob]
    resumes: list[TokenizedResume]

    def passages(self) -> list[TokenIds]:
        """The distinct token ids that must be encoded."""
        texts = [ids for job in self.jobs for ids in job.texts]
        texts += [ids for resume in self.resumes for ids in resume.texts]
        return list(dict.fromkeys(texts))


def tokenize(matcher: Matcher, data: LabelledSet, *, redact: bool, progress: Progress) -> TokenizedSet:
    """Read all documents as the service does, redacted unless `redact` is false; what it refuses is named."""
    total = len(data.postings) + len(data.resumes)
    found = TokenizedSet([], [], {}, {}, [])
    for number, posting in enumerate(data.postings):
        progress("reading texts", number, total)
        try:
            found.jobs.append(matcher.tokenize_job(posting.text, posting.title, title_field="title"))
        except InputError as error:
            found.jobs.append(None)
            found.unreadable_postings[number] = _said(error)
    runs = RunsOfPostings([frozenset() if job is None else job.runs for job in found.jobs])
    for number, resume in enumerate(data.resumes):
        progress("reading texts", len(data.postings) + number, total)
        try:
            read, repeated = matcher.tokenize_resume_for(resume.text, runs, redact=redact)
        except InputError as error:
            found.resumes.append(None)
            found.unreadable_resumes[number] = _said(error)
            continue
        found.resumes.append(read)
        found.repeating.extend((number, posting) for posting in repeated)
    progress("reading texts", total, total)
    return found


def _said(error: InputError) -> str:
    return "; ".join(one.message for one in error.errors) if isinstance(error, InputErrors) else error.message


def seconds_a_token(loaded: LoadedModel, passages: Sequence[TokenIds]) -> float:
    """How long the engine takes for a token, by a sample of the passages."""
    ordered = sorted(passages, key=len)
    sample = ordered[:: max(1, len(ordered) // _SAMPLE)][:_SAMPLE]
    loaded.engine.embed(sample[:8])  # the first call of an engine prepares things
    before = time.perf_counter()
    loaded.engine.embed(sample)
    return (time.perf_counter() - before) / sum(map(len, sample))


def encode(loaded: LoadedModel, passages: Sequence[TokenIds], progress: Progress, doing: str) -> EncodedTexts:
    """Every passage once, those of a length together."""
    ordered = sorted(passages, key=len)
    total, done, start = sum(map(len, ordered)), 0, 0
    vectors: list[Vectors] = []
    while start < len(ordered):
        end, tokens = start, 0
        while end < len(ordered) and (end == start or tokens + len(ordered[end]) <= _TOKENS_AT_ONCE):
            tokens += len(ordered[end])
            end += 1
        vectors.append(loaded.engine.embed(ordered[start:end]))
        start, done = end, done + tokens
        progress(doing, done, total)
    return EncodedTexts(np.concatenate(vectors), {ids: i for i, ids in enumerate(ordered)})


def score_with_bundle(
    matcher: Matcher, read: ReadSet, encoded: EncodedTexts, data: LabelledSet, name: str
) -> SystemScores:
    """Scores, probabilities and decisions of all pairs, exactly as the service gives them."""
    scores, probabilities = np.empty(len(data)), np.empty(len(data))
    selected = np.empty(len(data), np.bool_)
    vectors = [encoded.of(resume.texts) for resume in read.resumes]
    by_resumes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for posting, rows in enumerate(data.rows_of_postings):
        by_resumes[tuple(data.pair_resumes[rows].tolist())].append(posting)
    for resumes, postings in by_resumes.items():
        for start in range(0, len(postings), _POSTINGS_AT_ONCE):
            some = postings[start : start + _POSTINGS_AT_ONCE]
            jobs = [(read.jobs[posting], encoded.of(read.jobs[posting].texts)) for posting in some]
            matches = matcher.match_all(jobs, [vectors[resume] for resume in resumes])
            for column, posting in enumerate(some):
                rows = data.rows_of_postings[posting]
                of_posting = [row[column] for row in matches]
                scores[rows] = [match.raw_score for match in of_posting]
                probabilities[rows] = [match.calibrated_probability for match in of_posting]
                selected[rows] = [match.selected for match in of_posting]
    return SystemScores(name, "bundle", matcher.bundle.makeup, scores, probabilities, selected)


def texts_of(matcher: Matcher, read: ReadSet, data: LabelledSet) -> tuple[list[Document], list[Document]]:
    """Postings with their titles, and resumes as redacted, each as one text: what baselines read."""
    postings = [
        matcher.read(
            posting.text if posting.title is None else f"{posting.title}\n\n{posting.text}",
            field="job",
            categories=None,
        ).document
        for posting in data.postings
    ]
    return postings, [resume.read.document for resume in read.resumes]


def whole_texts(
    loaded: LoadedModel, postings: Sequence[Document], resumes: Sequence[Document]
) -> tuple[list[TokenIds], list[TokenIds]]:
    """Each document as one sequence, cut off at the model's length, as `/v1/embed` does it."""
    tokenizer = loaded.tokenizer
    return (
        [tokenizer.encode_text(document, "job", field="job").ids for document in postings],
        [tokenizer.encode_text(document, "resume", field="resume").ids for document in resumes],
    )


def one_vector_scores(
    encoded: EncodedTexts, postings: Sequence[TokenIds], resumes: Sequence[TokenIds], data: LabelledSet
) -> Floats:
    """Cosine of one vector a document, (N,)."""
    of_postings, of_resumes = encoded.of(postings), encoded.of(resumes)
    products: Floats = (of_postings @ of_resumes.T).astype(np.float64)  # (P, R)
    return products[data.pair_postings, data.pair_resumes]


def is_plain(bundle: Bundle) -> bool:
    """Whether the bundle is its base model, without adapter and eraser."""
    return not bundle.manifest.has_adapter and bundle.eraser is None
