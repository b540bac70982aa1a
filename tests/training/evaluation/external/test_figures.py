"""Figures in all resamples at once, against scikit-learn with weights and against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from service.core.calibration import shift_prevalence
from service.core.calibration_quality import brier_skill_score, expected_calibration_error
from tests.training.evaluation.external.sets import one_posting, random_set, resampled, set_of
from training.evaluation.external.operating_point import (
    operating_point,
    threshold_at_precision,
    weighted_quantile,
)
from training.evaluation.external.probabilities import (
    calibration_report,
    logistic_fit,
    logistic_fits,
    probability_samples,
)
from training.evaluation.external.ranking import (
    Steps,
    ndcg_at,
    posting_values,
    precision_at,
    ranking_samples,
    recall_at,
    recall_at_precision,
)
from training.evaluation.external.resampling import DRAWN, Drawn, TwoWayResamples


def weights_of(resamples: TwoWayResamples, way: Drawn, row: int) -> NDArray[np.float64]:
    """The weights of all pairs in one resample, the long way."""
    data = resamples.data
    of_resumes, of_postings = resamples.resumes[row], resamples.postings[row]
    found = np.ones(len(data))
    if way != "posting":
        found *= of_resumes[data.pair_resumes]
    if way != "resume":
        found *= of_postings[data.pair_postings]
    return found


def steps(scores: list[float], labels: list[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return Steps.of(np.array(scores)).sums(np.ones((1, len(scores))), np.array(labels))


def test_pooled_figures_are_those_of_scikit_learn_with_weights() -> None:
    data, scores = random_set()
    resamples = resampled(data)
    found = ranking_samples(scores, resamples, 0.75).samples
    for way in DRAWN:
        for row in range(1 + resamples.rounds):
            weights = weights_of(resamples, way, row)
            there = weights > 0
            for name, metric in (
                ("roc_auc", roc_auc_score),
                ("average_precision", average_precision_score),
            ):
                expected = metric(data.labels[there], scores[there], sample_weight=weights[there])
                assert found[name][way][row] == pytest.approx(expected, abs=1e-12)


def test_a_weighted_list_is_the_list_with_its_rows_repeated() -> None:
    data, scores = random_set(postings=3)
    resamples = resampled(data)
    values = posting_values(scores, resamples)
    for posting, rows in enumerate(data.rows_of_postings):
        for row in range(1 + resamples.rounds):
            times = resamples.resumes[row][data.pair_resumes[rows]].astype(int)
            labels, of = np.repeat(data.labels[rows], times), np.repeat(scores[rows], times)
            if not 0 < labels.sum() < len(labels):
                assert np.isnan(values["macro_roc_auc"][row, posting])
                continue
            expected = {
                "macro_roc_auc": roc_auc_score(labels, of),
                "macro_average_precision": average_precision_score(labels, of),
                "ndcg_at_10": ndcg_score(labels[None], of[None], k=10),
            }
            for name, value in expected.items():
                assert values[name][row, posting] == pytest.approx(value, abs=1e-12)


def test_means_over_postings_weigh_the_drawn_ones() -> None:
    data, scores = random_set()
    resamples = resampled(data)
    values = posting_values(scores, resamples)["macro_roc_auc"]
    found = resamples.posting_means(values)
    for row in range(1 + resamples.rounds):
        weights = resamples.postings[row]
        for way, of, by in (
            ("resume", values[row], np.ones(len(weights))),
            ("posting", values[0], weights),
            ("both", values[row], weights),
        ):
            known = np.isfinite(of)
            assert found[way][row] == pytest.approx((of * by)[known].sum() / by[known].sum())  # type: ignore[index]


def test_the_first_places_by_hand() -> None:
    pos, all_ = steps([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 1])
    assert recall_at(pos, all_, 2)[0] == pytest.approx(1 / 3)
    assert precision_at(pos, all_, 2)[0] == pytest.approx(1 / 2)
    assert recall_at(pos, all_, 3)[0] == pytest.approx(2 / 3)
    # As many candidates as places: everybody is among the first, which says nothing.
    assert np.isnan(recall_at(pos, all_, 4)[0])
    assert np.isnan(precision_at(pos, all_, 4)[0])
    # Two of equal score for one place: half of a match on average.
    pos, all_ = steps([0.9, 0.9, 0.1], [1, 0, 1])
    assert recall_at(pos, all_, 1)[0] == pytest.approx(0.5 / 2)
    assert ndcg_at(pos, all_, 1)[0] == pytest.approx(0.5)


def test_nothing_is_computed_of_one_class() -> None:
    for labels in ([0, 0, 0], [1, 1, 1]):
        data = one_posting(labels)
        resamples = resampled(data, rounds=0)
        found = ranking_samples(np.array([0.3, 0.2, 0.1]), resamples, 0.75)
        figures = found.figures(resamples)
        for name in ("roc_auc", "average_precision", "macro_roc_auc", "macro_average_precision"):
            assert figures[name].value is None
            assert figures[name].reason
        assert figures["macro_roc_auc"].n == 0


def test_the_threshold_of_a_precision_by_hand() -> None:
    scores, labels = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1, 0, 1, 1, 0])
    # From 0.6 on 3 of 4 match: the lowest threshold of 0.75. From 0.9 on all do.
    assert threshold_at_precision(scores, labels, 0.75) == 0.6
    assert threshold_at_precision(scores, labels, 0.76) == 0.9
    pos, all_ = steps(scores.tolist(), labels.tolist())
    assert recall_at_precision(pos, all_, 0.75)[0] == 1.0
    assert recall_at_precision(pos, all_, 0.76)[0] == pytest.approx(1 / 3)
    assert threshold_at_precision(-scores, labels, 1.0) is None
    assert np.isnan(recall_at_precision(*steps([0.9, 0.8], [0, 1]), 0.75)[0])


def test_one_threshold_by_hand() -> None:
    # Posting 0: 1 of 2 matches selected, and another resume. Posting 1: nobody, of one match. 2: no match.
    data = set_of([0, 0, 0, 1, 1, 2], [0, 1, 2, 0, 1, 2], [1, 1, 0, 1, 0, 0])
    selected = np.array([True, False, True, False, False, False])
    point = operating_point(0.5, "score", selected, resampled(data))
    value = {name: figure.value for name, figure in point.figures.items()}
    assert value["precision"] == 0.5
    assert value["recall"] == pytest.approx(1 / 3, abs=1e-6)
    assert value["selection_rate"] == pytest.approx(1 / 3, abs=1e-6)
    assert (value["recall_lower_quartile"], value["recall_median"]) == (0.125, 0.25)
    assert value["postings_without_selection"] == 2
    assert point.figures["recall_median"].n == 2  # posting 2 has no match
    assert point.figures["postings_without_selection"].n == 3
    nobody = operating_point(0.9, "score", np.zeros(6, np.bool_), resampled(data)).figures
    assert nobody["precision"].value is None
    assert nobody["precision"].reason == "nobody was selected"
    assert nobody["recall"].value == 0


def test_weighted_quantiles_are_those_of_repeated_values() -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(size=(20, 9))
    values[:, 3] = np.nan
    values[5] = np.nan
    weights = rng.integers(0, 4, (20, 9)).astype(float)
    weights[6] = 0
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        found = weighted_quantile(values, weights, share)
        for row in range(20):
            known = np.isfinite(values[row])
            repeated = np.repeat(values[row][known], weights[row][known].astype(int))
            expected = np.quantile(repeated, share) if len(repeated) else np.nan
            assert found[row] == pytest.approx(expected, nan_ok=True)


def test_probabilities_are_measured_as_elsewhere() -> None:
    data, scores = random_set()
    resamples = resampled(data)
    p = np.round(1 / (1 + np.exp(-scores)), 6)
    samples, fits = probability_samples(p, resamples), logistic_fits(p, resamples)
    for way in DRAWN:
        for row in (0, 3):
            weights = weights_of(resamples, way, row)
            skill = brier_skill_score(p, data.labels, weights)
            assert samples["brier_skill"][way][row] == pytest.approx(skill)
            ece = expected_calibration_error(p, data.labels, weights)
            assert samples["ece"][way][row] == pytest.approx(ece)
            by_mass = expected_calibration_error(p, data.labels, weights, bins="mass")
            assert samples["ece_by_mass"][way][row] == pytest.approx(by_mass)
            x = np.log(p / (1 - p)).reshape(-1, 1)
            oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
            oracle.fit(x, data.labels, sample_weight=weights)
            expected = (oracle.coef_[0, 0], oracle.intercept_[0])
            assert fits[way][row] == pytest.approx(expected, abs=1e-3)


def test_classes_that_the_probabilities_part_have_no_fit() -> None:
    labels, alike = np.array([0, 0, 1, 1]), np.zeros(4)
    parted = np.array([-2.0, -1.0, 1.0, 2.0])
    for x in (parted, alike):
        assert np.isnan(logistic_fit(x, labels, np.ones((2, 4)))).all()


def test_probabilities_that_hold_for_another_share_hold_again_once_shifted() -> None:
    rng = np.random.default_rng(0)
    own = 0.1
    logits = rng.normal(np.log(own / (1 - own)), 2.0, 8_000)
    right = 1 / (1 + np.exp(-logits))
    labels = (rng.uniform(size=8_000) < right).astype(np.int64)
    data = set_of((np.arange(8_000) % 40).tolist(), (np.arange(8_000) // 40).tolist(), labels.tolist())
    assumed = shift_prevalence(right, of=data.prevalence, to=0.5)
    report = calibration_report(np.round(assumed, 6), 0.5, resampled(data))
    shipped, shifted = report.as_shipped.figures, report.at_prevalence.figures
    assert report.at_prevalence.prevalence == pytest.approx(data.prevalence, abs=1e-6)
    assert shifted["slope"].value == pytest.approx(1, abs=0.1)
    assert shifted["intercept"].value == pytest.approx(0, abs=0.15)
    assert shipped["intercept"].value is not None
    assert shipped["intercept"].value < -1
    assert (shifted["ece"].value or 1) < 0.02 < (shipped["ece"].value or 0)
    assert (shifted["brier_skill"].value or 0) > (shipped["brier_skill"].value or 1)


def test_both_ways_are_wider_than_either_and_the_seed_decides() -> None:
    data, scores = random_set(postings=12, resumes=30)
    resamples = resampled(data, rounds=200)
    figure = ranking_samples(scores, resamples, 0.75).figures(resamples)["roc_auc"]
    assert figure.by_both is not None
    assert figure.by_resume is not None
    assert figure.by_posting is not None
    width = {
        name: of.high - of.low
        for name, of in (("both", figure.by_both), ("r", figure.by_resume), ("p", figure.by_posting))
    }
    assert width["both"] > max(width["r"], width["p"])
    again = resampled(data, rounds=200)
    assert ranking_samples(scores, again, 0.75).figures(again)["roc_auc"] == figure


def test_a_system_less_itself_is_nothing() -> None:
    data, scores = random_set()
    resamples = resampled(data)
    one = ranking_samples(scores, resamples, 0.75)
    for figure in one.less(one, resamples).values():
        assert figure.value == 0
        assert figure.by_both is not None
        assert (figure.by_both.low, figure.by_both.high) == (0, 0)


def test_one_posting_has_no_interval_over_postings() -> None:
    data = one_posting([1, 0, 1, 0, 0])
    resamples = resampled(data, rounds=40)
    figure = ranking_samples(np.array([0.9, 0.8, 0.7, 0.2, 0.1]), resamples, 0.75).figures(resamples)[
        "roc_auc"
    ]
    assert figure.by_resume is not None
    assert figure.by_posting is None
    assert figure.by_both is None
