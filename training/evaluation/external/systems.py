"""Ways to score the pairs of a set: a bundle as it is served, and the baselines that it has to beat.

This is the only place here that knows how a bundle scores: all of it goes through `Matcher`. Postings are in
memory with their vectors; what a bundle reads of resumes lies on the disk (`kept_texts`), and a block of them
at a time is encoded and scored.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from service.core.bundle import Bundle
from service.core.copied_text import RunsOfPostings
from service.core.documents import Document
from service.core.engines.loading import LoadedModel
from service.core.errors import InputError, InputErrors
from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.scorer import PreparedJob, PreparedResume
from service.core.tokenization import TokenIds
from service.core.vectors import Vectors
from training.evaluation.external.kept_texts import Kept, Store
from training.evaluation.external.labelled_set import Indexes, LabelledSet
from training.evaluation.external.schema import SystemKind
from training.evaluation.scored_pairs import Flags, Floats
from training.evaluation.scoring import EncodedTexts

Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and out of how much."""

_SAMPLE = 64
_TOKENS_AT_ONCE = 20_000
_POSTINGS_AT_ONCE = 32
_PAIRS_AT_ONCE = 10_000
RESUMES_AT_ONCE = 512
"""That are encoded and scored before the next: of MiniLM some 30 MB of vectors."""


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


@dataclass(frozen=True, slots=True, eq=False)
class KeptResume:
    """A resume as a bundle reads it, on the disk: the token ids of its passages, and its text as redacted.

    `tokens`: how many there are.
    """

    ids: Kept
    redacted: Kept
    latin_share: float
    tokens: int

    @classmethod
    def of(cls, resume: TokenizedResume, store: Store) -> KeptResume:
        """Put a resume into a store."""
        texts = resume.texts
        lengths = [len(ids) for ids in texts]
        numbers = np.array([len(texts), *lengths, *(n for ids in texts for n in ids)], np.int32)
        document = resume.read.document
        return cls(
            store.keep(numbers.tobytes()),
            store.keep(document.text.encode("utf-8", "surrogatepass")),
            document.latin_share,
            sum(lengths),
        )

    @property
    def texts(self) -> list[TokenIds]:
        """All that must be encoded."""
        numbers = np.frombuffer(self.ids.read(), np.int32)
        first = 1 + int(numbers[0])
        ends = first + np.concatenate([[0], np.cumsum(numbers[1:first])])
        return [tuple(numbers[start:end].tolist()) for start, end in pairwise(ends.tolist())]

    @property
    def document(self) -> Document:
        """What the bundle reads of it."""
        return Document(self.redacted.read().decode("utf-8", "surrogatepass"), self.latin_share)


@dataclass(frozen=True)
class TokenizedSet:
    """The documents of a set as one bundle reads them, in their order.

    `unreadable_resumes`, `unreadable_postings`: number to why; they have a None in the lists.
    `repeating`: pairs (resume, posting) in which the resume holds the posting's text.
    """

    jobs: list[TokenizedJob | None]
    resumes: list[KeptResume | None]
    unreadable_postings: dict[int, str]
    unreadable_resumes: dict[int, str]
    repeating: list[tuple[int, int]]


