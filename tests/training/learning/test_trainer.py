"""A run leaves what it says, and an interrupted one comes to the same result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback, TrainingArguments, set_seed

from tests.support.training_world import World, examples_of, world_of
from training.learning.batches import Collator, SamplingConfig, TrainingItems
from training.learning.epochs import SelectionConfig
from training.learning.model import FairMatcher, LossWeights
from training.learning.trainer import WEIGHTS, FairTrainer, TrainerConfig
from training.learning.validation import DivergedError, Validator

CONFIG = TrainerConfig(
    epochs=4,
    batch_jobs=4,
    learning_rate=2e-3,
    precision="f32",
    validation_resumes=3,
    kept_share=0.5,
    threads=1,
)


def trainer_of(
    world: World, folder: Path, config: TrainerConfig = CONFIG, selection: SelectionConfig | None = None
) -> FairTrainer:
    set_seed(3)
    sampling = SamplingConfig(pairs="one_a_job", counterfactual_share=0.5)
    groups = world.pairs.groups()
    items = TrainingItems(world.pairs, world.tokenizer, sampling, seed=3)
    model = FairMatcher(
        world.encoder(),
        world.policy,
        LossWeights(pairing=0.01),
        groups,
        dimensions=world.base.spec.dimensions,
    )
    validation = world.tokenizer.tokenize(examples_of(3, prefix="validation", seed=5))
    return FairTrainer(
        model,
        items,
        Collator(world.pairs, groups, sampling),
        Validator(validation, world.tokenizer, world.policy, counterfactual_resumes=3, seed=3),
        folder,
        config,
        selection or SelectionConfig(window=(1, 3), window_fairness=1.1),
        seed=3,
        quiet=True,
    )


class _StopAfter(TrainerCallback):
    """Interrupts as Ctrl+C does, in the middle of an epoch."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_step_end(self, args: object, state: object, control: object, **kwargs: object) -> None:
        if getattr(state, "global_step", 0) == self._step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def finished(world: World, tmp_path_factory: pytest.TempPathFactory) -> FairTrainer:
    trainer = trainer_of(world, tmp_path_factory.mktemp("run"))
    trainer.train()
    return trainer


def test_training_lowers_the_loss(world: World, finished: FairTrainer, tmp_path: Path) -> None:
    """Of the same items before and after: epochs draw anew, and their losses differ by what they drew."""
    items = TrainingItems(world.pairs, world.tokenizer, SamplingConfig(pairs="one_a_job"), seed=9)
    batch = Collator(world.pairs, world.pairs.groups(), SamplingConfig(pairs="one_a_job"))(
        [items[i] for i in range(12)]
    )
    before, after = (t._matcher(**batch)["contrastive"] for t in (trainer_of(world, tmp_path), finished))
    assert after < before
    assert [row["epoch"] for row in finished.history.rows] == [1, 2, 3, 4]


def test_history_and_chosen_epochs_are_written(finished: FairTrainer) -> None:
    folder = Path(str(finished.args.output_dir))
    history = json.loads((folder / "training_history.json").read_text("utf-8"))
    assert [row["epoch"] for row in history["epochs"]] == [1, 2, 3, 4]
    assert set(history["chosen"]) == {"best", "best_utility", "best_fairness", "window_best"}
    lines = (folder / "epoch_metrics.csv").read_text("utf-8").splitlines()
    assert len(lines) == 5
    assert {"epoch", "pr_auc", "overall_fairness_score", "counterfactual_shift_sd"} <= set(
        lines[0].split(",")
    )
    for name in history["chosen"]:
        assert (folder / "kept" / name / "adapter_model.safetensors").is_file()


def test_checkpoints_hold_no_base_weights(finished: FairTrainer) -> None:
    weights = load_file(Path(str(finished.args.output_dir)) / "checkpoint-12" / WEIGHTS)
    assert all("lora_" in name or name.startswith("match_head") for name in weights)


