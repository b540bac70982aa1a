"""Pairs of texts -> raw scores, by the reloaded bundle and in the service's own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.core.engines.engine import Engine, EngineInfo
from service.core.engines.loading import LoadedModel
from service.core.groups import UNKNOWN
from service.core.matching import Matcher, TokenizedJob, TokenizedResume
from service.core.tokenization import TokenIds
from service.core.vectors import Vectors
from training.evaluation.scored_pairs import Floats, ScoredPairs


class Pair(Protocol):
    """A resume and a job."""

    @property
    def job_id(self) -> str: ...
    @property
    def title(self) -> str | None: ...
    @property
    def description(self) -> str: ...
    @property
    def resume_id(self) -> str: ...
    @property
    def resume(self) -> str: ...


class LabelledExample(Pair, Protocol):
    """A pair whose outcome and, where known, the person's groups are on record.

    `true_label` is the label before a known bias was put into it, None if there was none.
    """

    @property
    def label(self) -> int: ...
    @property
    def true_label(self) -> int | None: ...
    @property
    def groups(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class EncodedTexts:
    """Vectors of distinct passages, each encoded once: (U, D), with the row of each."""

    vectors: Vectors
    rows: Mapping[TokenIds, int]

    def of(self, texts: Sequence[TokenIds]) -> Vectors:
        """Vectors of `texts` in their order, (T, D)."""
        return self.vectors[[self.rows[ids] for ids in texts]]


class RememberingEngine:
    """An engine that encodes every text once: splits and audits of one evaluation share most of theirs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[TokenIds, NDArray[np.float32]] = {}

    @property
    def info(self) -> EngineInfo:
        return self._engine.info

    def embed(self, batch: Sequence[TokenIds]) -> Vectors:
        """Unit vectors of `batch`, (B, D)."""
        new = [ids for ids in dict.fromkeys(batch) if ids not in self._known]
        if new:
            self._known |= dict(zip(new, self._engine.embed(new), strict=True))
        return np.stack([self._known[ids] for ids in batch])

    def close(self) -> None:
        self._known.clear()
        self._engine.close()


def encode_distinct(
    loaded: LoadedModel, jobs: Sequence[TokenizedJob], resumes: Sequence[TokenizedResume]
) -> EncodedTexts:
    """Encode every distinct passage of the jobs and resumes once."""
    texts: list[TokenIds] = [ids for job in jobs for ids in job.texts]
    texts += [ids for resume in resumes for ids in resume.texts]
    unique = list(dict.fromkeys(texts))
    return EncodedTexts(loaded.engine.embed(unique), {ids: i for i, ids in enumerate(unique)})


def score_pairs(
    matcher: Matcher, loaded: LoadedModel, pairs: Sequence[Pair], *, redact: bool = True
) -> Floats:
    """raw_score of every pair, (N,), in [-1, 1]; each distinct text is redacted and encoded once.

    Raises an `InputError` for a text that is empty, too long or unreadable.
    """
    jobs = {
        (description, title): matcher.tokenize_job(description, title)
        for description, title in dict.fromkeys((pair.description, pair.title) for pair in pairs)
    }
    resumes = {
        text: matcher.tokenize_resume(text, redact=redact)
        for text in dict.fromkeys(pair.resume for pair in pairs)
    }
    encoded = encode_distinct(loaded, list(jobs.values()), list(resumes.values()))
    prepared_jobs = {key: matcher.prepared(job, encoded.of(job.texts)) for key, job in jobs.items()}
    prepared = {text: matcher.scorer.resume(encoded.of(resume.texts)) for text, resume in resumes.items()}
    return np.array(
        [
            matcher.scorer.score(prepared_jobs[pair.description, pair.title], prepared[pair.resume])
            for pair in pairs
        ],
        dtype=np.float64,
    )


def score_examples(
    matcher: Matcher, loaded: LoadedModel, examples: Sequence[LabelledExample], *, redact: bool = True
) -> ScoredPairs:
    """Score labelled examples. `true_labels` are kept if every example has one."""
    true_labels = [example.true_label for example in examples]
    known = [label for label in true_labels if label is not None]
    attributes = dict.fromkeys(name for example in examples for name in example.groups)
    return ScoredPairs(
        raw_scores=score_pairs(matcher, loaded, examples, redact=redact),
        labels=np.array([example.label for example in examples], dtype=np.int64),
        jobs=[example.job_id for example in examples],
        resumes=[example.resume_id for example in examples],
        titled=np.array([example.title is not None for example in examples], dtype=np.bool_),
        groups={name: [_known(example.groups.get(name)) for example in examples] for name in attributes},
        true_labels=np.array(known, dtype=np.int64) if len(known) == len(examples) else None,
    )


def _known(group: str | None) -> str | None:
    return None if group == UNKNOWN else group