@dataclass(frozen=True)
class ReadSet:
    """A `TokenizedSet` of readable documents alone."""

    jobs: list[TokenizedJob]
    resumes: list[KeptResume]

    @property
    def tokens(self) -> int:
        """Of all documents, each once: a passage that several of them share counts for each."""
        of_jobs = sum(len(ids) for job in self.jobs for ids in job.texts)
        return of_jobs + sum(resume.tokens for resume in self.resumes)

    def sample(self) -> list[TokenIds]:
        """Passages of some documents."""
        documents: list[TokenizedJob | KeptResume] = [*self.jobs, *self.resumes]
        some = documents[:: max(1, len(documents) // _SAMPLE)][:_SAMPLE]
        return list(dict.fromkeys(ids for document in some for ids in document.texts))


def tokenize(matcher: Matcher, data: LabelledSet, *, redact: bool, progress: Progress) -> TokenizedSet:
    """Read all documents as the service does, redacted unless `redact` is false; what it refuses is named."""
    total = len(data.postings) + len(data.resumes)
    found = TokenizedSet([], [], {}, {}, [])
    store = Store()
    for number, posting in enumerate(data.postings):
        progress("reading texts", number, total)
        try:
            found.jobs.append(matcher.tokenize_job(posting.text, posting.title, title_field="title"))
        except InputError as error:
            found.jobs.append(None)
            found.unreadable_postings[number] = reason_of(error)
    runs = RunsOfPostings([frozenset() if job is None else job.runs for job in found.jobs])
    for number, resume in enumerate(data.resumes):
        progress("reading texts", len(data.postings) + number, total)
        try:
            read, repeated = matcher.tokenize_resume_for(resume.text, runs, redact=redact)
        except InputError as error:
            found.resumes.append(None)
            found.unreadable_resumes[number] = reason_of(error)
            continue
        found.resumes.append(KeptResume.of(read, store))
        found.repeating.extend((number, posting) for posting in repeated)
    progress("reading texts", total, total)
    return found


def reason_of(error: InputError) -> str:
    """Why a document was refused, all reasons in one line."""
    return "; ".join(one.message for one in error.errors) if isinstance(error, InputErrors) else error.message


def seconds_a_token(loaded: LoadedModel, passages: Sequence[TokenIds]) -> float:
    """How long the engine takes for a token, by a sample of the passages."""
    ordered = sorted(passages, key=len)
    sample = ordered[:: max(1, len(ordered) // _SAMPLE)][:_SAMPLE]
    loaded.engine.embed(sample[:8])  # the first call of an engine prepares things
    before = time.perf_counter()
    loaded.engine.embed(sample)
    return (time.perf_counter() - before) / sum(map(len, sample))


class _Encoding:
    """Encodes documents of one bundle and tells how far it is, in tokens."""

    def __init__(self, loaded: LoadedModel, total: int, progress: Progress, doing: str) -> None:
        self._loaded, self._total, self._progress, self._doing = loaded, total, progress, doing
        self._done = 0

    def vectors_of(self, documents: Sequence[Sequence[TokenIds]]) -> list[Vectors]:
        """Of each document the vectors of its texts; every text once, those of a length together."""
        ordered = sorted(dict.fromkeys(ids for texts in documents for ids in texts), key=len)
        vectors: list[Vectors] = []
        start = 0
        while start < len(ordered):
            end, tokens = start, 0
            while end < len(ordered) and (end == start or tokens + len(ordered[end]) <= _TOKENS_AT_ONCE):
                tokens += len(ordered[end])
                end += 1
            vectors.append(self._loaded.engine.embed(ordered[start:end]))
            start = end
        self._done += sum(len(ids) for texts in documents for ids in texts)
        self._progress(self._doing, min(self._done, self._total), self._total)
        encoded = EncodedTexts(np.concatenate(vectors), {ids: i for i, ids in enumerate(ordered)})
        return [encoded.of(texts) for texts in documents]


def score_with_bundle(
    matcher: Matcher, loaded: LoadedModel, read: ReadSet, data: LabelledSet, name: str, progress: Progress
) -> SystemScores:
    """Scores, probabilities and decisions of all pairs, exactly as the service gives them.

    `loaded`: encodes in the place of the bundle's own encoder, if it is another.
    """
    scores, probabilities = np.empty(len(data)), np.empty(len(data))
    selected = np.empty(len(data), np.bool_)
    encoding = _Encoding(loaded, read.tokens, progress, f"encoding for {name}")
    of_jobs = encoding.vectors_of([job.texts for job in read.jobs])
    jobs = [matcher.prepared(job, vectors) for job, vectors in zip(read.jobs, of_jobs, strict=True)]
    for start, pairs in data.blocks_of_resumes(RESUMES_AT_ONCE):
        block = read.resumes[start : start + RESUMES_AT_ONCE]
        of_block = encoding.vectors_of([resume.texts for resume in block])
        resumes = [matcher.scorer.resume(vectors) for vectors in of_block]
        for rows, found in _scored(matcher, jobs, resumes, data, start, pairs):
            scores[rows] = found
            job = read.jobs[int(data.pair_postings[rows[0]])]
            matches = [matcher.decide(score, job) for score in found.tolist()]
            probabilities[rows] = [match.calibrated_probability for match in matches]
            selected[rows] = [match.selected for match in matches]
    return SystemScores(name, "bundle", matcher.bundle.makeup, scores, probabilities, selected)


def _scored(
    matcher: Matcher,
    jobs: Sequence[PreparedJob],
    resumes: Sequence[PreparedResume],
    data: LabelledSet,
    start: int,
    pairs: Indexes,
) -> Iterator[tuple[Indexes, Floats]]:
    """The pairs of each posting in one block, and their scores; `start`: number of its first resume.

    Postings that have the same resumes are scored together.
    """
    ends = np.flatnonzero(np.diff(data.pair_postings[pairs])) + 1
    by_resumes: dict[tuple[int, ...], list[Indexes]] = defaultdict(list)
    for rows in np.split(pairs, ends):
        by_resumes[tuple((data.pair_resumes[rows] - start).tolist())].append(rows)
    for numbers, of_postings in by_resumes.items():
        some = [resumes[number] for number in numbers]
        for first in range(0, len(of_postings), _POSTINGS_AT_ONCE):
            together = of_postings[first : first + _POSTINGS_AT_ONCE]
            postings = [jobs[int(data.pair_postings[rows[0]])] for rows in together]
            yield from zip(together, matcher.scorer.scores(postings, some), strict=True)


def postings_of(matcher: Matcher, data: LabelledSet) -> list[Document]:
    """Postings with their titles, each as one text: what baselines read of them."""
    return [
        matcher.read(
            posting.text if posting.title is None else f"{posting.title}\n\n{posting.text}",
            field="job",
            categories=None,
        ).document
        for posting in data.postings
    ]


def one_vector_scores(
    loaded: LoadedModel, postings: Sequence[Document], read: ReadSet, data: LabelledSet, progress: Progress
) -> Floats:
    """Cosine of one vector a document, (N,), cut off at the model's length, as `/v1/embed` does it."""
    tokenizer = loaded.tokenizer
    encoding = _Encoding(loaded, read.tokens, progress, "encoding whole texts")
    jobs = [[tokenizer.encode_text(document, "job", field="job").ids] for document in postings]
    of_postings = np.concatenate(encoding.vectors_of(jobs))
    scores = np.empty(len(data))
    for start, pairs in data.blocks_of_resumes(RESUMES_AT_ONCE):
        block = [resume.document for resume in read.resumes[start : start + RESUMES_AT_ONCE]]
        people = [[tokenizer.encode_text(document, "resume", field="resume").ids] for document in block]
        of_resumes = np.concatenate(encoding.vectors_of(people))
        for first in range(0, len(pairs), _PAIRS_AT_ONCE):
            rows = pairs[first : first + _PAIRS_AT_ONCE]
            one, other = of_postings[data.pair_postings[rows]], of_resumes[data.pair_resumes[rows] - start]
            # Pair by pair: a product of whole matrices rounds by their shapes, and so by the block.
            scores[rows] = np.matmul(one[:, None], other[..., None])[:, 0, 0]
    progress("encoding whole texts", read.tokens, read.tokens)
    return scores


def is_plain(bundle: Bundle) -> bool:
    """Whether the bundle is its base model, without adapter and eraser."""
    return not bundle.manifest.has_adapter and bundle.eraser is None
