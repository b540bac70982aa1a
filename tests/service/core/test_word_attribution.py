from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from service.core.bundle import Bundle, read_bundle, write_bundle
from service.core.concept_eraser import ConceptEraser
from service.core.encoder import load_encoder
from service.core.errors import EngineUnavailableError, InputError
from service.core.integrated_gradients import integrated_gradients, late_interaction_of
from service.core.manifest import Prefixes
from service.core.passages import PassagePolicy
from service.core.scoring import MatchPolicy, late_interaction
from service.core.tokenization import TextTokenizer
from service.core.word_attribution import MOST_PASSAGES, MOST_STEPS, WordAttributor
from service.runtime.options import BUNDLES
from tests.support.bundles import write_test_bundle
from tests.support.erasers import random_eraser

JOB = "build the backend service of the payment team in python"
RESUME = """Jane Roe
jane.roe@example.org

senior engineer, built python software and the payment service.
- nurse of the surgical ward; care of the patient
- warehouse team

java database design, backend service"""


@pytest.fixture(scope="module")
def erasing(bge_like: Path, adapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    eraser: ConceptEraser = random_eraser(32)
    place = tmp_path_factory.mktemp("bundles")
    whole = write_test_bundle(place / "whole", str(bge_like), adapter=adapter, eraser=eraser)
    parts: dict[str, Any] = {
        "calibration.json": whole.calibration,
        "decision.json": whole.decision,
        "probes.json": whole.reference_vectors,
    }
    passages = PassagePolicy(words=10, layout=True)
    manifest = whole.manifest.model_copy(update={"passages": passages})
    return write_bundle(place / "erasing", manifest, parts, adapter=adapter, eraser=eraser)


@pytest.fixture(scope="module")
def attributor(erasing: Bundle) -> WordAttributor:
    return WordAttributor(erasing, device="cpu")


@pytest.mark.parametrize(
    "policy",
    [
        MatchPolicy(),
        MatchPolicy(temperature=16.0, resume_share=0.5),
        MatchPolicy(temperature=1000.0, title_passages=50, resume_share=0.3),
    ],
)
@pytest.mark.parametrize("passages", [1, 7])
def test_the_interaction_is_that_of_the_service(policy: MatchPolicy, passages: int) -> None:
    rng = np.random.default_rng(passages)
    vectors = rng.standard_normal((4 + passages, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    title, job, resume = vectors[0], vectors[1:4], vectors[4:]
    for given in (None, title):
        ours = late_interaction_of(
            torch.from_numpy(job),
            torch.from_numpy(resume),
            None if given is None else torch.from_numpy(given),
            policy,
        )
        assert float(ours) == pytest.approx(late_interaction(job, resume, given, policy), abs=2e-6)


def test_contributions_are_those_of_a_plain_riemann_sum(bge_like: Path, erasing: Bundle) -> None:
    """A second implementation: embeddings go in by `inputs_embeds`, one point of the path at a time."""
    encoder = load_encoder(bge_like, "cls", erasing.adapter_path, erasing.eraser).requires_grad_(False)
    target = torch.nn.functional.normalize(torch.arange(1.0, 33.0), dim=0)
    sequences = [(2, 8, 9, 30, 3), (2, 12, 3)]
    replaced = [[False, True, True, True, False], [False, True, False]]

    def function(vectors: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(12 * (vectors @ target), dim=0)

    found = integrated_gradients(encoder, sequences, replaced, 4, function, steps=48)
    backbone: Any = encoder.backbone
    embed = backbone.get_input_embeddings()
    ends = [embed(torch.tensor([ids])) for ids in sequences]
    starts = [
        embed(torch.tensor([[4 if away else one for one, away in zip(row, flags, strict=True)]]))
        for row, flags in zip(sequences, replaced, strict=True)
    ]
    points = 100
    sums = [torch.zeros(len(ids)) for ids in sequences]
    for i in range(points):
        a = (i + 0.5) / points
        at = [(s + a * (e - s)).requires_grad_() for s, e in zip(starts, ends, strict=True)]
        units = []
        for embeddings in at:
            mask = torch.ones(embeddings.shape[:2], dtype=torch.long)
            hidden = backbone(inputs_embeds=embeddings, attention_mask=mask)[0][:, 0]
            assert encoder.eraser is not None
            units.append(encoder.eraser(torch.nn.functional.normalize(hidden, dim=-1)))
        gradients = torch.autograd.grad(function(torch.cat(units)), at)
        for total, gradient, s, e in zip(sums, gradients, starts, ends, strict=True):
            total += ((e - s) * gradient).sum(-1)[0] / points
    for ours, oracle in zip(found.attributions, sums, strict=True):
        np.testing.assert_allclose(ours, oracle.numpy(), atol=0.01)
    added = sum(float(one.sum()) for one in found.attributions)
    assert abs(found.value - found.baseline) > 0.1
    assert added == pytest.approx(found.value - found.baseline, abs=5e-3)
    assert [one[0] for one in found.attributions] == [0.0, 0.0]  # [CLS] stays as it is


@pytest.mark.parametrize("title", [None, "python engineer"])
def test_words_add_up_to_the_score_less_the_masked_one(attributor: WordAttributor, title: str | None) -> None:
    found = attributor.explain(JOB, RESUME, title=title, passages=20, steps=128)
    total = sum(word.contribution for word in found.words)
    difference = found.raw_score - found.baseline_score
    assert abs(difference) > 0.01
    assert total == pytest.approx(difference, abs=max(0.03 * abs(difference), 1e-3))
    assert found.residual == pytest.approx(difference - total, abs=1e-4)
    assert sum(passage.contribution for passage in found.passages) == pytest.approx(total)


def test_words_are_whole_and_stand_where_they_are_said_to(attributor: WordAttributor) -> None:
    found = attributor.explain(JOB, RESUME, passages=20, steps=4)
    words = [word for passage in found.passages for word in passage.words]
    assert [found.text[word.start : word.end] for word in words] == [word.text for word in words]
    assert [word.text for word in words] == [word for word in found.text.split() if word != "-"]
    # "surgical" is one token, "nurse" too, "Roe" would be three: no pieces of words come out.
    assert {"payment", "service.", "surgical", "ward;"} <= {word.text for word in words}
    starts = [word.start for word in words]
    assert starts == sorted(set(starts))


def test_names_never_appear_and_what_is_hidden_is_told(attributor: WordAttributor) -> None:
    found = attributor.explain(JOB, RESUME, passages=20, steps=4)
    said = f"{found}".lower()
    assert "jane" not in said
    assert "roe" not in said
    hidden = {word.text: word.hidden for word in found.words if word.hidden is not None}
    assert hidden == {"[NAME]": "name", "[EMAIL]": "email"}


def test_json_is_explained_by_its_values(attributor: WordAttributor) -> None:
    resume = json.dumps(
        {
            "basics": {"name": "Jane Roe"},
            "work": [{"summary": "built python software", "position": "engineer"}],
        }
    )
    found = attributor.explain(JOB, resume, passages=20, steps=4)
    assert "python" in {word.text for word in found.words}
    assert all(found.text[word.start : word.end] == word.text for word in found.words)
    assert "{" not in found.text
    assert "Jane" not in found.text


def test_the_passages_without_which_the_score_would_change_most_are_looked_into(
    attributor: WordAttributor,
) -> None:
    every = attributor.explain(JOB, RESUME, passages=20, steps=2).passages
    assert len(every) > 2
    some = attributor.explain(JOB, RESUME, passages=2, steps=2).passages
    largest = sorted(every, key=lambda one: -abs(one.occlusion or 0.0))[:2]
    assert {one.index for one in some} == {one.index for one in largest}
    assert [one.index for one in some] == sorted(one.index for one in some)
    assert {one.job_text for one in some} == {JOB}
    assert len(attributor.explain(JOB, RESUME, steps=2).passages) == 3


def test_a_resume_of_one_passage_is_explained(attributor: WordAttributor) -> None:
    (passage,) = attributor.explain(JOB, "built the python payment service", steps=2).passages
    assert passage.occlusion is None
    assert [word.text for word in passage.words] == ["built", "the", "python", "payment", "service"]


def test_a_word_longer_than_the_model_takes_is_explained_in_parts(attributor: WordAttributor) -> None:
    found = attributor.explain(JOB, "python service backend team\n" + "x" * 90, passages=20, steps=2)
    parts = [word for word in found.words if set(word.text) == {"x"}]
    assert sum(len(word.text) for word in parts) == 90
    assert len(parts) > 1


def test_equal_calls_give_equal_words(attributor: WordAttributor) -> None:
    assert attributor.explain(JOB, RESUME, steps=3) == attributor.explain(JOB, RESUME, steps=3)


@pytest.mark.parametrize(
    ("field", "given", "limit"),
    [
        ("passages", 0, MOST_PASSAGES),
        ("passages", MOST_PASSAGES + 1, MOST_PASSAGES),
        ("steps", 0, MOST_STEPS),
        ("steps", 10**9, MOST_STEPS),
    ],
)
def test_costs_are_limited(attributor: WordAttributor, field: str, given: int, limit: int) -> None:
    options: dict[str, Any] = {field: given}
    with pytest.raises(InputError, match=f"{field} must be 1 to {limit}, not {given}") as caught:
        attributor.explain(JOB, RESUME, **options)
    assert (caught.value.field, caught.value.limit, caught.value.actual) == (field, limit, given)


def test_without_torch_it_is_refused_in_words(erasing: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    with pytest.raises(EngineUnavailableError, match=r"needs gradients and so torch, .* evenmatch\[torch\]"):
        WordAttributor(erasing)


def test_nothing_of_a_text_is_logged(attributor: WordAttributor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    attributor.explain(JOB, RESUME, steps=2)
    assert not [record for record in caplog.records if "payment" in record.getMessage()]


def test_places_leave_out_special_tokens_and_the_prefix(bge_like: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = TextTokenizer(
        Tokenizer.from_file(str(bge_like / "tokenizer.json")),
        max_tokens=64,
        prefixes=Prefixes(resume="represent this: "),
        passages=PassagePolicy(),
    )
    from service.core.documents import read_document

    document = read_document("nurse roe", field="resume")
    (passage,) = tokenizer.encode_passages(document, "resume", field="resume")
    places = tokenizer.places(passage, "resume")
    assert len(places) == len(passage.ids)
    assert [place for place in places if place is not None] == [(0, 5), (6, 7), (7, 8), (8, 9)]
    assert places[0] is None
    assert places[-1] is None
    assert tokenizer.mask_id == 4


@pytest.mark.slow
def test_skills_that_the_job_asks_for_outrank_filler_words() -> None:
    attributor = WordAttributor(read_bundle(BUNDLES / "minilm-fair"), device="cpu")
    found = attributor.explain(
        "We look for a backend engineer. You will run services in Python and PostgreSQL on Kubernetes.",
        "Maria Gonzalez\nmaria@example.com\n\n"
        "Built payment services in Python and PostgreSQL, and she kept them on Kubernetes for twelve firms."
        "\n\nLikes hiking, and in the evenings often cooks for the neighbours.",
        title="Backend engineer",
        passages=4,
    )
    (work,) = (one for one in found.passages if "Python" in {word.text for word in one.words})
    assert work.contribution > 10 * max(
        abs(one.contribution) for one in found.passages if one.index != work.index
    )
    by_word = {word.text.strip(".,"): word.contribution for word in work.words}
    filler = [by_word[word] for word in ("in", "and", "them", "on", "for")]
    skills = [by_word[word] for word in ("Python", "PostgreSQL", "Kubernetes")]
    assert min(skills) > 0
    assert np.mean(skills) > 3 * np.mean(filler)
    assert min(by_word["PostgreSQL"], by_word["Kubernetes"]) > 2 * max(filler)
    hidden = {word.text: word.hidden for word in found.words if word.hidden is not None}
    assert hidden == {"[NAME]": "name", "[EMAIL]": "email", "[PRONOUN]": "pronoun"}
    assert abs(found.residual) <= 0.02 * (found.raw_score - found.baseline_score)
