"""Profiles among reference occupations, by hand-computed cases, and the scores that they make."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save

from service.core.errors import BundleError
from service.core.occupations import OccupationPolicy, Occupations, in_half_precision, parse_occupations
from service.core.scorer import PreparedJob, PreparedResume, Scorer
from service.core.scoring import MatchPolicy, late_interaction, passage_weights

POLICY = OccupationPolicy(
    weight=0.5, level_weight=0.5, resume_level_weight=0.25, resume_share=0.5, title_share=0.5, nearest=2
)


def unit(rows: int, seed: int, dimensions: int = 16) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((rows, dimensions))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def axes() -> Occupations:
    """Twenty occupations, each along an axis of its own."""
    return Occupations(np.eye(20, dtype=np.float32))


def test_a_profile_is_the_standardised_nearness_above_the_mean(axes: Occupations) -> None:
    # A passage at 0.6 from the first occupation and 0.8 from the second: only these are above the mean, 0.07.
    passage = np.zeros((1, 20), np.float32)
    passage[0, :2] = 0.6, 0.8
    found = axes.of_resume(passage, POLICY)
    first, second = 0.6 - 0.07, 0.8 - 0.07
    assert found.places[:2] == pytest.approx(np.array([first, second]) / math.hypot(first, second), abs=1e-6)
    assert found.places[2:].tolist() == [0.0] * 18
    assert found.level == pytest.approx(0.07)  # of a resume the mean of all
    assert axes.of_job(passage, None, None, POLICY).level == pytest.approx(0.7)  # of a job of the two nearest


def test_what_is_near_to_no_work_has_no_part_in_a_resumes_profile(axes: Occupations) -> None:
    eye = np.eye(20, dtype=np.float32)
    name_line = np.full((1, 20), -(20**-0.5), np.float32)
    other_name = np.full((1, 20), 20**-0.5, np.float32)
    for line in (name_line, other_name):
        found = axes.of_resume(np.concatenate([line, eye[:1]]), POLICY)
        assert found.places.tolist() == axes.of_resume(eye[:1], POLICY).places.tolist()
        assert found.level == axes.of_resume(eye[:1], POLICY).level


def test_a_title_has_its_share_of_profile_and_level(axes: Occupations) -> None:
    eye = np.eye(20, dtype=np.float32)
    found = axes.of_job(eye[:1], eye[1], None, POLICY)
    assert found.places[0] == pytest.approx(found.places[1]) == pytest.approx(math.sqrt(0.5))
    assert found.level == pytest.approx(0.5)


def test_boilerplate_has_no_part_in_a_job(axes: Occupations) -> None:
    eye = np.eye(20, dtype=np.float32)
    whole = axes.of_job(eye[:1], None, None, POLICY)
    with_boilerplate = axes.of_job(eye[:2], None, np.array([1.0, 0.0]), POLICY)
    assert with_boilerplate.places == pytest.approx(whole.places)
    assert with_boilerplate.level == whole.level
    nothing_else = axes.of_job(eye[:2], None, np.zeros(2), POLICY)
    assert nothing_else.places == pytest.approx(axes.of_job(eye[:2], None, None, POLICY).places)


def test_a_text_equally_near_to_all_is_like_none() -> None:
    same = Occupations(np.tile(np.eye(20, dtype=np.float32)[:1], (20, 1)))
    blank = same.of_resume(unit(3, 1, 20), POLICY)
    assert blank.places.tolist() == [0.0] * 20
    assert blank.likeness(blank) == 0.0


def test_score_is_the_weighted_sum_of_its_parts(axes: Occupations) -> None:
    policy = MatchPolicy(occupations=POLICY)
    scorer = Scorer(policy, axes)
    job, resume = scorer.job(unit(3, 1, 20), unit(1, 2, 20)[0]), scorer.resume(unit(4, 3, 20))
    assert job.profile is not None
    assert resume.profile is not None
    likeness = float(job.profile.places.astype(float) @ resume.profile.places.astype(float))
    similarity = late_interaction(job.passages, resume.passages, job.title, policy)
    expected = (similarity + 0.5 * likeness - 0.5 * job.profile.level - 0.25 * resume.profile.level) / 2.25
    assert scorer.score(job, resume) == pytest.approx(expected, abs=1.1e-6)
    parts = scorer.parts(job, resume)
    summed = parts.late_interaction + parts.occupations + parts.posting_level + parts.resume_level
    assert summed == pytest.approx(scorer.score(job, resume), abs=2e-6)


def prepared(seed: int) -> tuple[Scorer, list[PreparedJob], list[PreparedResume]]:
    """Jobs with and without a title and with and without boilerplate, of different lengths."""
    policy = MatchPolicy(
        temperature=16, title_focus=4.0, resume_share=0.3, boilerplate=True, occupations=POLICY
    )
    scorer = Scorer(policy, Occupations(unit(30, seed)))
    jobs = [
        scorer.job(
            unit(1 + i % 4, seed + i),
            unit(1, seed + 90 + i)[0] if i % 3 else None,
            np.linspace(0, 1, 1 + i % 4) if i % 2 else None,
        )
        for i in range(12)
    ]
    return scorer, jobs, [scorer.resume(unit(1 + i % 9, seed + 200 + i)) for i in range(20)]


def test_scores_of_many_are_those_of_pairs_bit_for_bit() -> None:
    scorer, jobs, resumes = prepared(3)
    assert scorer.scores(jobs, resumes).tolist() == [
        [scorer.score(job, resume) for resume in resumes] for job in jobs
    ]


def test_without_each_passage_scores_as_the_rest_does() -> None:
    scorer, jobs, resumes = prepared(5)
    for job in jobs[:4]:
        for resume in (one for one in resumes[:9] if len(one.passages) > 1):
            expected = [
                scorer.score(job, scorer.resume(np.delete(resume.passages, i, axis=0)))
                for i in range(len(resume.passages))
            ]
            assert scorer.without_each(job, resume) == pytest.approx(expected, abs=2e-6)


def test_the_differentiable_score_is_that_of_the_service() -> None:
    from service.core.integrated_gradients import late_interaction_of, with_occupations

    scorer, jobs, resumes = prepared(7)
    policy = MatchPolicy(
        temperature=16, title_focus=4.0, resume_share=0.3, boilerplate=True, occupations=POLICY
    )
    occupations = torch.tensor(unit(30, 7))
    for job in jobs:
        weights = passage_weights(job.passages, job.title, job.shares, policy)
        title = None if job.title is None else torch.tensor(job.title)
        assert job.profile is not None
        for resume in resumes[:5]:
            vectors = torch.tensor(resume.passages)
            score = late_interaction_of(
                torch.tensor(job.passages),
                vectors,
                title,
                policy,
                None if weights is None else torch.tensor(weights),
            )
            found = with_occupations(score, vectors, job.profile, occupations, POLICY)
            assert found.item() == pytest.approx(scorer.score(job, resume), abs=3e-6)


@given(seed=st.integers(0, 10_000))
def test_scores_stay_within_one(seed: int) -> None:
    scorer, jobs, resumes = prepared(seed)
    assert np.abs(scorer.scores(jobs[:3], resumes[:3])).max() <= 1.0


def test_a_passage_near_the_title_weighs_more() -> None:
    near, far = np.eye(2, dtype=np.float32)[:1], np.eye(2, dtype=np.float32)[1:]
    job = np.concatenate([near, far])
    even, focused = MatchPolicy(title_weight=0), MatchPolicy(title_weight=0, title_focus=4)
    assert late_interaction(job, near, near[0], focused) > late_interaction(job, near, near[0], even)
    # w = e^4 / (e^4 + 1), T = 12: (1/12) ln(w e^12 + (1 - w))
    w = math.exp(4) / (math.exp(4) + 1)
    expected = math.log(w * math.exp(12) + 1 - w) / 12
    assert late_interaction(job, near, near[0], focused) == pytest.approx(expected, abs=1e-6)


def test_a_file_gives_the_same_vectors_back() -> None:
    occupations = in_half_precision(unit(30, 1))
    assert parse_occupations(occupations.to_bytes(), 16).vectors.tolist() == occupations.vectors.tolist()


def test_what_is_no_file_of_occupations_is_refused() -> None:
    good = unit(30, 1).astype(np.float16)
    with pytest.raises(BundleError, match="occupations of 16 dimensions; the base model has 8"):
        parse_occupations(save({"vectors": good}), 8)
    with pytest.raises(BundleError, match="not a safetensors file"):
        parse_occupations(b"no", 16)
    with pytest.raises(BundleError, match="float16"):
        parse_occupations(save({"vectors": unit(30, 1)}), 16)
    with pytest.raises(BundleError, match=r"5 occupations; 20 to 20,000"):
        parse_occupations(save({"vectors": good[:5]}), 16)
    with pytest.raises(BundleError, match="unit vectors"):
        parse_occupations(save({"vectors": good * np.float16(0.5)}), 16)


def test_a_policy_with_occupations_needs_them() -> None:
    with pytest.raises(ValueError, match="no vectors"):
        Scorer(MatchPolicy(occupations=POLICY))
