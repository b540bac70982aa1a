from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from sklearn.metrics import precision_score

from tests.support.scored_pairs import pairs_of, random_pairs
from training.evaluation.exposure import exposure_figures, place_weights
from training.evaluation.parity import GroupRates, group_calibration
from training.evaluation.resampling import JobResamples
from training.evaluation.scored_pairs import ScoredPairs


def rates_of(
    pairs: ScoredPairs, attribute: str = "sex", rounds: int = 50, threshold: float = 0.5
) -> GroupRates:
    drawn = JobResamples(pairs, rounds, np.random.default_rng(0))
    return GroupRates.of(pairs, pairs.labels, pairs.raw_scores >= threshold, attribute, drawn)


@pytest.mark.parametrize("attribute", ["sex", "race_ethnicity"])
def test_rates_and_differences_agree_with_fairlearn(attribute: str) -> None:
    pairs = random_pairs()
    known = np.array([g is not None for g in pairs.groups[attribute]])
    y, s = pairs.labels[known], (pairs.raw_scores >= 0.5)[known]
    features = [g for g in pairs.groups[attribute] if g is not None]
    rates = rates_of(pairs, attribute)
    frame = MetricFrame(
        metrics={
            "selection_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
            "false_positive_rate": false_positive_rate,
            "precision": precision_score,
        },
        y_true=y,
        y_pred=s,
        sensitive_features=features,
    )
    for i, group in enumerate(rates.names):
        for name, of in rates.group_figures(i).items():
            assert of.value == pytest.approx(frame.by_group.loc[group, name], abs=1e-6)
    found = rates.differences(30)
    arguments = {"y_true": y, "y_pred": s, "sensitive_features": features}
    oracles = {
        "demographic_parity_difference": demographic_parity_difference(**arguments),
        "impact_ratio": demographic_parity_ratio(**arguments),
        "equal_opportunity_difference": equal_opportunity_difference(**arguments),
        "equalized_odds_difference": equalized_odds_difference(**arguments),
        "predictive_parity_difference": frame.difference()["precision"],
    }
    for name, expected in oracles.items():
        assert found[name].value == pytest.approx(expected, abs=1e-6)


def test_the_interval_holds_a_known_difference() -> None:
    biased, equal = random_pairs(4_000, 100, shift=0.15), random_pairs(4_000, 100, shift=0.0)
    found = rates_of(biased, rounds=100).differences(30)["equal_opportunity_difference"]
    assert found.low is not None
    assert found.low > 0.1
    none = rates_of(equal, rounds=100).differences(30)["equal_opportunity_difference"]
    assert none.low is not None
    assert none.low < 0.03


def test_hand_computed_fairness_scores() -> None:
    # a: 2 of 4 matches and 1 of 4 others selected; b: 4 of 4 and 0 of 4.
    labels = [1] * 4 + [0] * 4 + [1] * 4 + [0] * 4
    scores = [0.9, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1] + [0.9] * 4 + [0.1] * 4
    pairs = pairs_of(scores, labels, groups={"sex": ["a"] * 8 + ["b"] * 8})
    rates = rates_of(pairs)
    # selection 3/8 and 4/8; TPR 1/2 and 1; FPR 1/4 and 0; precision 2/3 and 1.
    raw = (1 / 8 + 1 / 2 + 1 / 3) / 3
    assert rates.fairness_samples(1, balanced=False)[0] == pytest.approx(raw)
    # Groups and labels are of equal size here, so the balanced score is the same.
    assert rates.fairness_samples(1, balanced=True)[0] == pytest.approx(raw)


