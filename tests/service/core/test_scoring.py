from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import logsumexp

from service.core import scoring
from service.core.manifest import DecisionRule
from service.core.scoring import MatchPolicy, late_interaction, passage_weights, without_each
from service.core.vectors import Vectors


def unit(rows: int, seed: int, dimensions: int = 16) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((rows, dimensions))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


E1, E2 = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)


def test_one_passage_each_scores_their_cosine() -> None:
    resume = np.array([[0.6, 0.8]], np.float32)
    assert late_interaction(E1, resume, None, MatchPolicy()) == 0.6


def test_hand_computed_log_mean_exp() -> None:
    # cosines 1 and 0, T = 12: (1/12) ln((e^12 + e^0) / 2)
    expected = math.log((math.exp(12) + 1) / 2) / 12
    assert late_interaction(E1, np.concatenate([E1, E2]), None, MatchPolicy()) == round(expected, 6)


def test_hand_computed_title_takes_the_mean_of_its_best_passages() -> None:
    # body: (1/12) ln((e^12 + 2) / 3); title cosines 1, 0, 0, best two: 0.5
    resume = np.concatenate([E1, E2, E2])
    body = math.log((math.exp(12) + 2) / 3) / 12
    policy = MatchPolicy(title_weight=0.25, title_passages=2)
    assert late_interaction(E1, resume, E1[0], policy) == round(0.75 * body + 0.25 * 0.5, 6)


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 1000), st.floats(0.5, 60))
def test_agrees_with_scipy_and_lies_between_mean_and_maximum(j: int, r: int, seed: int, t: float) -> None:
    job, resume = unit(j, seed), unit(r, seed + 1)
    cosines = (job @ resume.T).astype(np.float64)
    score = late_interaction(job, resume, None, MatchPolicy(temperature=t))
    assert score == pytest.approx((logsumexp(t * cosines) - math.log(j * r)) / t, abs=1e-6)
    assert cosines.mean() - 1e-6 <= score <= cosines.max() + 1e-6


def test_with_a_share_the_passages_that_say_least_about_the_job_do_not_count() -> None:
    # Of three passages the best two count (1.5 rounded up): (1/12) ln((e^12 + e^7.2) / 2).
    resume = np.array([[0.6, 0.8], [1, 0], [0, 1]], np.float32)
    expected = math.log((math.exp(12) + math.exp(7.2)) / 2) / 12
    policy = MatchPolicy(resume_share=0.5)
    assert late_interaction(E1, resume, None, policy) == pytest.approx(expected, abs=1e-6)
    changed = np.concatenate([resume[:2], -E1])
    assert late_interaction(E1, changed, None, policy) == late_interaction(E1, resume, None, policy)


@pytest.mark.parametrize(
    ("share", "passages", "counted"), [(1.0, 7, 7), (0.5, 1, 1), (0.5, 2, 1), (0.5, 3, 2), (0.01, 50, 1)]
)
def test_the_share_is_rounded_up(share: float, passages: int, counted: int) -> None:
    assert MatchPolicy(resume_share=share).counted(passages) == counted


def test_hand_computed_weights_of_a_postings_passages() -> None:
    job = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    title = E1[0]
    even, focused = MatchPolicy(), MatchPolicy(title_focus=4.0)
    assert passage_weights(job, title, None, even) is None
    assert passage_weights(job, None, None, focused) is None  # nothing to be near to
    # Cosines to the title 1, 0.6, 0: exp(4), exp(2.4), 1 of their sum.
    near = np.exp([4.0, 2.4, 0.0])
    assert passage_weights(job, title, None, focused) == pytest.approx(near / near.sum(), abs=1e-6)
    shares = np.array([0.5, 0.0, 1.0])
    assert passage_weights(job, title, shares, even) == pytest.approx([1 / 3, 0, 2 / 3])
    both = near * shares
    assert passage_weights(job, title, shares, focused) == pytest.approx(both / both.sum(), abs=1e-6)
    for same in (np.zeros(3), np.ones(3)):  # then they say nothing
        assert passage_weights(job, title, same, even) is None
        assert passage_weights(job, title, same, focused) == pytest.approx(near / near.sum(), abs=1e-6)


def test_hand_computed_score_with_weights() -> None:
    # Passages of weight 3/4 and 1/4, cosines 1 and 0 to the resume's only one: (1/12) ln(0.75 e^12 + 0.25).
    job = np.concatenate([E1, E2])
    expected = math.log(0.75 * math.exp(12) + 0.25) / 12
    scored = late_interaction(job, E1, None, MatchPolicy(), np.array([0.75, 0.25]))
    assert scored == pytest.approx(expected, abs=1e-6)


@given(st.permutations(range(5)), st.integers(0, 100))
def test_order_of_passages_does_not_matter(order: list[int], seed: int) -> None:
    job, resume = unit(3, seed), unit(5, seed + 1)
    assert late_interaction(job, resume[order], job[0], MatchPolicy()) == pytest.approx(
        late_interaction(job, resume, job[0], MatchPolicy()), abs=2e-6
    )


def rule(threshold: float = 0.6, low: float = 0.5, high: float = 0.7) -> DecisionRule:
    return DecisionRule(threshold=threshold, borderline=(low, high), rule="test", constraint="none")


@pytest.mark.parametrize(
    ("probability", "selected", "borderline"),
    [
        (0.6, True, True),
        (0.599999, False, True),
        (0.7, True, True),
        (0.71, True, False),
        (0.49, False, False),
    ],
)
def test_threshold_and_band_are_inclusive(probability: float, selected: bool, borderline: bool) -> None:
    assert (rule().is_selected(probability), rule().is_borderline(probability)) == (selected, borderline)


def test_a_band_that_misses_the_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="low <= threshold <= high"):
        rule(threshold=0.8)


@pytest.mark.parametrize("titled", [True, False])
@pytest.mark.parametrize("shares", [None, np.array([1.0, 0.1, 0.0, 0.5])])
@pytest.mark.parametrize(
    "policy",
    [
        MatchPolicy(),
        MatchPolicy(resume_share=0.5),
        MatchPolicy(temperature=1_000),
        MatchPolicy(title_focus=4.0),
    ],
)
@pytest.mark.parametrize("passages", [2, 3, 9])
def test_leaving_each_passage_out_at_once_is_leaving_out_one_after_the_other(
    titled: bool, shares: NDArray[np.float64] | None, policy: MatchPolicy, passages: int
) -> None:
    random = np.random.default_rng(passages)
    job, resume = (_units(random.standard_normal((n, 8))) for n in (4, passages))
    resume[1] = resume[0]  # equal ones, too
    resume[-1] = job[0]  # and one beside which all others vanish at a high temperature
    title = job[1] if titled else None
    expected = [
        late_interaction(job, np.delete(resume, i, axis=0), title, policy, shares) for i in range(len(resume))
    ]
    assert without_each(job, resume, title, policy, shares) == pytest.approx(expected, abs=2e-6)


def test_many_passages_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    job, resume = (_units(random.standard_normal((n, 8))) for n in (23, 7))
    whole = late_interaction(job, resume, None, MatchPolicy())
    monkeypatch.setattr(scoring, "_BLOCK", 40)
    assert late_interaction(job, resume, None, MatchPolicy()) == pytest.approx(whole, abs=1e-6)


def _units(vectors: NDArray[np.float64]) -> Vectors:
    units: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units
