from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.schema import ShiftReport
from training.evaluation.scored_pairs import Floats, ScoredPairsError
from training.evaluation.shift import shift_report

BEFORE = np.arange(20) / 20
"""Scores 0, 0.05 ... 0.95 of two jobs, ten each."""
JOBS = ["a"] * 10 + ["b"] * 10


def report(after: Floats, before: Floats = BEFORE, jobs: Sequence[str] = JOBS) -> ShiftReport:
    return shift_report(before, after, jobs, rounds=50, rng=np.random.default_rng(0))


def values(of: ShiftReport) -> dict[str, float | None]:
    return {name: figure.value for name, figure in of.figures.items()}


def test_hand_computed_shifts() -> None:
    # One pair rises by 0.5, one falls by 0.1; the others stay.
    after = BEFORE.copy()
    after[9] += 0.5
    after[0] -= 0.1
    found = values(report(after))
    assert found["mean_shift"] == pytest.approx(0.6 / 20)
    assert found["mean_signed_shift"] == pytest.approx(0.4 / 20)
    assert found["max_shift"] == pytest.approx(0.5)
    assert found["p95_shift"] == pytest.approx(np.quantile([0.0] * 18 + [0.1, 0.5], 0.95))
    assert found["shift_over_sd"] == pytest.approx(0.03 / BEFORE.std(), abs=1e-6)
    # The 0.9 quantile of the original scores is 0.855: 0.45 + 0.5 passes it and nothing falls below it.
    assert found["flip_rate_top_tenth"] == pytest.approx(1 / 20)
    # Each job's first tenth is one place; that of job a was number 9 already.
    assert found["flip_rate_top_tenth_per_job"] == 0


def test_an_overtaken_first_place_flips_two() -> None:
    after = BEFORE.copy()
    after[0] = 0.47
    assert values(report(after))["flip_rate_top_tenth_per_job"] == pytest.approx(2 / 20)


def test_nothing_changed_is_no_shift() -> None:
    found = values(report(BEFORE.copy()))
    assert set(found.values()) == {0.0}


@given(st.floats(0.01, 100))
def test_only_the_scale_free_figures_survive_a_compressed_scale(factor: float) -> None:
    after = BEFORE[::-1].copy()
    plain, compressed = values(report(after)), values(report(after * factor, BEFORE * factor))
    assert compressed["shift_over_sd"] == pytest.approx(plain["shift_over_sd"], rel=1e-4)
    assert compressed["flip_rate_top_tenth_per_job"] == plain["flip_rate_top_tenth_per_job"]
    assert compressed["mean_shift"] == pytest.approx((plain["mean_shift"] or 0) * factor, abs=2e-6)


def test_flips_at_the_threshold_are_of_the_probabilities() -> None:
    found = shift_report(
        BEFORE,
        BEFORE,
        JOBS,
        rounds=0,
        rng=np.random.default_rng(0),
        threshold=0.5,
        decided_on=(np.full(20, 0.5), np.array([0.5] * 15 + [0.49] * 5)),
    )
    assert found.figures["flip_rate"].value == 0.25


def test_what_cannot_be_computed_says_why() -> None:
    found = report(np.full(4, 0.6), np.full(4, 0.5), ["a"] * 4).figures
    assert found["shift_over_sd"].reason == "all original scores are equal"
    assert found["flip_rate_top_tenth"].reason == "fewer than 10 pairs: a tenth of them is nobody"
    assert found["mean_shift"].low is None  # one job


def test_lengths_must_agree() -> None:
    with pytest.raises(ScoredPairsError, match="20 original scores, 3 counterfactual ones, 20 jobs"):
        report(BEFORE[:3])
