"""Cohorts for tests, of random vectors."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from service.core.bundle import Bundle
from service.core.cohort import CohortPolicy, Posting, References
from service.core.cohort_file import CohortMaking, CohortRedaction, CountedTexts

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
SMALL = CohortPolicy(top_resumes=3, minimum_resumes=6, minimum_postings=4, coverage=0.0)


def random_references(bundle: Bundle, resumes: int = 12, postings: int = 22) -> References:
    """Texts of one to five passages; every third posting has no title."""
    chance = np.random.default_rng(7)

    def text() -> NDArray[np.float32]:
        made = chance.standard_normal((int(chance.integers(1, 6)), bundle.manifest.base_model.dimensions))
        return np.asarray((made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32))

    titled: list[Posting] = [(text(), text()[0] if i % 3 else None) for i in range(postings)]
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
        counted(len(of.postings), sum(len(body) for body, _ in of.postings)),
        MADE,
    )


def counted(texts: int, passages: int) -> CountedTexts:
    return CountedTexts(used=texts, passages=passages, given=texts, sources={"table": texts})
