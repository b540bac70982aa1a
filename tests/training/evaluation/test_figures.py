from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    roc_auc_score,
)

from tests.support.scored_pairs import pairs_of, random_pairs
from training.evaluation.resampling import JobResamples, estimate
from training.evaluation.scored_pairs import ScoredPairs, ScoredPairsError
from training.evaluation.utility import (
    decision_figures,
    ece_samples,
    job_rankings,
    ranking_figures,
    reliability,
)


def resamples(pairs: ScoredPairs, rounds: int = 50) -> JobResamples:
    return JobResamples(pairs, rounds, np.random.default_rng(0))


def test_decision_figures_agree_with_scikit_learn() -> None:
    pairs = random_pairs()
    y, p, selected = pairs.labels, pairs.raw_scores, pairs.raw_scores >= 0.5
    found = decision_figures(pairs, y, p, resamples(pairs), 0.5)
    oracles = {
        "roc_auc": roc_auc_score(y, p),
        "pr_auc": average_precision_score(y, p),
        "accuracy": accuracy_score(y, selected),
        "balanced_accuracy": balanced_accuracy_score(y, selected),
        "f1": f1_score(y, selected),
        "precision": precision_score(y, selected),
        "log_loss": log_loss(y, p),
        "brier": brier_score_loss(y, p),
        "selection_rate": selected.mean(),
    }
    for name, expected in oracles.items():
        of = found[name]
        assert of.value == pytest.approx(expected, abs=1e-6)
        assert of.low is not None
        assert of.high is not None
        assert of.low < expected < of.high
        assert of.n == 600


def test_a_resample_is_the_figure_of_the_drawn_jobs() -> None:
    # What totals and weights give must be what copies of the drawn jobs' rows give.
    pairs = random_pairs(60, 6)
    drawn = resamples(pairs, 3)
    rows = np.concatenate([np.tile(r, int(w)) for r, w in zip(pairs.job_rows, drawn.weights[2], strict=True)])
    copies = pairs.take(rows)
    everyone = np.ones(60, np.bool_)
    assert drawn.totals(pairs.labels)[2] == copies.labels.sum()
    by_weight = drawn.each(lambda w: float(roc_auc_score(pairs.labels, pairs.raw_scores, sample_weight=w)))
    assert by_weight[2] == pytest.approx(roc_auc_score(copies.labels, copies.raw_scores))
    alone = ece_samples(
        JobResamples(copies, 0, np.random.default_rng(0)), copies.raw_scores, copies.labels, everyone
    )
    assert ece_samples(drawn, pairs.raw_scores, pairs.labels, everyone)[2] == pytest.approx(alone[0])


def test_one_job_has_figures_and_no_intervals() -> None:
    pairs = pairs_of([0.9, 0.1, 0.8], [1, 0, 0])
    of = decision_figures(pairs, pairs.labels, pairs.raw_scores, resamples(pairs), 0.5)["accuracy"]
    assert of.value == pytest.approx(2 / 3, abs=1e-6)
    assert (of.low, of.high) == (None, None)


def test_one_class_is_not_computable_and_says_why() -> None:
    pairs = pairs_of([0.1, 0.2, 0.3], [0, 0, 0], ["a", "a", "b"])
    found = decision_figures(pairs, pairs.labels, pairs.raw_scores, resamples(pairs), 0.5)
    assert found["roc_auc"].value is None
    assert found["roc_auc"].reason == "one class only: matches and others are needed"
    assert found["precision"].reason == "nobody was selected"
    assert found["accuracy"].value == 1


