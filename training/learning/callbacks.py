"""What happens at the steps and epochs of a training run, beside the training itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments, set_seed

from service.core.files import draft_of
from training.learning.adapter import interpolated, save_adapter
from training.learning.adversary import AdversaryClamp
from training.learning.batches import TrainingItems
from training.learning.epochs import (
    History,
    SelectionConfig,
    chosen_epochs,
    keeps_epoch,
    kept_name,
    should_stop,
)
from training.learning.mining import NegativeMiner
from training.learning.model import FairMatcher
from training.learning.processes import from_first, process_rank


class Watcher(Protocol):
    """Is told how far training has come; it changes nothing."""

    def stepped(self, done: int, total: int) -> None:
        """`done` of `total` steps are done."""

    def validated(self, figures: Mapping[str, float]) -> None:
        """An epoch was validated: its row of `epoch_metrics.csv`."""


class Schedule(TrainerCallback):
    """Moves `FairMatcher.strengths`, and tells the items which epoch it is.

    `warmup` and `alone`: shares of all steps, `fairness_warmup` and `adversary_alone` of the configuration.
    """

    def __init__(self, model: FairMatcher, items: TrainingItems, *, warmup: float, alone: float) -> None:
        self._model, self._items = model, items
        self._warmup, self._alone = warmup, alone

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # Dropout: other masks in each process. Heads and adapters were drawn before, and are the same in all.
        if process_rank():
            set_seed(args.seed + process_rank())

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        # A float that counts steps: 0.9999999 is the second epoch's beginning.
        self._items.set_epoch(int(float(state.epoch or 0.0) + 1e-6))

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        done = state.global_step / max(1, state.max_steps)
        self._model.strengths.fairness = _ramp(done, self._warmup)
        self._model.strengths.reversal = _ramp(done - self._alone, self._warmup)


class Clamp(TrainerCallback):
    """Moves the adversary's strength after each step, and has the next step go by it."""

    def __init__(self, model: FairMatcher, clamp: AdversaryClamp, summed: Callable[[Tensor], Tensor]) -> None:
        self._model, self._clamp, self._summed = model, clamp, summed

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._model.strengths.clamp = self._clamp.strength

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._clamp.step(pushing=self._model.strengths.reversal > 0, reduce=self._summed)


class Mining(TrainerCallback):
    """Has hard negatives mined at each epoch's begin, and every so many steps after it."""

    def __init__(self, model: FairMatcher, items: TrainingItems, miner: NegativeMiner, every: int) -> None:
        self._model, self._items, self._miner, self._every = model, items, miner, every
        self._begun = 0

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._begun = state.global_step
        self._mine(args, state)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        done = state.global_step - self._begun
        if done and done % self._every == 0:
            self._mine(args, state)

    def _mine(self, args: TrainingArguments, state: TrainerState) -> None:
        # By one for all: scores that are nearly equal could be ranked differently elsewhere.
        mined = from_first(lambda: self._miner.mine(self._model.encoder, args.device, state.global_step))
        self._items.set_mined(mined)


class Selection(TrainerCallback):
    """After each epoch, keeps the adapter if it is one of the chosen, and stops when patience is out."""

    def __init__(
        self, model: FairMatcher, history: History, config: SelectionConfig, folder: Path, kept_share: float
    ) -> None:
        self._model, self._history, self._config, self._folder = model, history, config, folder
        self._kept_share = kept_share

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        rows = self._history.rows
        chosen = chosen_epochs(rows, self._config)
        if state.is_world_process_zero:
            self._history.write(chosen)
            for name, row in chosen.items():
                if row == len(rows) - 1:
                    self._keep(name)
            if keeps_epoch(self._config, epoch := int(rows[-1]["epoch"])):
                self._keep(kept_name(epoch))
        if should_stop(rows, self._config):
            control.should_training_stop = True

    def _keep(self, name: str) -> None:
        """Write the adapter to a folder of this name, whole or not at all."""
        backbone: Any = self._model.encoder.backbone
        with draft_of(self._folder / name) as draft, interpolated(backbone, self._kept_share):
            save_adapter(backbone, draft)


class Watched(TrainerCallback):
    """Passes on what happens to a `Watcher`."""

    def __init__(self, watcher: Watcher, history: History) -> None:
        self._watcher, self._history = watcher, history

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._watcher.stepped(state.global_step, state.max_steps)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._watcher.validated(self._history.rows[-1])


def _ramp(done: float, share: float) -> float:
    if done < 0:
        return 0.0
    return 1.0 if share <= 0 else min(1.0, done / share)
