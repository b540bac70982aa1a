"""What adaptation asks for, against figures worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from training.adaptation.objective import matched_parts, mean_of, moved_neighbours

EYE = torch.eye(3)


def test_parts_that_belong_together_cost_what_the_formula_says() -> None:
    """Cosines are 1 on the diagonal and 0 elsewhere: -log(e^2 / (e^2 + 2)) at temperature 0.5."""
    expected = -math.log(math.exp(2) / (math.exp(2) + 2))
    assert matched_parts(EYE, EYE, 0.5).item() == pytest.approx(expected)
    wrong = matched_parts(EYE, EYE.roll(1, 0), 0.5).item()
    assert wrong == pytest.approx(-math.log(1 / (math.exp(2) + 2)))


def test_what_would_be_as_right_takes_no_part() -> None:
    """Rows 0 and 1 are of postings that look for the same people."""
    alike = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    of_two = -math.log(math.exp(2) / (math.exp(2) + 1))
    of_three = -math.log(math.exp(2) / (math.exp(2) + 2))
    assert matched_parts(EYE, EYE, 0.5, alike).item() == pytest.approx((2 * of_two + of_three) / 3)


def test_neighbourhoods_that_stay_cost_nothing_and_others_their_divergence() -> None:
    generator = torch.Generator().manual_seed(1)
    before = torch.nn.functional.normalize(torch.randn(5, 8, generator=generator), dim=-1)
    rotation, _ = torch.linalg.qr(torch.randn(8, 8, generator=generator))
    assert moved_neighbours(before @ rotation, before, 0.1).item() == pytest.approx(0, abs=1e-5)
    # Of three texts: the first had its neighbours at cosines 1 and 0, now at 0 and 1.
    first = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    now = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    p = torch.softmax(torch.tensor([1.0, 0.0]), 0)
    swapped = float((p * (p / p.flip(0)).log()).sum())
    # The other two had the cosines (1, 0) and (0, 0), and have (0, 0) and (1, 0).
    even = torch.tensor([0.5, 0.5])
    others = float((p * (p / even).log()).sum() + (even * (even / p).log()).sum())
    assert moved_neighbours(now, first, 1.0).item() == pytest.approx((swapped + others) / 3, abs=1e-6)


def test_the_mean_of_rows_is_a_unit_vector() -> None:
    found = mean_of(EYE, [[0, 1], [2]])
    assert found[0].tolist() == pytest.approx([math.sqrt(0.5), math.sqrt(0.5), 0.0])
    assert found[1].tolist() == [0.0, 0.0, 1.0]
