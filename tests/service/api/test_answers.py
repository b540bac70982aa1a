"""Answers of `/v1/score` as they are kept."""

from __future__ import annotations

from uuid import UUID

from service.api.answers import pack, unpack
from service.api.schemas.files import DocumentOut
from service.api.schemas.score import (
    CandidateIn,
    JobIn,
    PassageOut,
    ScoreRequest,
    ScoreResponse,
    ScoreResult,
    ScoringModel,
)
from service.core.redaction.policy import CATEGORIES
from service.core.resume_warnings import RESUME_WARNINGS

CANDIDATES = 200


def answered(*, redactions: int, passages: list[PassageOut] | None = None) -> ScoreResponse:
    """The answer to `asked`, with so many categories of redactions in each resume."""
    return ScoreResponse(
        model=ScoringModel(bundle="minilm-fair", version="1.0.0", engine="openvino", precision="bf16"),
        job_id="req-17",
        threshold=0.13419,
        redact=False,
        warnings=["not_english"],
        results=[
            ScoreResult(
                candidate_id=f"c-{i}",
                decision_id=str(UUID(int=i)),
                raw_score=-0.123456,
                calibrated_probability=0.1 + 0.2,  # needs all its digits
                decision="not_selected",
                borderline=i % 2 == 0,
                truncated=False,
                language="und",
                warnings=list(RESUME_WARNINGS) if redactions > 4 else [],
                redactions=dict.fromkeys(CATEGORIES[:redactions], 120),
                explanation=passages,
            )
            for i in range(CANDIDATES)
        ],
    )


def asked() -> ScoreRequest:
    candidates = [CandidateIn(id=f"c-{i}", resume="Zaphod") for i in range(CANDIDATES)]
    return ScoreRequest(job=JobIn(id="req-17", description="x"), candidates=candidates, redact=False)


def test_an_answer_comes_back_as_it_was_but_for_passages() -> None:
    passage = PassageOut(text="Zaphod Beeblebrox", contribution=0.1, job_passage=0, similarity=0.2)
    content = pack(answered(redactions=3, passages=[passage]), "b" * 64)
    assert "Zaphod" not in content
    answer, bundle_digest = unpack(content, asked())
    assert answer == answered(redactions=3)
    assert bundle_digest == "b" * 64


def test_what_was_read_of_documents_comes_back() -> None:
    document = DocumentOut(type="pdf", pages=2, characters=3_000, warnings={"two_columns": 1})
    given = answered(redactions=3)
    given.job_document = given.results[1].document = document
    assert unpack(pack(given, "b" * 64), asked())[0] == given


def test_an_answer_takes_what_the_documentation_says() -> None:
    assert 20_000 < len(pack(answered(redactions=4), "b" * 64)) < 31_000
    assert len(pack(answered(redactions=len(CATEGORIES)), "b" * 64)) < 550 * CANDIDATES
