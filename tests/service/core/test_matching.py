from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.calibration import PlattCurve
from service.core.copied_text import RunsOfPostings
from service.core.errors import InputError, TextTooLongError
from service.core.matching import Matcher, posting_of
from service.core.scoring import late_interaction
from service.core.tokenization import TextTokenizer
from tests.support.bundles import CURVE
from tests.support.fakes import FakeEngine

POSTING = (
    "We are looking for a registered nurse who plans the care of twelve patients of a surgical ward, hands "
    "out medication by the chart, teaches two students each term and writes the rota for the coming month."
)


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


def test_a_job_is_decided_by_the_curve_of_jobs_with_or_without_a_title(
    tiny_bundle: Bundle, bge_like: Path
) -> None:
    other = PlattCurve(slope=10.0, intercept=-1.0)
    calibration = tiny_bundle.calibration.model_copy(update={"without_title": other})
    tokenizer = TextTokenizer.load(bge_like / "tokenizer.json", tiny_bundle.manifest)
    matcher = Matcher(replace(tiny_bundle, calibration=calibration), tokenizer)
    text = "build the backend service in python"
    titled, untitled = matcher.tokenize_job(text, "backend engineer"), matcher.tokenize_job(text, None)
    assert matcher.decide(0.3, titled).calibrated_probability == CURVE.probability(0.3)
    assert matcher.decide(0.3, untitled).calibrated_probability == other.probability(0.3)


def test_a_posting_that_says_too_little_makes_every_decision_borderline(matcher: Matcher) -> None:
    job = matcher.tokenize_job("build the backend service in python", "backend engineer")
    # 1 / (1 + exp(-(10 x - 5))): 0.98 and 0.62 at these scores; borderline is 0.5 to 0.7.
    for little, score, borderline in [
        (False, 0.9, False),
        (True, 0.9, True),
        (False, 0.55, True),
        (True, 0.55, True),
    ]:
        assert matcher.decide(score, replace(job, is_little=little)).borderline is borderline


@pytest.mark.parametrize("title", ["t" * 201, "a b c " * 20])
def test_a_title_beyond_its_limit_is_refused(matcher: Matcher, title: str) -> None:
    with pytest.raises(TextTooLongError, match=r"^job\.title has (more than|\d+)") as caught:
        matcher.tokenize_job("python", title)
    assert caught.value.field == "job.title"


def test_a_posting_is_called_a_job_unless_it_has_a_name(matcher: Matcher) -> None:
    given: list[tuple[str, dict[str, Any]]] = [("job", {}), ("posting", {"field": "posting"})]
    for text in ("x" * 1_001, " \n"):
        for named, more in given:
            with pytest.raises(InputError, match=f"^{named} ") as caught:
                matcher.tokenize_job(text, None, **more)
            assert caught.value.field == named


def test_a_posting_that_says_too_little_is_known_as_such(matcher: Matcher) -> None:
    assert matcher.tokenize_job("cook", None).is_little is True
    assert matcher.tokenize_job(POSTING, "nurse").is_little is False


def test_passages_are_weighed_only_if_the_bundle_tells_boilerplate(
    matcher: Matcher, tiny_bundle: Bundle, bge_like: Path
) -> None:
    assert tiny_bundle.manifest.matching.boilerplate is False
    text = f"{POSTING}\nWe offer a competitive salary, 25 days' annual leave and a pension scheme."
    assert matcher.tokenize_job(text, "nurse").shares is None
    matching = tiny_bundle.manifest.matching.model_copy(update={"boilerplate": True})
    manifest = tiny_bundle.manifest.model_copy(update={"matching": matching})
    tokenizer = TextTokenizer.load(bge_like / "tokenizer.json", manifest)
    telling = Matcher(replace(tiny_bundle, manifest=manifest), tokenizer).tokenize_job(text, "nurse")
    assert telling.shares is not None
    assert len(telling.shares) == len(telling.passages)
    assert min(telling.shares) < 1


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


def test_what_a_document_tells_is_added_to_what_was_counted(matcher: Matcher) -> None:
    read = matcher.tokenize_resume("nurse of the surgical ward, University of Leeds, 2012").read
    once = read.with_more({"hidden_text": 2, "repeats_posting": 0})
    assert once.warnings == (*read.warnings, "hidden_text")
    assert once.warning_counts == {**read.warning_counts, "hidden_text": 2}
    again = once.with_more({"hidden_text": 3})
    assert (again.warnings, again.warning_counts["hidden_text"]) == (once.warnings, 5)


def test_a_resume_that_repeats_its_posting_says_so_and_how_many_words(matcher: Matcher) -> None:
    job = matcher.tokenize_job(POSTING, "nurse")
    text = f"Experience\nNurse at the City Hospital since 2019.\n{POSTING}"
    read = matcher.tokenize_resume(text, job=job).read
    assert "repeats_posting" in read.warnings
    assert read.warning_counts["repeats_posting"] == len(POSTING.split())
    for other in (matcher.tokenize_resume(text), matcher.tokenize_resume("nurse of the ward", job=job)):
        assert "repeats_posting" not in other.read.warnings


@pytest.mark.parametrize("redact", [True, False])
def test_reading_a_resume_is_what_tokenizing_it_reads(matcher: Matcher, redact: bool) -> None:
    text = "Jane Doe\nShe is a nurse of the surgical ward, BSc, University of Leeds, 2012"
    tokenized = matcher.tokenize_resume(text, redact=redact)
    assert matcher.read_resume(text, redact=redact) == tokenized.read
    assert matcher.tokenize_read(tokenized.read) == tokenized
    if redact:
        assert matcher.read_resume(text) == matcher.tokenize_resume(text).read == tokenized.read
        assert matcher.tokenize_resume_for(text, RunsOfPostings([]))[0] == tokenized


def test_what_warnings_count_is_counted_without_redaction_too(matcher: Matcher) -> None:
    text = "Jane Doe\nNurse of the ward since 2019\n" + "python kubernetes " * 40
    redacted, bare = (matcher.tokenize_resume(text, redact=redact).read for redact in (True, False))
    assert redacted.warning_counts
    assert bare.warning_counts == redacted.warning_counts
    assert bare.language == redacted.language


def test_what_cannot_be_read_is_called_a_resume_unless_it_has_a_name(matcher: Matcher) -> None:
    reads: list[Callable[..., object]] = [
        matcher.read_resume,
        matcher.tokenize_resume,
        lambda text, **more: matcher.tokenize_resume_for(text, RunsOfPostings([]), **more),
    ]
    for read in reads:
        for named, more in (("resume", {}), ("candidates[3].resume", {"field": "candidates[3].resume"})):
            with pytest.raises(InputError) as caught:
                read("x" * 1_001, **more)
            assert caught.value.field == named


@pytest.mark.parametrize("title", ["nurse", None])
def test_a_posting_keeps_the_weights_of_its_passages(matcher: Matcher, title: str | None) -> None:
    shares = np.array([0.25])
    job = replace(matcher.tokenize_job("nurse of the surgical ward", title), shares=shares)
    vectors = FakeEngine().embed(job.texts)
    posting = posting_of(job, vectors)
    assert posting.shares is shares
    assert len(posting.body) == len(job.passages)
    assert (posting.title is None) is (title is None)