def test_the_balanced_score_does_not_see_how_many_of_a_group_match() -> None:
    # Both groups: TPR 1/2, FPR 1/4; but a has 8 matches and 4 others, b has 2 and 8.
    def group(matches: int, others: int) -> tuple[list[float], list[int]]:
        scores = [0.9] * (matches // 2) + [0.1] * (matches // 2)
        scores += [0.9] * (others // 4) + [0.1] * (others - others // 4)
        return scores, [1] * matches + [0] * others

    (sa, ya), (sb, yb) = group(8, 4), group(2, 8)
    rates = rates_of(pairs_of(sa + sb, ya + yb, groups={"sex": ["a"] * 12 + ["b"] * 10}))
    assert rates.fairness_samples(1, balanced=True)[0] == pytest.approx(0)
    assert rates.fairness_samples(1, balanced=False)[0] > 0.1


def test_what_cannot_be_computed_says_why() -> None:
    pairs = pairs_of([0.9, 0.1, 0.2, 0.1], [1, 0, 0, 0], groups={"sex": ["a", "a", "b", None]})
    rates = rates_of(pairs)
    b = rates.group_figures(1)
    assert (b["true_positive_rate"].value, b["true_positive_rate"].reason) == (
        None,
        "no matches in this group",
    )
    assert b["precision"].reason == "nobody of this group was selected"
    small = rates.differences(30)["demographic_parity_difference"]
    assert small.value is None
    assert small.reason == "fewer than two groups with 30 pairs for selection_rate: a 2, b 1"
    odds = rates.differences(1)["equalized_odds_difference"]
    assert odds.reason == "fewer than two groups with 1 pairs for true_positive_rate: a 1, b 0"
    nobody = rates_of(pairs, threshold=0.95).differences(1)["impact_ratio"]
    assert nobody.reason == "nobody was selected"


def test_a_well_calibrated_group_beside_one_that_is_not() -> None:
    # Both are given 0.75; three of four match in a, one of four in b.
    pairs = pairs_of([0.75] * 8, [1, 1, 1, 0, 1, 0, 0, 0], groups={"sex": ["a"] * 4 + ["b"] * 4})
    drawn = JobResamples(pairs, 0, np.random.default_rng(0))
    a, b = (
        group_calibration(pairs, pairs.labels, pairs.raw_scores, pairs.members("sex", g), drawn) for g in "ab"
    )
    assert (a["ece"].value, b["ece"].value) == (0, 0.5)
    assert (b["match_rate"].value, b["mean_probability"].value) == (0.25, 0.75)


def test_equal_scores_share_their_places() -> None:
    np.testing.assert_allclose(
        place_weights(np.array([0.5, 0.9, 0.5]), np.array([1.0, 1.0, 0.0])), [0.5, 1, 0.5]
    )


def test_hand_computed_exposure() -> None:
    # Job x: a, b, b, b from the top: a has the first place and a quarter of the pool.
    # Job y: one group only, so it shows nothing. The unknown one takes a place and no share.
    pairs = pairs_of(
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.9, 0.8],
        [0] * 7,
        ["x"] * 5 + ["y"] * 2,
        {"sex": ["a", "b", "b", None, "b", "a", "a"]},
    )
    found = exposure_figures(pairs, "sex", JobResamples(pairs, 0, np.random.default_rng(0)))
    assert found["a"]["pool_share"].value == 0.25
    assert (found["a"]["top_1_share"].value, found["a"]["top_1_ratio"].value) == (1, 4)
    assert found["b"]["top_1_ratio"].value == 0
    weights = 1 / np.log2(np.array([2, 3, 4, 6]))
    assert found["a"]["discounted_share"].value == pytest.approx(weights[0] / weights.sum(), abs=1e-6)
    assert found["a"]["discounted_share"].n == 1
    assert (
        found["a"]["top_5_share"].reason == "no job whose candidates are of two known groups and more than 5"
    )


def test_exposure_by_lot_is_about_one() -> None:
    found = exposure_figures(
        random_pairs(6_000, 100, shift=0.0),
        "sex",
        JobResamples(random_pairs(6_000, 100, shift=0.0), 100, np.random.default_rng(0)),
    )
    ratio = found["female"]["top_10_ratio"]
    assert ratio.low is not None
    assert ratio.high is not None
    assert ratio.low < 1 < ratio.high
