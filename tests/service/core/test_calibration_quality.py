from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from service.core.calibration_quality import (
    brier_score,
    brier_skill_score,
    equal_mass_bins,
    expected_calibration_error,
    prevalence_of,
)
from tests.support.scored_pairs import random_pairs
from training.evaluation.resampling import JobResamples
from training.evaluation.utility import decision_samples

PROBABILITIES = np.array([0.1, 0.2, 0.6, 0.9])
LABELS = np.array([0, 1, 0, 1])


def test_hand_computed_scores() -> None:
    # (0.01 + 0.64 + 0.36 + 0.01) / 4; half of the pairs match, so that always saying 0.5 costs 0.25.
    assert brier_score(PROBABILITIES, LABELS) == pytest.approx(0.255)
    assert brier_skill_score(PROBABILITIES, LABELS) == pytest.approx(1 - 0.255 / 0.25)
    assert prevalence_of(LABELS) == 0.5
    # Each pair has a bin of its own width: (0.1 + 0.8 + 0.6 + 0.1) / 4.
    assert expected_calibration_error(PROBABILITIES, LABELS) == pytest.approx(0.4)
    # Two bins of two pairs: (|1 - 0.3| + |1 - 1.5|) / 4.
    assert expected_calibration_error(PROBABILITIES, LABELS, bins="mass", count=2) == pytest.approx(0.3)


def test_figures_are_those_of_the_evaluation_and_of_scikit_learn() -> None:
    pairs = random_pairs()
    resamples = JobResamples(pairs, 3, np.random.default_rng(0))
    samples = decision_samples(pairs, pairs.labels, pairs.raw_scores, resamples, 0.5)
    for weights, brier, ece in zip(resamples.weights, samples["brier"], samples["ece"], strict=True):
        of_pair = weights[pairs.job_index]
        assert brier_score(pairs.raw_scores, pairs.labels, of_pair) == pytest.approx(brier)
        assert expected_calibration_error(pairs.raw_scores, pairs.labels, of_pair) == pytest.approx(ece)
    assert brier_score(pairs.raw_scores, pairs.labels) == pytest.approx(
        brier_score_loss(pairs.labels, pairs.raw_scores)
    )


def test_a_pair_of_weight_two_counts_like_two_pairs() -> None:
    weights, twice = np.array([1.0, 2.0, 1.0, 1.0]), [0, 1, 1, 2, 3]
    for figure in (brier_score, brier_skill_score, expected_calibration_error):
        assert figure(PROBABILITIES, LABELS, weights) == pytest.approx(
            figure(PROBABILITIES[twice], LABELS[twice])
        )


def test_always_saying_the_prevalence_has_no_skill_and_no_calibration_error() -> None:
    labels = np.array([1, 0, 0, 0])
    assert brier_skill_score(np.full(4, 0.25), labels) == pytest.approx(0)
    assert expected_calibration_error(np.full(4, 0.25), labels) == pytest.approx(0)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 9))
def test_bins_of_equal_mass_differ_by_one_pair_at_most_and_keep_the_order(
    n: int, count: int, seed: int
) -> None:
    probabilities = np.random.default_rng(seed).permutation(np.linspace(0, 1, n))
    bins = equal_mass_bins(probabilities, count)
    sizes = np.bincount(bins)
    assert max(sizes) - min(size for size in sizes if size) <= 1
    assert (np.diff(bins[np.argsort(probabilities)]) >= 0).all()


def test_equal_probabilities_share_a_bin() -> None:
    assert set(equal_mass_bins(np.full(100, 0.3))) == {0}


@pytest.mark.parametrize("bins", ["width", "mass"])
def test_what_cannot_be_computed_is_nan(bins: Literal["width", "mass"]) -> None:
    nothing = np.empty(0)
    none = np.empty(0, np.int64)
    assert math.isnan(brier_score(nothing, none))
    assert math.isnan(brier_skill_score(nothing, none))
    assert math.isnan(brier_skill_score(np.array([0.2, 0.3]), np.array([0, 0])))
    assert math.isnan(expected_calibration_error(nothing, none, bins=bins))
