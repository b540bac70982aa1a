"""What one of several processes sees of a training, written to FOLDER/seen-RANK.json.

    python -m torch.distributed.run --standalone --nproc-per-node 2 several_processes.py MODE FOLDER

`train`: to the end; again, broken off after the first epoch; on from there; and without dropout, for one
process to repeat. `invalid`: process 0 fails to validate. `die`: process 1 ends without a word.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import TrainerCallback, set_seed

from service.core.encoder import silence_transformers
from tests.support.training_world import World, examples_of, world_of
from training.learning.adapter import AdapterConfig
from training.learning.batches import Collator, SamplingConfig, TrainingItem, TrainingItems
from training.learning.epochs import SelectionConfig
from training.learning.mining import NegativeMiner
from training.learning.model import NAME_GROUP, FairMatcher, LossWeights
from training.learning.processes import part, process_count, process_rank, trains_on_cpu
from training.learning.trainer import FairTrainer, TrainerConfig
from training.learning.validation import DivergedError, Validator

SAMPLING = SamplingConfig(mined_negatives=1, mine_every=2)
MINED_AT_BEGIN = SamplingConfig(mined_negatives=1, mine_every=50)
"""At each epoch's begin alone: within one, the loader has the next batch ready when others are mined."""
CONFIG = TrainerConfig(
    epochs=2,
    batch_jobs=3,
    learning_rate=2e-3,
    precision="f32",
    validation_resumes=2,
    layer_decay=0.5,
    gradient_checkpointing=True,
    adversary_alone=0.0,
)


class _Watch(TrainerCallback):
    """The seed of dropout at each step; breaks off in step `until`, as Ctrl+C does, or ends the process."""

    def __init__(self, seen: dict[str, Any], until: int | None, *, dies: bool) -> None:
        self._seen, self._until, self._dies = seen, until, dies

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._seen["dropout_seeds"].append(torch.initial_seed())
        if state.global_step == self._until:
            if self._dies:
                os._exit(3)
            raise KeyboardInterrupt


class _Collator(Collator):
    """Notes which items a batch is made of: job, and resumes."""

    def __init__(self, *args: Any, seen: dict[str, Any]) -> None:
        super().__init__(*args)
        self._seen = seen

    def __call__(self, items: Sequence[TrainingItem]) -> dict[str, Any]:
        drawn = [[item.job, *sorted(r.number for r in item.resumes)] for item in items]
        self._seen["batches"].append(drawn)
        return super().__call__(items)


class _Items(TrainingItems):
    def set_mined(self, mined: Mapping[int, Sequence[int]]) -> None:
        SEEN["mined"].append({job: list(of) for job, of in mined.items()})
        super().set_mined(mined)


class _InvalidValidator(Validator):
    def __call__(self, encoder: nn.Module, device: torch.device) -> dict[str, float]:
        assert process_rank() == 0, "process 0 validates for all"
        raise DivergedError("scores are not finite after an epoch")


SEEN: dict[str, Any] = {}


def trainer_of(
    world: World,
    folder: Path,
    *,
    until: int | None = None,
    dies: bool = False,
    invalid: bool = False,
    dropout: float = 0.1,
    accumulation: int = 1,
    sampling: SamplingConfig = SAMPLING,
) -> FairTrainer:
    SEEN.clear()
    SEEN.update(dropout_seeds=[], batches=[], mined=[])
    set_seed(3)
    groups = world.pairs.groups()
    items = _Items(world.pairs, world.tokenizer, sampling, seed=3, batch=CONFIG.batch_jobs * process_count())
    model = FairMatcher(
        world.encoder(AdapterConfig(r=4, dropout=dropout)),
        world.policy,
        LossWeights(pairing=0.01, adversary=0.1, classification=0.1),
        groups | {NAME_GROUP: items.name_groups},
        dimensions=world.base.spec.dimensions,
    )
    validation = world.tokenizer.tokenize(examples_of(3, prefix="validation", seed=5))
    validator = (_InvalidValidator if invalid else Validator)(
        validation, world.tokenizer, world.policy, counterfactual_resumes=2, seed=3
    )
    trainer = FairTrainer(
        model,
        items,
        _Collator(world.pairs, groups, sampling, seen=SEEN),
        validator,
        folder,
        CONFIG.model_copy(update={"accumulation": accumulation}),
        SelectionConfig(),
        seed=3,
        quiet=True,
        miner=NegativeMiner(world.pairs, world.policy, most=16, each=4, seed=3),
        mine_every=sampling.mine_every,
    )
    trainer.add_callback(_Watch(SEEN, until, dies=dies))
    return trainer


def repeatable(world: World, folder: Path, *, accumulation: int = 1) -> FairTrainer:
    """A training without dropout, which one process repeats that adds up as many batches as there were."""
    trainer = trainer_of(world, folder, dropout=0.0, accumulation=accumulation, sampling=MINED_AT_BEGIN)
    trainer.train_from(None)
    return trainer


def seen_of(trainer: FairTrainer) -> dict[str, Any]:
    named = trainer._matcher.named_parameters()
    weights = {name: p.detach().double().sum().item() for name, p in named if p.requires_grad}
    return {**SEEN, "weights": weights, "history": trainer.history.rows, "steps": trainer.state.global_step}


def main(mode: str, folder: Path) -> None:
    silence_transformers()
    torch.set_num_threads(1)
    assert trains_on_cpu()
    world = world_of(folder / f"world-{process_rank()}")
    found: dict[str, Any] = {}
    try:
        if mode == "train":
            whole = trainer_of(world, folder / "whole")
            whole.train_from(None)
            found["whole"] = json.loads(json.dumps(seen_of(whole)))
            broken = trainer_of(world, folder / "broken", until=found["whole"]["steps"] // 2 + 1)
            try:
                broken.train_from(None)
            except KeyboardInterrupt:
                found["broken_off"] = True
            (checkpoint,) = (folder / "broken").glob("checkpoint-*")
            resumed = trainer_of(world, folder / "broken")
            resumed.train_from(checkpoint)
            found["resumed"] = json.loads(json.dumps(seen_of(resumed)))
            without = repeatable(world, folder / "without-dropout")
            found["without_dropout"] = json.loads(json.dumps(seen_of(without)))
        elif mode == "invalid":
            trainer_of(world, folder / "run", invalid=True).train_from(None)
        else:
            dies = process_rank() == 1
            trainer_of(world, folder / "run", until=1 if dies else None, dies=dies).train_from(None)
        part()
    except DivergedError as error:
        found["error"] = error.message
        raise
    finally:
        (folder / f"seen-{process_rank()}.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
