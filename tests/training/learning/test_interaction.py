"""The differentiable late interaction is the one that the service scores with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from service.core.scoring import MatchPolicy, late_interaction
from training.learning.interaction import Passages, mean_vectors, raw_scores

_COUNTS = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(
    jobs=_COUNTS,
    resumes=_COUNTS,
    seed=st.integers(0, 1000),
    k=st.integers(1, 6),
    share=st.sampled_from([1.0, 0.5, 0.34]),
    focus=st.sampled_from([0.0, 4.0, 50.0]),
    titled=st.booleans(),
)
def test_scores_are_those_of_the_service(
    jobs: list[int], resumes: list[int], seed: int, k: int, share: float, focus: float, titled: bool
) -> None:
    rng = np.random.default_rng(seed)
    policy = MatchPolicy(title_passages=k, resume_share=share, title_focus=focus)
    vectors = rng.normal(size=(sum(jobs) + sum(resumes) + len(jobs), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = iter(range(len(vectors)))
    job_rows = [[next(rows) for _ in range(n)] for n in jobs]
    resume_rows = [[next(rows) for _ in range(n)] for n in resumes]
    title_rows = [next(rows) if titled else -1 for _ in jobs]

    scores = raw_scores(
        torch.tensor(vectors),
        Passages.of(job_rows),
        torch.tensor(title_rows),
        Passages.of(resume_rows),
        policy,
    )

    for j, job in enumerate(job_rows):
        for r, resume in enumerate(resume_rows):
            title = vectors[title_rows[j]] if titled else None
            expected = late_interaction(vectors[job], vectors[resume], title, policy)
            assert scores[j, r].item() == pytest.approx(expected, abs=5e-6)


def test_jobs_with_and_without_a_title_share_a_batch() -> None:
    vectors = torch.eye(4)
    both = raw_scores(
        vectors, Passages.of([[0], [0]]), torch.tensor([-1, 1]), Passages.of([[0, 1]]), MatchPolicy()
    )
    alone = raw_scores(vectors, Passages.of([[0]]), torch.tensor([-1]), Passages.of([[0, 1]]), MatchPolicy())
    assert both[0, 0] == alone[0, 0]
    assert both[1, 0] != both[0, 0]


def test_gradients_reach_every_passage() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(5, 6), dim=1).requires_grad_()
    scores = raw_scores(
        vectors, Passages.of([[0, 1]]), torch.tensor([2]), Passages.of([[3, 4]]), MatchPolicy()
    )
    torch.autograd.backward(scores.sum())
    assert vectors.grad is not None
    assert (vectors.grad.abs().sum(dim=1) > 0).all()


def test_mean_vectors_are_unit_means() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    found = mean_vectors(vectors, Passages.of([[0, 1], [2]]))
    torch.testing.assert_close(found, torch.tensor([[0.5**0.5, 0.5**0.5], [0.0, 1.0]]))


def test_a_document_without_passages_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one passage"):
        Passages.of([[0], []])


def test_mixed_precision_does_not_round_scores() -> None:
    """In bf16 a score is off by 0.005: more than a name moves it, which is what the pairing works on."""
    rng = np.random.default_rng(3)
    vectors = torch.tensor(rng.normal(size=(12, 64)) + 1.5, dtype=torch.float32)
    vectors = torch.nn.functional.normalize(vectors, dim=-1)
    given_ = (Passages.of([[0, 1], [2]]), torch.tensor([3, -1]), Passages.of([[4, 5, 6], [7, 8, 9, 10]]))
    exact = raw_scores(vectors, *given_, MatchPolicy())
    with torch.autocast("cpu", torch.bfloat16):
        mixed = raw_scores(vectors, *given_, MatchPolicy())
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, exact)
