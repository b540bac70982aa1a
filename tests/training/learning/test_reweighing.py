"""Weights of pairs against formulas by hand, against scikit-learn's, and what they do to each loss."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight
from torch import tensor

from tests.support.training_world import World
from training.learning import losses
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.reweighing import Cell, ReweighingConfig, cell_weights

F, M = ("female",), ("male",)
COUNTS: dict[tuple[Cell, int], float] = {(F, 1): 2, (F, 0): 18, (M, 1): 30, (M, 0): 50}


def test_kamiran_calders_by_hand() -> None:
    found = cell_weights(COUNTS, "kamiran_calders", cap=10)
    # 100 pairs: 20 of women, 80 of men; 32 matches.
    assert found == pytest.approx(
        {(F, 1): 20 * 32 / 200, (F, 0): 20 * 68 / 1800, (M, 1): 80 * 32 / 3000, (M, 0): 80 * 68 / 5000}
    )
    weighted = {key: n * found[key] for key, n in COUNTS.items()}
    # As many pairs as before, and among women as large a share of matches as among men.
    assert sum(weighted.values()) == pytest.approx(100)
    shares = {cell: weighted[cell, 1] / (weighted[cell, 1] + weighted[cell, 0]) for cell in (F, M)}
    assert shares == pytest.approx({F: 0.32, M: 0.32})


def test_inverse_frequency_is_what_scikit_learn_calls_balanced() -> None:
    cells = [f"{cell[0]}:{label}" for (cell, label), n in COUNTS.items() for _ in range(int(n))]
    theirs = dict(zip(cells, compute_sample_weight("balanced", np.array(cells)), strict=True))
    ours = cell_weights(COUNTS, "inverse_frequency", cap=100)
    assert {f"{cell[0]}:{label}": weight for (cell, label), weight in ours.items()} == pytest.approx(theirs)
    assert ours[F, 1] == pytest.approx(100 / (4 * 2))


def test_weights_stay_within_the_cap() -> None:
    assert cell_weights(COUNTS, "inverse_frequency", cap=2) == pytest.approx(
        {(F, 1): 2, (F, 0): 100 / 72, (M, 1): 100 / 120, (M, 0): 0.5}
    )
    assert set(cell_weights(COUNTS, "kamiran_calders", cap=1).values()) == {1.0}
    assert cell_weights(COUNTS, "none", cap=5) == {}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]), st.sampled_from([0, 1])),
        st.integers(1, 400),
        min_size=8,
        max_size=8,
    )
)
def test_group_and_label_are_independent_in_reweighed_pairs(counts: dict[tuple[Cell, int], float]) -> None:
    found = cell_weights(counts, "kamiran_calders", cap=1e9)
    total = sum(counts.values())
    for cell in {cell for cell, _ in counts}:
        weighted = [counts[cell, label] * found[cell, label] for label in (0, 1)]
        rate = sum(n for (_, label), n in counts.items() if label == 1) / total
        assert weighted[1] / sum(weighted) == pytest.approx(rate)
        assert sum(weighted) == pytest.approx(counts[cell, 0] + counts[cell, 1])


@pytest.mark.parametrize("pairs", ["all", "one_a_job"])
def test_the_weights_of_a_split_are_of_what_an_epoch_draws(world: World, pairs: str) -> None:
    config = SamplingConfig.model_validate(
        {"pairs": pairs, "reweighing": {"method": "inverse_frequency", "attributes": ["sex"], "cap": 100}}
    )
    items = TrainingItems(world.pairs, world.tokenizer, config, seed=1)
    assert items.weights is not None
    drawn: Counter[tuple[Cell, int]] = Counter()
    epochs = 1 if pairs == "all" else 200
    for epoch in range(epochs):
        items.set_epoch(epoch)
        for index in range(items.distinct):
            job, resumes = items._draw.item(index, _random(epoch, index))
            for resume in resumes:
                sex = world.pairs.resumes[resume].groups["sex"]
                drawn[(sex,), world.pairs.labels[job, resume]] += 1
    expected = cell_weights(drawn, "inverse_frequency", cap=100)
    assert items.weights.table == pytest.approx(expected, rel=1e-9 if pairs == "all" else 0.1)


def test_who_has_no_group_weighs_1(world: World) -> None:
    """Of intersections: who lacks one of the attributes."""
    groups = [dict(resume.groups) for resume in world.pairs.resumes]
    try:
        for number, resume in enumerate(world.pairs.resumes):
            if number % 3:
                resume.groups["race"] = "black" if number % 2 else "white"
        config = SamplingConfig.model_validate({"reweighing": {"method": "inverse_frequency"}})
        weights = TrainingItems(world.pairs, world.tokenizer, config, seed=1).weights
        assert weights is not None
        assert {cell for cell, _ in weights.table} <= {
            (race, sex) for race in ("black", "white") for sex in ("female", "male")
        }
        assert {weights.of(number, 1) for number in range(0, len(groups), 3)} == {1.0}
        assert {weights.of(number, 1) for number in range(1, len(groups), 3)} != {1.0}
    finally:
        for resume, before in zip(world.pairs.resumes, groups, strict=True):
            resume.groups.pop("race", None)
            assert resume.groups == before


def test_a_batch_brings_the_weights_of_its_pairs(world: World) -> None:
    config = SamplingConfig.model_validate(
        {
            "counterfactual_share": 1.0,
            "edited_share": 0.0,
            "reweighing": {"method": "kamiran_calders", "cap": 3},
        }
    )
    items = TrainingItems(world.pairs, world.tokenizer, config, seed=1)
    assert items.weights is not None
    some = [items[i] for i in range(0, 12, 2)]
    batch = Collator(world.pairs, world.pairs.groups(), config, items.weights)(some)
    resumes = [resume.number for item in some for resume in item.resumes]
    for j, labels in enumerate(batch["labels"].tolist()):
        for r, label in enumerate(labels):
            expected = 1.0 if label == losses.UNKNOWN else items.weights.of(resumes[r], label)
            assert batch["weights"]["match"][j, r].item() == pytest.approx(expected)
    assert batch["weights"]["pairing"].shape == (len(some),)
    assert batch["weights"]["benign_edits"].shape == (0,)
    assert Collator(world.pairs, {}, SamplingConfig())(some)["weights"] is None


LABELS = tensor([[1, 0, 1, -1], [0, 1, 0, 1], [0, -1, 0, 1]])
SCORES = tensor([[0.5, 0.1, 0.3, 0.7], [0.2, 0.4, 0.0, 0.1], [0.3, 0.2, 0.6, 0.5]])


def test_equal_weights_change_nothing() -> None:
    for weight in (1.0, 3.0):
        same = torch.full(LABELS.shape, weight)
        plain, weighed = (losses.classification(SCORES, LABELS, of) for of in (None, same))
        torch.testing.assert_close(weighed, plain)
    ones = torch.ones(LABELS.shape)
    torch.testing.assert_close(
        losses.contrastive(SCORES, LABELS, 0.1, ones), losses.contrastive(SCORES, LABELS, 0.1)
    )
    variants, reference = torch.rand(3, 2, 4), torch.rand(3, 4)
    torch.testing.assert_close(
        losses.counterfactual_pairing(variants, reference, tensor(0.1), torch.full((3,), 2.0)),
        losses.counterfactual_pairing(variants, reference, tensor(0.1)),
    )


def test_weighed_contrastive_by_hand() -> None:
    scores = tensor([[0.5, 0.1], [0.2, 0.4]])
    labels = tensor([[1, 0], [0, 1]])
    weights = tensor([[3.0, 2.0], [0.5, 1.0]])
    found = losses.contrastive(scores, labels, 0.1, weights)
    # The non-match counts 2 times for the first job, whose match makes it count 3 times; and so on.
    rows = (3 * math.log(1 + 2 * math.exp(-4)) + 1 * math.log(1 + 0.5 * math.exp(-2))) / 4
    columns = (3 * math.log(1 + 0.5 * math.exp(-3)) + 1 * math.log(1 + 2 * math.exp(-3))) / 4
    assert found.item() == pytest.approx((rows + columns) / 2, rel=1e-5)


def test_non_matches_of_weight_2_count_as_two() -> None:
    """Beside a copy of the resume, for a job's own average."""
    labels = tensor([[1, 0, 0]])
    scores = tensor([[0.4, 0.3, 0.1]])
    twice = losses._one_way(scores / 0.1, labels, tensor([[1.0, 2.0, 1.0]]))
    copied = losses._one_way(tensor([[0.4, 0.3, 0.3, 0.1]]) / 0.1, tensor([[1, 0, 0, 0]]), None)
    torch.testing.assert_close(twice, copied)


