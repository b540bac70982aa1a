from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.matching import Matcher, explain
from service.core.tokenization import TextTokenizer
from tests.support.fakes import FakeEngine


@pytest.fixture
def matcher(tiny_bundle: Bundle, bge_like: Path) -> Matcher:
    return Matcher(tiny_bundle, TextTokenizer.load(bge_like / "tokenizer.json", tiny_bundle.manifest))


def test_a_contribution_is_the_score_with_less_the_score_without(matcher: Matcher) -> None:
    engine = FakeEngine()
    posting = "build the backend service in python " * 8 + "\n" + "a nurse for the ward " * 10
    job = matcher.tokenize_job(posting, "backend engineer")
    resume = matcher.tokenize_resume("java " * 40 + "\n" + "python " * 40 + "\n" + "nurse " * 40)
    job_vectors, vectors = engine.embed(job.texts), engine.embed(resume.texts)
    assert len(job_vectors) > 2
    passages = explain(matcher, job, job_vectors, resume, vectors)
    assert [p.index for p in passages] == [0, 1, 2]
    whole = matcher.raw_score(job, job_vectors, vectors)
    for i, passage in enumerate(passages):
        without = matcher.raw_score(job, job_vectors, np.delete(vectors, i, axis=0))
        assert passage.contribution == pytest.approx(whole - without, abs=1e-6)
        cosines = vectors[i] @ job_vectors[1:].T
        assert passage.job_passage == int(np.argmax(cosines))
        assert passage.similarity == pytest.approx(float(cosines.max()), abs=1e-6)
    assert len({passage.job_passage for passage in passages}) > 1


def test_the_passage_that_matches_carries_the_score(matcher: Matcher) -> None:
    job = matcher.tokenize_job("python", None)
    resume = matcher.tokenize_resume("java " * 40 + "\n" + "python " * 40)
    job_vectors = np.array([[1.0, 0.0]], dtype=np.float32)
    vectors = np.array([[0.0, 1.0], [1.0, 0.0]], dtype=np.float32)
    first, second = explain(matcher, job, job_vectors, resume, vectors)
    assert first.contribution is not None
    assert second.contribution is not None
    assert second.contribution > 0.5 > 0 > first.contribution


def test_the_only_passage_has_no_contribution(matcher: Matcher) -> None:
    job, resume = matcher.tokenize_job("python", None), matcher.tokenize_resume("java")
    vectors = np.eye(1, 4, dtype=np.float32)
    (passage,) = explain(matcher, job, vectors, resume, vectors)
    assert passage.contribution is None
