"""Cohorts for tests, of random vectors."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.core.bundle import Bundle
from service.core.cohort import CohortPolicy, Posting, References
from service.core.cohort_file import CohortMaking, ReadCohort, write_cohort
from service.core.cohort_manifest import CohortRedaction, CountedTexts
from service.core.matching import Matcher, posting_of
from service.core.tokenization import TextTokenizer
from tests.support.fakes import FakeEngine

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
SMALL = CohortPolicy(top_resumes=3, minimum_resumes=6, minimum_postings=4, coverage=0.0)


def random_references(bundle: Bundle, resumes: int = 12, postings: int = 22) -> References:
    """Texts of one to five passages; every third posting has no title."""
    chance = np.random.default_rng(7)

    def text() -> NDArray[np.float32]:
        made = chance.standard_normal((int(chance.integers(1, 6)), bundle.manifest.base_model.dimensions))
        return np.asarray((made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32))

    titled: list[Posting] = [Posting(text(), text()[0] if i % 3 else None) for i in range(postings)]
    return References([text() for _ in range(resumes)], titled)


def making(bundle: Bundle, references: References | None = None) -> CohortMaking:
    """What is said of `random_references`, or of others."""
    of = references or random_references(bundle)
    redaction = bundle.manifest.redaction
    return CohortMaking(
        CohortRedaction(version=redaction.version, categories=redaction.categories),
        "openvino",
        "f32",
        SMALL,
        0,
        counted(len(of.resumes), sum(map(len, of.resumes))),
        counted(len(of.postings), sum(len(posting.body) for posting in of.postings)),
        MADE,
    )


def counted(texts: int, passages: int) -> CountedTexts:
    return CountedTexts(used=texts, passages=passages, given=texts, sources={"table": texts})


_WORDS = (
    *("python", "java", "payment", "service", "backend", "engineer", "database", "nurse", "patient", "care"),
    *(
        "surgical",
        "ward",
        "team",
        "clinic",
        "kitchen",
        "cook",
        "hotel",
        "sales",
        "client",
        "budget",
        "report",
    ),
    *("project", "design", "build", "manage"),
)


def words(seed: int, count: int = 30) -> str:
    """A text of no meaning, another for each seed."""
    return " ".join(random.Random(seed).choices(_WORDS, k=count))


def write_fake_cohort(folder: Path, bundle: Bundle, tokenizer: Path, titled: bool = True) -> ReadCohort:
    """A cohort of the fake engine: 12 resumes and 8 postings, all with a title or none."""
    engine, matcher = FakeEngine(), Matcher(bundle, TextTokenizer.load(tokenizer, bundle.manifest))
    resumes = [engine.embed(matcher.tokenize_resume(words(seed)).texts) for seed in range(12)]
    postings: list[Posting] = []
    for seed in range(100, 108):
        job = matcher.tokenize_job(words(seed), words(seed, 2) if titled else None)
        postings.append(posting_of(job, engine.embed(job.texts)))
    references = References(resumes, postings)
    return write_cohort(folder, bundle, references, making(bundle, references))