def test_hand_computed_calibration_error() -> None:
    # Bin [0.2, 0.3): 2 pairs, mean probability 0.25, mean label 0.5 -> 2/4 * 0.25
    # Bin [0.9, 1.0]: 2 pairs, mean probability 0.95, mean label 1.0 -> 2/4 * 0.05
    pairs = pairs_of([0.2, 0.3 - 1e-12, 0.9, 1.0], [0, 1, 1, 1])
    everyone = np.ones(4, np.bool_)
    assert ece_samples(resamples(pairs), pairs.raw_scores, pairs.labels, everyone)[0] == pytest.approx(0.15)
    bins = reliability(pairs.raw_scores, pairs.labels)
    assert [b.n for b in bins] == [0, 0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert (bins[2].mean_probability, bins[2].match_rate) == (0.25, 0.5)
    assert bins[0].match_rate is None


def test_hand_computed_rankings() -> None:
    # Job a: matches in places 2 and 3 of 4. DCG@3 = 1/log2(3) + 1/log2(4); ideal 1 + 1/log2(3).
    # Job b: the only match first. Job c: no match, so it shows nothing.
    pairs = pairs_of(
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
        [0, 1, 1, 0, 1, 0, 0, 0],
        ["a"] * 4 + ["b"] * 2 + ["c"] * 2,
    )
    found = job_rankings(pairs, pairs.labels)
    np.testing.assert_allclose(found["mean_reciprocal_rank"], [0.5, 1, np.nan])
    np.testing.assert_allclose(found["hit_at_1"], [0, 1, np.nan])
    np.testing.assert_allclose(found["hit_at_3"], [1, np.nan, np.nan])
    expected = (1 / np.log2(3) + 0.5) / (1 + 1 / np.log2(3))
    np.testing.assert_allclose(found["ndcg_at_3"], [expected, 1, np.nan])
    np.testing.assert_allclose(found["macro_roc_auc"], [0.5, 1, np.nan])
    means = ranking_figures(pairs, pairs.labels, resamples(pairs))
    assert (means["mean_reciprocal_rank"].value, means["mean_reciprocal_rank"].n) == (0.75, 2)
    assert means["hit_at_10"].value is None


def test_a_match_that_ties_comes_last_among_equals() -> None:
    pairs = pairs_of([0.5] * 4, [1, 0, 0, 0])
    found = job_rankings(pairs, pairs.labels)
    assert found["mean_reciprocal_rank"][0] == 0.25
    assert found["hit_at_3"][0] == 0
    shuffled = job_rankings(pairs_of([0.5] * 4, [0, 0, 0, 1]), np.array([0, 0, 0, 1]))
    assert found["ndcg_at_3"][0] == pytest.approx(shuffled["ndcg_at_3"][0])


def test_macro_auc_is_the_mean_of_the_jobs_own() -> None:
    pairs = random_pairs(200, 10)
    expected = []
    for rows in pairs.job_rows:
        y, ranks = pairs.labels[rows], rankdata(pairs.raw_scores[rows])
        m = y.sum()
        if 0 < m < len(y):
            expected.append((ranks[y == 1].sum() - m * (m + 1) / 2) / (m * (len(y) - m)))
    assert ranking_figures(pairs, pairs.labels, resamples(pairs))["macro_roc_auc"].value == pytest.approx(
        np.mean(expected), abs=1e-6
    )


def test_an_interval_needs_half_of_its_resamples() -> None:
    few = estimate(np.array([0.5, np.nan, np.nan, 0.4]), 9, "")
    assert (few.value, few.low) == (0.5, None)
    assert estimate(np.array([0.5, 0.4, 0.6, np.nan]), 9, "").low is not None


def test_arrays_that_do_not_belong_together_are_named() -> None:
    with pytest.raises(ScoredPairsError, match=r"groups\.sex has 1 rows; raw_scores has 2"):
        pairs_of([0.1, 0.2], [0, 1], groups={"sex": ["male"]})
    with pytest.raises(ScoredPairsError, match=r"labels\[1\] is neither 0 nor 1"):
        pairs_of([0.1, 0.2], [0, 2])
    with pytest.raises(ScoredPairsError, match=r"raw_scores\[0\] is not a finite number"):
        pairs_of([np.nan, 0.2], [0, 1])