def test_a_heavier_match_is_pulled_harder() -> None:
    pulls = []
    for weight in (1.0, 4.0):
        scores = SCORES.clone().requires_grad_()
        weights = torch.ones(LABELS.shape)
        weights[1, 1] = weight
        torch.autograd.backward(losses.contrastive(scores, LABELS, 0.5, weights))
        assert scores.grad is not None
        pulls.append(float(scores.grad[1, 1]))
    assert pulls[1] < pulls[0] < 0


def test_weighed_classification_and_pairing_by_hand() -> None:
    logits = tensor([[2.0, 0.0, 1.0]])
    labels = tensor([[1, 1, 0]])
    found = losses.classification(logits, labels, tensor([[3.0, 1.0, 9.0]]))
    log1p = math.log1p
    of_matches = (3 * log1p(math.exp(-2.0)) + log1p(1.0)) / 4
    assert found.item() == pytest.approx((of_matches + log1p(math.exp(1.0))) / 2, rel=1e-5)
    variants = tensor([[[0.4], [0.6]], [[0.3], [0.3]]])
    found = losses.counterfactual_pairing(variants, tensor([[0.3], [0.3]]), tensor(0.1), tensor([1.0, 3.0]))
    assert found.item() == pytest.approx((1 * ((1 + 9) / 2 + 1) + 3 * 0) / 4, rel=1e-5)


@pytest.mark.parametrize(
    ("given_", "said"),
    [({"cap": 0.5}, "cap"), ({"method": "aif"}, "method"), ({"attributes": []}, "attributes")],
)
def test_what_cannot_be_is_refused(given_: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ReweighingConfig.model_validate(given_)


def _random(epoch: int, index: int) -> random.Random:
    return random.Random(f"{epoch}:{index}")
