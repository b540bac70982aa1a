from __future__ import annotations

import numpy as np

from training.evaluation.decision_effect import decision_effect


def test_pairs_and_resumes_that_differ_in_each_direction() -> None:
    before = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    after = np.array([0.1, 0.3, 0.3, 0.4, 0.5, 0.4])
    selected_before = np.array([True, False, True, True, False, True])
    selected_after = np.array([True, True, False, True, False, False])
    found = decision_effect(
        before,
        after,
        selected_before,
        selected_after,
        resumes=np.array([0, 0, 0, 1, 1, 2]),
        jobs=3,
        rounds=200,
        rng=np.random.default_rng(0),
    )
    values = {name: figure.value for name, figure in found.figures.items()}
    assert values == {
        "selected_first": round(4 / 6, 6),
        "selected_second": 0.5,
        "pairs_differ": 0.5,
        "pairs_lost": round(2 / 6, 6),
        "pairs_gained": round(1 / 6, 6),
        "resumes_differ": round(2 / 3, 6),
        "resumes_lost": round(2 / 3, 6),
        "resumes_gained": round(1 / 3, 6),
        "mean_shift": 0.05,
    }
    assert (found.pairs, found.resumes, found.jobs) == (6, 3, 3)
    differ = found.figures["resumes_differ"]
    assert (differ.low, differ.high, differ.n) == (0.0, 1.0, 3)


def test_one_resume_has_no_interval() -> None:
    same = np.array([True, False])
    found = decision_effect(
        np.zeros(2),
        np.zeros(2),
        same,
        same,
        resumes=np.array([0, 0]),
        jobs=2,
        rounds=50,
        rng=np.random.default_rng(0),
    )
    assert found.figures["pairs_differ"].value == 0
    assert found.figures["pairs_differ"].low is None