@pytest.mark.slow
def test_epochs_are_kept_with_their_share_of_the_update(world: World, tmp_path: Path) -> None:
    trainer_of(world, tmp_path, CONFIG.model_copy(update={"epochs": 1})).train()
    trained = load_file(tmp_path / "checkpoint-3" / WEIGHTS)
    kept = load_file(tmp_path / "kept" / "best" / "adapter_model.safetensors")
    assert kept
    for name, weight in kept.items():
        place = name.removeprefix("base_model.model.").removesuffix(".weight")
        (whole,) = [tensor for key, tensor in trained.items() if place in key]
        torch.testing.assert_close(weight, (0.5 if "lora_B" in name else 1.0) * whole)


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_same_result(
    world: World, finished: FairTrainer, tmp_path: Path
) -> None:
    first = trainer_of(world, tmp_path)
    first.add_callback(_StopAfter(8))
    with pytest.raises(KeyboardInterrupt):
        first.train()

    second = trainer_of(world, tmp_path)
    second.train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))

    assert second.history.rows == finished.history.rows
    expected = load_file(Path(str(finished.args.output_dir)) / "checkpoint-12" / WEIGHTS)
    actual = load_file(tmp_path / "checkpoint-12" / WEIGHTS)
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(actual[name], tensor, atol=0, rtol=0)


@pytest.mark.slow
def test_patience_ends_the_run(world: World, tmp_path: Path) -> None:
    still = CONFIG.model_copy(update={"epochs": 5, "learning_rate": 1e-30})
    trainer = trainer_of(world, tmp_path, still, SelectionConfig(patience=1))
    trainer.train()
    assert len(trainer.history.rows) == 2


@pytest.mark.slow
def test_a_run_that_stopped_early_is_not_trained_on_when_resumed(world: World, tmp_path: Path) -> None:
    still = CONFIG.model_copy(update={"epochs": 5, "learning_rate": 1e-30})
    trainer_of(world, tmp_path, still, SelectionConfig(patience=1)).train_from(None)
    resumed = trainer_of(world, tmp_path, still, SelectionConfig(patience=1))
    resumed.train_from(tmp_path / "checkpoint-6")
    assert len(resumed.history.rows) == 2
    assert resumed.state.global_step == 0


def test_a_loss_that_is_no_number_ends_the_run(world: World, tmp_path: Path) -> None:
    trainer = trainer_of(world, tmp_path)
    with torch.no_grad():
        next(p for p in trainer._matcher.parameters() if p.requires_grad).fill_(torch.nan)
    with pytest.raises(DivergedError, match=r"not finite after step 0: lower trainer\.learning_rate"):
        trainer.train_from(None)


def test_accumulated_steps_move_the_weights_as_their_mean_gradient_does(world: World, tmp_path: Path) -> None:
    """Two batches of 4 in one step: the gradient is the mean of the batches' own."""
    config = CONFIG.model_copy(update={"accumulation": 2, "batch_jobs": 4, "epochs": 1})
    trainer = trainer_of(world, tmp_path, config)
    seen: list[dict[str, torch.Tensor]] = []
    batches: list[dict[str, object]] = []
    compute = trainer.compute_loss

    def watched(model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        batches.append(inputs)
        return compute(model, inputs, *args, **kwargs)

    class Watch(TrainerCallback):
        def on_pre_optimizer_step(self, *args: object, **kwargs: object) -> None:
            named = trainer._matcher.named_parameters()
            seen.append({name: p.grad.clone() for name, p in named if p.grad is not None})

    trainer.compute_loss = watched  # type: ignore[method-assign]
    trainer.args.max_grad_norm = 0.0
    trainer.add_callback(Watch())
    trainer.train_from(None)

    fresh = trainer_of(world, tmp_path / "fresh", config)._matcher.train()
    # The first step's strengths: all fairness losses at 0.
    fresh.strengths.fairness = fresh.strengths.reversal = 0.0
    for batch in batches[:2]:
        (fresh(**batch)["loss"] / 2).backward()
    assert len(seen) == 2  # three batches: two, and one that is left
    for name, parameter in fresh.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(seen[0][name], parameter.grad, atol=1e-5, rtol=1e-4)


def test_a_batch_is_not_torn_apart_among_several_gpus(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TrainingArguments, "n_gpu", property(lambda self: getattr(self, "_n_gpu", 2) or 2))
    trainer = trainer_of(world, tmp_path)
    assert trainer.args.n_gpu == 1
    assert trainer.args.train_batch_size == CONFIG.batch_jobs


@pytest.mark.slow
def test_a_model_of_the_shape_of_bge_large_trains(tmp_path: Path) -> None:
    """CLS pooling, a query prefix, 24 layers of 16 heads; only the dimensions are tiny."""
    large = world_of(tmp_path / "large", layers=24, heads=16)
    trainer_of(large, tmp_path / "run", CONFIG.model_copy(update={"epochs": 1})).train()
    weights = load_file(tmp_path / "run" / "checkpoint-3" / WEIGHTS)
    moved = [name for name, weight in weights.items() if "lora_B" in name and bool(weight.any())]
    assert len(moved) == 24 * 6  # query, key, value and the three dense layers of each
