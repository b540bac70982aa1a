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


def test_a_name_is_hidden_even_where_nothing_is_to_be_redacted(matcher: Matcher) -> None:
    text = "Jane Doe\nShe is a nurse of the surgical ward, BSc, University of Leeds, 2012"
    unredacted = matcher.tokenize_resume(text, redact=False).read
    assert unredacted.document.text == text.replace("Jane Doe", "[NAME]")
    assert unredacted.redactions is None
    other = text.replace("Jane Doe", "Lakisha Washington")
    assert (
        matcher.tokenize_resume(other, redact=False).texts
        == matcher.tokenize_resume(text, redact=False).texts
    )


def test_a_matcher_that_measures_the_encoder_keeps_names(matcher: Matcher, bge_like: Path) -> None:
    tokenizer = TextTokenizer.load(bge_like / "tokenizer.json", matcher.bundle.manifest)
    keeping = Matcher(matcher.bundle, tokenizer, keeps_names=True)
    text = "Jane Doe\nnurse of the surgical ward"
    assert keeping.tokenize_resume(text, redact=False).read.document.text == text
    assert keeping.tokenize_resume(text).texts == matcher.tokenize_resume(text).texts


def test_without_a_name_an_unredacted_text_is_read_as_it_stands(matcher: Matcher) -> None:
    text = "nurse of the surgical ward, University of Leeds, 2012"
    assert matcher.tokenize_resume(text, redact=False).read.document.text == text
