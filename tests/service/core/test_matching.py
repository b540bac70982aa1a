from __future__ import annotations

from pathlib import Path

import pytest

from service.core.bundle import Bundle
from service.core.errors import TextTooLongError
from service.core.matching import Matcher
from service.core.scoring import late_interaction
from service.core.tokenization import TextTokenizer
from tests.support.bundles import CURVE
from tests.support.fakes import FakeEngine


@pytest.fixture
def matcher(tiny_bundle: Bundle, bge_like: Path) -> Matcher:
    tokenizer = TextTokenizer.load(bge_like / "tokenizer.json", tiny_bundle.manifest)
    return Matcher(tiny_bundle, tokenizer, max_characters=1000)


def test_the_title_is_encoded_before_the_passages(matcher: Matcher) -> None:
    job = matcher.tokenize_job("build the service", "backend engineer")
    assert job.title is not None
    assert job.texts == [job.title, *(passage.ids for passage in job.passages)]
    assert matcher.tokenize_job("build the service", None).title is None


def test_a_match_goes_through_score_calibration_and_threshold(matcher: Matcher) -> None:
    engine = FakeEngine()
    job = matcher.tokenize_job("build the backend service in python", "backend engineer")
    resume = matcher.tokenize_resume("engineer of a backend service in python")
    job_vectors, resume_vectors = engine.embed(job.texts), engine.embed(resume.texts)
    match = matcher.match(job, job_vectors, resume_vectors)
    raw = late_interaction(job_vectors[1:], resume_vectors, job_vectors[0], matcher.bundle.manifest.matching)
    assert match.raw_score == raw
    assert match.calibrated_probability == CURVE.probability(raw)
    assert match.selected is (match.calibrated_probability >= 0.6)
    assert match.borderline is (0.5 <= match.calibrated_probability <= 0.7)


@pytest.mark.parametrize("title", ["t" * 201, "a b c " * 20])
def test_a_title_beyond_its_limit_is_refused(matcher: Matcher, title: str) -> None:
    with pytest.raises(TextTooLongError) as caught:
        matcher.tokenize_job("python", title)
    assert caught.value.field == "job.title"
