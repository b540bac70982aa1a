from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.core.bundle import Bundle
from service.core.engines.loading import LoadedModel
from service.core.errors import EmptyTextError
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from tests.support.fakes import FakeEngine
from tests.training.evaluation.examples import EXAMPLES, JOB, Labelled
from training.evaluation.scoring import RememberingEngine, score_examples, score_pairs


@pytest.fixture
def loaded(tiny_bundle: Bundle) -> LoadedModel:
    folder = Path(tiny_bundle.manifest.base_model.id)
    return LoadedModel(FakeEngine(), TextTokenizer.load(folder / "tokenizer.json", tiny_bundle.manifest))


def test_scores_are_the_services_own(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    matcher = Matcher(tiny_bundle, loaded.tokenizer)
    found = score_examples(matcher, loaded, EXAMPLES)
    for example, score, probability in zip(
        EXAMPLES, found.raw_scores, found.probabilities(tiny_bundle.calibration), strict=True
    ):
        job = matcher.tokenize_job(example.description, example.title)
        resume = matcher.tokenize_resume(example.resume)
        match = matcher.match(job, loaded.engine.embed(job.texts), loaded.engine.embed(resume.texts))
        assert score == pytest.approx(match.raw_score, abs=1e-6)
        assert probability == pytest.approx(match.calibrated_probability, abs=1e-4)


def test_every_passage_is_encoded_once(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    score_pairs(Matcher(tiny_bundle, loaded.tokenizer), loaded, EXAMPLES * 3)
    assert isinstance(loaded.engine, FakeEngine)
    (batch,) = loaded.engine.batches
    assert len(batch) == len(set(batch))


def test_a_remembering_engine_encodes_a_text_once_and_answers_the_same(
    tiny_bundle: Bundle, loaded: LoadedModel
) -> None:
    matcher = Matcher(tiny_bundle, loaded.tokenizer)
    expected = score_pairs(matcher, loaded, EXAMPLES)
    inner = FakeEngine()
    remembering = replace(loaded, engine=RememberingEngine(inner))
    for pairs in (EXAMPLES[:2], EXAMPLES, EXAMPLES):
        found = score_pairs(matcher, remembering, pairs)
        np.testing.assert_array_equal(found, expected[: len(pairs)])
    encoded = [ids for batch in inner.batches for ids in batch]
    assert len(encoded) == len(set(encoded))


def test_redaction_can_be_switched_off(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    matcher = Matcher(tiny_bundle, loaded.tokenizer)
    hidden, shown = (score_pairs(matcher, loaded, EXAMPLES, redact=redact) for redact in (True, False))
    assert not np.array_equal(hidden, shown)


def test_labels_groups_and_titles_are_kept(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    examples = [
        Labelled("a", None, JOB, "r1", "nurse", 1, None, {"sex": "female"}),
        Labelled("b", "nurse", JOB, "r2", "python", 0, 0, {"sex": "unknown", "age": "young"}),
        Labelled("b", "nurse", JOB, "r3", "java", 0, 0),
    ]
    found = score_examples(Matcher(tiny_bundle, loaded.tokenizer), loaded, examples)
    assert found.groups == {"sex": ["female", None, None], "age": [None, "young", None]}
    assert found.titled.tolist() == [False, True, True]
    assert found.true_labels is None  # of one example it is not known
    assert (list(found.jobs), list(found.resumes)) == (["a", "b", "b"], ["r1", "r2", "r3"])


def test_an_empty_text_is_refused(tiny_bundle: Bundle, loaded: LoadedModel) -> None:
    with pytest.raises(EmptyTextError):
        score_pairs(Matcher(tiny_bundle, loaded.tokenizer), loaded, [Labelled("a", None, JOB, "r", " ", 1)])
