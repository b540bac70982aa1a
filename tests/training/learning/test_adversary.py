"""The adversary's strength follows what it knows, within bounds, and is in the checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, tensor

from tests.support.training_world import World
from training.learning.adversary import AdversaryClamp, AdversaryClampConfig
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.model import NAME_GROUP, FairMatcher, LossWeights

CONFIG = AdversaryClampConfig(
    adaptive=True, least=0.25, most=4.0, lower_below=0.1, raise_above=0.5, pace=0.1, memory=4
)


def told(right: int, wrong: int) -> dict[str, tuple[Tensor, Tensor]]:
    """Of each of two groups so many rows told right, and so many wrong; one row whose group is unknown."""
    groups = [0] * (right + wrong) + [1] * (right + wrong)
    said = [0] * right + [1] * wrong + [1] * right + [0] * wrong
    logits = torch.nn.functional.one_hot(tensor([*said, 0]), 2).float()
    return {"sex": (logits, tensor([*groups, -1]))}


def run(clamp: AdversaryClamp, steps: int, right: int, wrong: int, match: float = 1.0) -> None:
    for _ in range(steps):
        clamp.note(told(right, wrong), match)
        clamp.step(pushing=True)


def test_advantage_by_hand() -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    clamp.note(told(3, 1), 1.0)
    clamp.step(pushing=True)
    assert clamp.advantage == pytest.approx((0.75 - 0.5) / 0.5)
    clamp.note(told(1, 3), 1.0)
    clamp.step(pushing=True)
    # The first step's rows have decayed to 3/4: (0.75 * 3 + 1) of (0.75 * 4 + 4) are told.
    assert clamp.advantage == pytest.approx((3.25 / 7 - 0.5) / 0.5)


def test_rare_groups_count_as_much_and_absent_ones_not_at_all() -> None:
    """Nine of the first group told, one of the second not: no better than chance. A third is not there."""
    clamp = AdversaryClamp(CONFIG, {"race": 3, "other": 2})
    logits = torch.zeros(10, 3)
    logits[:, 0] = 1.0
    clamp.note({"race": (logits, tensor([0] * 9 + [1]))}, 1.0)
    clamp.step(pushing=True)
    assert clamp.advantage == 0.0


def test_one_group_alone_tells_nothing() -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    clamp.note({"sex": (tensor([[1.0, 0.0]]), tensor([0]))}, 1.0)
    clamp.step(pushing=True)
    assert clamp.advantage == 0.0


def test_an_adversary_that_knows_is_pushed_against_harder_up_to_the_most() -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    run(clamp, 1, right=4, wrong=0)
    assert clamp.strength == pytest.approx(1.1)
    run(clamp, 100, right=4, wrong=0)
    assert clamp.strength == 4.0


def test_an_adversary_at_chance_or_below_is_let_go_down_to_the_least() -> None:
    for right, wrong in ((2, 2), (0, 4)):
        clamp = AdversaryClamp(CONFIG, {"sex": 2})
        run(clamp, 1, right, wrong)
        assert clamp.strength == pytest.approx(0.9)
        run(clamp, 100, right, wrong)
        assert clamp.strength == 0.25


def test_between_the_bounds_of_advantage_nothing_moves() -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    run(clamp, 20, right=5, wrong=3)  # an advantage of 0.25
    assert clamp.strength == 1.0


def test_a_match_loss_that_suffers_goes_before_what_the_adversary_knows() -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    run(clamp, 5, right=4, wrong=0, match=1.0)
    raised = clamp.strength
    assert raised > 1
    run(clamp, 10, right=4, wrong=0, match=2.0)
    assert clamp.strength < raised
    # Within the tolerance of the lowest running mean it rises again.
    low = clamp.strength
    run(clamp, 20, right=4, wrong=0, match=1.1)
    assert clamp.strength > low


def test_before_it_pushes_the_strength_rests() -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    for _ in range(5):
        clamp.note(told(4, 0), 1.0)
        clamp.step(pushing=False)
    assert (clamp.strength, clamp.advantage) == (1.0, 1.0)


def test_processes_move_alike_by_what_all_of_them_saw() -> None:
    """One that told all rows and one that told none, summed: chance."""
    seen: list[Tensor] = []
    for right, wrong in ((4, 0), (0, 4)):
        clamp = AdversaryClamp(CONFIG, {"sex": 2})
        clamp.note(told(right, wrong), 1.0)
        clamp.step(pushing=False, reduce=lambda of: seen.append(of) or of)  # type: ignore[func-returns-value]
    clamp = AdversaryClamp(CONFIG, {"sex": 2})
    clamp.step(pushing=True, reduce=lambda _: seen[0] + seen[1])
    assert clamp.advantage == 0.0
    assert clamp.strength == pytest.approx(0.9)


def test_a_checkpoint_brings_the_state_back_to_the_bit(tmp_path: Path) -> None:
    clamp = AdversaryClamp(CONFIG, {"sex": 2, "race": 3})
    run(clamp, 7, right=5, wrong=2, match=1 / 3)
    clamp.save(tmp_path)
    again = AdversaryClamp(CONFIG, {"sex": 2, "race": 3})
    again.load(tmp_path)
    for one in (clamp, again):
        run(one, 5, right=3, wrong=1, match=0.31)
    assert again.figures == clamp.figures
    assert set(clamp.figures) == {"adversary_strength", "adversary_advantage"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"least": 3.0}, "least is 3, above most = 2"),
        ({"lower_below": 0.5}, "lower_below is 0.5, above raise_above = 0.15"),
        ({"pace": 1.0}, "pace"),
    ],
)
def test_bounds_that_contradict_are_refused(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        AdversaryClampConfig.model_validate(given)


def test_the_strength_multiplies_the_gradient_that_reaches_the_encoder(world: World) -> None:
    config = SamplingConfig(counterfactual_share=1.0)
    items = TrainingItems(world.pairs, world.tokenizer, config, seed=1)
    groups = world.pairs.groups()
    torch.manual_seed(0)
    model = FairMatcher(
        world.encoder(),
        world.policy,
        LossWeights(contrastive=0.0, classification=1e-9, adversary=1.0),
        groups | {NAME_GROUP: items.name_groups},
        dimensions=world.base.spec.dimensions,
        clamp=CONFIG,
    )
    batch = Collator(world.pairs, groups, config)([items[0], items[3]])
    assert model.clamp is not None
    gradients: list[dict[str, Tensor]] = []
    for strength in (1.0, 0.5):
        model.strengths.clamp = strength
        model.zero_grad()
        model(**batch)["loss"].backward()
        named = model.named_parameters()
        gradients.append({name: p.grad.clone() for name, p in named if p.grad is not None})
    whole, half = gradients
    reached = [name for name in whole if "lora_B" in name and whole[name].any()]
    assert reached
    for name in reached:
        torch.testing.assert_close(half[name], 0.5 * whole[name], atol=1e-7, rtol=1e-3)
    for name in (name for name in whole if name.startswith("adversary")):
        torch.testing.assert_close(half[name], whole[name])  # the adversary itself learns as before
    model.clamp.step(pushing=True)
    assert -1 <= model.clamp.advantage <= 1
    assert model.current_weights()["adversary"] == 0.5
