"""Scores normalised by a cohort: the formula by hand, what it depends on, and what it does not cover."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from service.core.cohort import Cohort, CohortPolicy, Posting, References, levels_of, vector_scores
from service.core.scorer import Scorer
from service.core.scoring import MatchPolicy, late_interaction

MATCHING = MatchPolicy(temperature=8.0, title_weight=0.25)
SCORER = Scorer(MATCHING)
POLICY = CohortPolicy(top_resumes=3, minimum_resumes=6, minimum_postings=4, coverage=0.0)
PLAIN = POLICY.model_copy(update={"kept_share": None})


def texts(chance: np.random.Generator, count: int, centre: int | None = None) -> list[NDArray[np.float32]]:
    """Unit vectors of some passages each; near one axis if there is a `centre`."""
    found = []
    for _ in range(count):
        made = chance.standard_normal((int(chance.integers(1, 6)), 16))
        if centre is not None:
            made[:, centre] += 6.0
        found.append((made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32))
    return found


def references(seed: int = 0, resumes: int = 9, postings: int = 6) -> References:
    chance = np.random.default_rng(seed)
    titled: list[Posting] = [Posting(body, body[0]) for body in texts(chance, postings)]
    return References(texts(chance, resumes), titled)


def cohort(of: References | None = None, policy: CohortPolicy = POLICY) -> Cohort:
    of = of or references()
    levels, _ = levels_of(of, policy, SCORER)
    return Cohort("c" * 64, of, levels, policy, SCORER)


def pairs(seed: int = 5) -> tuple[list[Posting], list[NDArray[np.float32]]]:
    chance = np.random.default_rng(seed)
    postings: list[Posting] = [
        Posting(body, body[-1] if i % 2 else None) for i, body in enumerate(texts(chance, 4))
    ]
    return postings, texts(chance, 5)


def by_hand(of: References, posting: Posting, resume: NDArray[np.float32], policy: CohortPolicy) -> float:
    """The formula of the module, pair by pair, with `late_interaction` alone."""

    def raw(one: Posting, other: NDArray[np.float32]) -> float:
        return late_interaction(one[0], other, one[1], MATCHING)

    def level(one: Posting) -> float:
        return float(np.mean(sorted(raw(one, other) for other in of.resumes)[-policy.top_resumes :]))

    def of_resume(one: NDArray[np.float32]) -> float:
        return float(np.mean([raw(other, one) for other in of.postings]))

    alike = of.postings if posting[1] is not None else [Posting(one.body, None) for one in of.postings]
    mean_level = float(np.mean([level(one) for one in alike]))
    mean_of_resumes = float(np.mean([of_resume(one) for one in of.resumes]))
    return (
        raw(posting, resume)
        - policy.resume_weight * (of_resume(resume) - mean_of_resumes)
        - policy.posting_weight * (level(posting) - mean_level)
    )


def test_normalised_scores_are_those_of_the_formula() -> None:
    of, policy = references(), PLAIN.model_copy(update={"resume_weight": 0.3, "posting_weight": 0.9})
    made = cohort(of, policy)
    postings, resumes = pairs()
    covered = [made.posting(posting).covered for posting in postings]
    assert any(covered)
    found = made.normalised(vector_scores(postings, resumes, SCORER), postings, resumes)
    for p, posting in enumerate(postings):
        for r, resume in enumerate(resumes):
            if covered[p]:
                assert found[p, r] == pytest.approx(by_hand(of, posting, resume, policy), abs=2e-6)


def test_a_pair_has_one_score_whatever_it_is_scored_with() -> None:
    postings, resumes = pairs()
    together = cohort().normalised(vector_scores(postings, resumes, SCORER), postings, resumes)
    for p in range(len(postings)):
        for r in range(len(resumes)):
            fresh = cohort()  # nothing is known of what else there was
            raw = vector_scores([postings[p]], [resumes[r]], SCORER)
            assert fresh.normalised(raw, [postings[p]], [resumes[r]])[0, 0] == together[p, r]
    assert np.array_equal(
        cohort().normalised(
            vector_scores(postings[::-1], resumes[::-1], SCORER), postings[::-1], resumes[::-1]
        ),
        together[::-1, ::-1],
    )


def test_a_copy_among_the_references_does_not_count_for_itself() -> None:
    of = references()
    postings, resumes = pairs()
    pair, resume = postings[1], postings[1][0] + np.float32(0.1) * resumes[0][0]
    resume = (resume / np.linalg.norm(resume, axis=1, keepdims=True)).astype(np.float32)
    with_copies = cohort(References([*of.resumes, resume], [*of.postings, pair]), PLAIN)
    norm, raw = with_copies.posting(pair), vector_scores([pair], [resume], SCORER)
    noise = np.float32(1e-6)  # as of another batch
    found = with_copies.normalised(raw, [pair], [resume + noise])[0, 0]
    # What the pair is set against is as without the copies; the means are those of the cohort.
    level = np.mean(np.sort(vector_scores([pair], of.resumes, SCORER)[0])[-3:])
    of_resume = np.mean(vector_scores(of.postings, [resume], SCORER)[:, 0])
    levels = with_copies.levels
    by_titled = np.mean(levels.of_postings(titled=True))
    expected = raw[0, 0] - 0.5 * (of_resume - np.mean(levels.of_resumes)) - (level - by_titled)
    assert norm.covered
    assert found == pytest.approx(expected, abs=5e-6)
    assert norm.level > level, "to anybody else it is a reference as others are"


def test_the_percentile_is_the_share_of_the_pool_that_scores_lower() -> None:
    made = cohort()
    posting = Posting(references(3).resumes[0], None)
    norm = made.posting(posting)
    assert norm.covered
    of_pool = sorted(
        by_hand(made.references, posting, one, POLICY) + made.levels.constant
        for one in made.references.resumes
    )
    assert norm.percentile(of_pool[6] + 1e-4) == 77.7  # 7 of 9, rounded down
    assert norm.percentile(of_pool[6] - 1e-4) == 66.6
    assert norm.percentile(2.0) == 100.0
    assert norm.percentile(-2.0) == 0.0


def test_a_posting_of_a_job_that_nobody_in_the_pool_does_is_not_normalised() -> None:
    chance = np.random.default_rng(1)
    pool = References(
        texts(chance, 12, centre=0), [Posting(body, None) for body in texts(chance, 10, centre=0)]
    )
    policy = POLICY.model_copy(update={"coverage": 0.05})
    made = cohort(pool, policy)
    inside = Posting(np.concatenate([one.body for one in pool.postings[2:4]]), None)
    outside = Posting(texts(chance, 1, centre=7)[0], None)
    assert made.posting(inside).covered
    norm = made.posting(outside)
    assert not norm.covered
    assert norm.percentile(0.5) is None
    resumes = texts(chance, 3)
    raw = vector_scores([outside, inside], resumes, SCORER)
    found = made.normalised(raw, [outside, inside], resumes)
    assert np.array_equal(found[0], raw[0])
    assert not np.array_equal(found[1], raw[1])


@pytest.mark.parametrize(("resumes", "postings"), [(5, 6), (9, 3)])
def test_a_cohort_below_the_minimum_normalises_nothing(resumes: int, postings: int) -> None:
    made = cohort(references(0, resumes, postings))
    assert made.is_too_small
    some, others = pairs()
    raw = vector_scores(some, others, SCORER)
    assert np.array_equal(made.normalised(raw, some, others), raw)


def test_titled_postings_need_titled_references() -> None:
    of = references()
    made = cohort(References(of.resumes, [Posting(one.body, None) for one in of.postings]))
    body = of.postings[0][0]
    assert made.posting(Posting(body, None)).covered
    assert not made.posting(Posting(body, body[0])).covered


def test_the_upper_share_of_the_cohorts_own_pairs_stays_where_it_was() -> None:
    of = references(2, 20, 16)
    policy = POLICY.model_copy(update={"kept_share": 0.1})
    made, plain = cohort(of, policy), cohort(of, PLAIN)
    raw = vector_scores(of.postings, of.resumes, SCORER)
    assert np.quantile(raw, 0.9) != pytest.approx(
        np.quantile(plain.normalised(raw, of.postings, of.resumes), 0.9), abs=0.01
    )
    normalised = made.normalised(raw, of.postings, of.resumes)
    assert np.quantile(raw, 0.9) == pytest.approx(np.quantile(normalised, 0.9), abs=2e-6)
    fresh, others = pairs()
    one = vector_scores(fresh[:3], others, SCORER)
    assert all(made.posting(posting).covered for posting in fresh[:3])
    moved = made.normalised(one, fresh[:3], others) - plain.normalised(one, fresh[:3], others)
    assert moved == pytest.approx(made.levels.constant, abs=2e-6)


def test_a_resume_is_scored_against_so_many_postings_at_most() -> None:
    of = references()
    some = cohort(of, POLICY.model_copy(update={"postings_per_resume": 2}))
    resume = pairs()[1][0]
    expected = np.mean(
        [late_interaction(body, resume, title, MATCHING) for body, title, _ in of.postings[:2]]
    )
    assert np.mean(some.resume(resume).scores) == pytest.approx(expected, abs=1e-9)
    assert some.passages_per_resume == len(of.postings[0][0]) + len(of.postings[1][0])
