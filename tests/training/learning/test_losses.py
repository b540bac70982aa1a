"""Hand-computed values, and what each loss must reward."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, tensor

from training.learning import losses

LABELS = tensor([[1, 0, -1], [0, 1, 0]])
NO_GROUPS = tensor([-1, -1, -1])


def test_contrastive_by_hand() -> None:
    scores = tensor([[0.5, 0.1, 9.0], [0.2, 0.4, 0.0]])
    found = losses.contrastive(scores, LABELS, temperature=0.1)
    rows = [math.log(1 + math.exp(-4.0)), math.log(1 + math.exp(-2.0) + math.exp(-4.0))]
    columns = [math.log(1 + math.exp(-3.0)), math.log(1 + math.exp(-3.0))]
    assert found.item() == pytest.approx((sum(rows) / 2 + sum(columns) / 2) / 2, rel=1e-5)


def test_contrastive_ignores_pairs_without_a_label() -> None:
    scores = tensor([[0.5, 0.1, 9.0], [0.2, 0.4, 0.0]])
    other = scores.clone()
    other[0, 2] = -3.0
    assert losses.contrastive(scores, LABELS, 0.1) == losses.contrastive(other, LABELS, 0.1)


def test_classification_weighs_both_classes_the_same() -> None:
    logits = torch.zeros(2, 3)
    assert losses.classification(logits, LABELS).item() == pytest.approx(math.log(2))
    sure = tensor([[9.0, -9.0, 0.0], [-9.0, 9.0, -9.0]])
    assert losses.classification(sure, LABELS).item() < 1e-3


def test_parity_losses_by_hand() -> None:
    p = tensor([[0.9, 0.5, 0.1, 0.3], [0.9, 0.5, 0.1, 0.3]])
    labels = tensor([[1, 0, 1, 0], [1, 0, 1, 0]])
    groups = tensor([0, 0, 1, 1])
    # Group means 0.7 and 0.2; among matches 0.9 and 0.1, among the others 0.5 and 0.3.
    assert losses.demographic_parity(p, labels, groups).item() == pytest.approx(0.25**2)
    assert losses.equalized_odds(p, labels, groups).item() == pytest.approx(0.4**2 + 0.1**2)
    assert losses.prediction_gap(p, labels, groups, squared=False).item() == pytest.approx(0.5)
    assert losses.prediction_gap(p, labels, groups, squared=True).item() == pytest.approx(0.25)


def test_one_group_only_has_no_parity_loss() -> None:
    p, groups = torch.rand(2, 3), tensor([1, 1, -1])
    assert losses.demographic_parity(p, LABELS, groups).item() == 0.0
    assert losses.prediction_gap(p, LABELS, groups, squared=False).item() == 0.0


def test_pairing_by_hand() -> None:
    variants = tensor([[[0.4], [0.6]]])
    # Shifts from the reference 0.1 and 0.3, from their own mean -0.1 and 0.1; in units of 0.1.
    found = losses.counterfactual_pairing(variants, tensor([[0.3]]), tensor(0.1))
    assert found.item() == pytest.approx((1 + 9) / 2 + 1)


def test_benign_edits_by_hand() -> None:
    # One resume, two versions 0.2 apart, a spread of 0.1: each is one spread from their mean.
    versions = torch.tensor([[[0.3], [0.5]]])
    assert losses.benign_edits(versions, torch.tensor(0.1)).item() == pytest.approx(1.0)
    assert losses.benign_edits(versions[:, :1], torch.tensor(0.1)).item() == 0


def test_pairing_does_not_reward_compressed_scores() -> None:
    scores = torch.rand(3, 4, requires_grad=True)
    variants = torch.rand(2, 5, 3)
    for factor in (1.0, 0.1):
        shrunk = losses.counterfactual_pairing(
            variants * factor, variants[:, 0] * factor, (scores * factor).std()
        )
        assert shrunk.item() == pytest.approx(
            losses.counterfactual_pairing(variants, variants[:, 0], scores.std()).item(), rel=1e-4
        )


@pytest.mark.parametrize(
    "empty",
    [
        losses.contrastive(torch.zeros(2, 3), torch.full((2, 3), -1), 0.1),
        losses.classification(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.long)),
        losses.group_prediction(torch.zeros(3, 2), NO_GROUPS),
    ],
)
def test_nothing_to_learn_from_is_zero(empty: Tensor) -> None:
    assert empty.item() == 0.0
