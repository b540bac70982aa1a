from __future__ import annotations

import pytest
from pydantic import ValidationError

from training.learning.epochs import SelectionConfig, chosen_epochs, should_stop


def row(epoch: int, pr_auc: float, fairness: float, shift: float = 0.0) -> dict[str, float]:
    return {
        "epoch": epoch,
        "pr_auc": pr_auc,
        "overall_fairness_score": fairness,
        "balanced_overall_fairness_score": fairness,
        "counterfactual_shift_sd": shift,
    }


ROWS = [row(1, 0.70, 0.05), row(2, 0.80, 0.10), row(3, 0.90, 0.40), row(4, 0.79, 0.11)]


def test_each_choice_has_its_own_measure() -> None:
    chosen = chosen_epochs(ROWS, SelectionConfig(window=(2, 4), fairness_weight=0.5))
    assert {name: ROWS[i]["epoch"] for name, i in chosen.items()} == {
        "best": 2,  # 0.675, 0.75, 0.70, 0.735
        "best_utility": 3,
        "best_fairness": 1,
        "window_best": 2,
    }


def test_a_window_without_a_fair_enough_epoch_has_no_best() -> None:
    assert "window_best" not in chosen_epochs(ROWS, SelectionConfig(window=(3, 3)))


def test_the_shift_under_other_names_counts_against_an_epoch() -> None:
    rows = [row(1, 0.8, 0.1), row(2, 0.81, 0.1, shift=0.5)]
    assert chosen_epochs(rows, SelectionConfig())["best"] == 0


def test_patience() -> None:
    config = SelectionConfig(patience=2)
    assert not should_stop(ROWS[:3], config)
    assert should_stop(ROWS, config)
    assert not should_stop(ROWS, SelectionConfig())


def test_a_window_must_be_in_order() -> None:
    with pytest.raises(ValidationError, match="1 <= first <= last"):
        SelectionConfig(window=(5, 2))
