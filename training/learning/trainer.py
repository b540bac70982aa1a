"""Training on transformers' `Trainer`, which brings mixed precision, accumulation, clipping and several GPUs.

Added here: the losses' warm-up and the adversary's two phases, validation by pairs instead of by loss, the
epochs that are kept, and checkpoints that hold the adapter and the heads but not the base model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.data import SequentialSampler
from transformers import (
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from service.core.engines.openvino_engine import default_precision as cpu_precision
from service.core.engines.torch_engine import available_device
from training.learning.adapter import (
    AdapterError,
    at_own_rate,
    interpolated,
    whole_parameters,
)
from training.learning.adversary import AdversaryClampConfig
from training.learning.batches import Collator, TrainingItems
from training.learning.callbacks import Clamp, Mining, Schedule, Selection, Watched, Watcher
from training.learning.checkpoints import KEPT, step_of
from training.learning.epochs import (
    History,
    SelectionConfig,
    should_stop,
)
from training.learning.layers import parameter_groups, recompute_activations
from training.learning.mining import NegativeMiner
from training.learning.model import FairMatcher
from training.learning.processes import from_first, meet, summed, trains_on_cpu
from training.learning.validation import ADVICE, DivergedError, Validator

WEIGHTS = "trained.safetensors"

_STEPS = "steps"

TrainingPrecision = Literal["auto", "f32", "bf16", "f16"]


class TrainerConfig(BaseModel):
    """How long and how fast."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(3, ge=1, description="Passes over the jobs of the training split.")
    batch_jobs: int = Field(
        12,
        ge=2,
        description="Items in a step, each a job with some resumes; those of other jobs are its in-batch "
        "negatives.",
    )
    accumulation: int = Field(1, ge=1, description="Steps whose gradients are added up.")
    learning_rate: float = Field(
        5e-4,
        gt=0,
        description="Highest, after a linear warm-up over `warmup_share` of all steps; then cosine to 0.",
    )
    attention_learning_rate: float = Field(
        2e-5,
        gt=0,
        description="The same of the base model's attention that `adapter.attention_layers` trains: whole "
        "matrices are moved by much less than LoRA's. They have no weight decay.",
    )
    weight_decay: float = Field(0.01, ge=0, description="Of the adapter and the heads (AdamW).")
    warmup_share: float = Field(
        0.05, ge=0, lt=1, description="Share of all steps in which the learning rate rises."
    )
    max_gradient_norm: float = Field(1.0, gt=0, description="Longer gradients are cut to this length.")
    precision: TrainingPrecision = Field(
        "auto", description='"auto" is bf16 where the device has it, else f32.'
    )
    fairness_warmup: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of all steps over which the fairness losses grow to their weights.",
    )
    adversary_alone: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of all steps in which the adversary learns before it turns on the encoder.",
    )
    adversary_clamp: AdversaryClampConfig = Field(
        AdversaryClampConfig(), description="How hard it then pushes."
    )
    validation_resumes: int = Field(
        32, ge=0, description="Resumes whose counterfactual variants are scored after each epoch."
    )
    kept_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of the trained update that epochs are validated and kept with: between the "
        "base model (0) and the trained one (1). Less keeps more of what the base model "
        "knows of other text.",
    )
    layer_decay: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Learning rate of each layer of the encoder as a share of that of the layer above it. "
        "The last layer and the heads learn at `learning_rate`; of 12 layers at 0.9 the first at 0.31 of it. "
        "1: all alike.",
    )
    gradient_checkpointing: bool = Field(
        False,
        description="Keep only each layer's input for the backward pass and compute the rest again: the same "
        "gradients for less memory and about a third more time. For large models or batches.",
    )
    threads: int | None = Field(None, ge=1, description="CPU threads; None leaves torch's choice.")


class FairTrainer(Trainer):
    """Trains a `FairMatcher` and keeps the epochs that `selection` names, as adapters under `kept/`."""

    def __init__(
        self,
        model: FairMatcher,
        items: TrainingItems,
        collator: Collator,
        validator: Validator,
        folder: Path,
        config: TrainerConfig,
        selection: SelectionConfig,
        *,
        seed: int,
        quiet: bool = False,
        miner: NegativeMiner | None = None,
        mine_every: int = 50,
    ) -> None:
        self._validator = validator
        self.items = items
        self._matcher = model
        self._kept_share = config.kept_share
        self._attention_rate = config.attention_learning_rate
        self._selection = selection
        self._layer_decay = config.layer_decay
        self.history = History(folder)
        if config.gradient_checkpointing:
            recompute_activations(model.encoder)
        meet()
        super().__init__(
            model=model,
            args=_arguments(folder, config, seed=seed, quiet=quiet),
            data_collator=collator,
            train_dataset=items,
            eval_dataset=items,  # asked for by the base class; `evaluate` goes by the validator
            callbacks=[
                Schedule(model, items, warmup=config.fairness_warmup, alone=config.adversary_alone),
                *([] if model.clamp is None else [Clamp(model, model.clamp, self._summed)]),
                *([] if miner is None else [Mining(model, items, miner, mine_every)]),
                Selection(model, self.history, selection, folder / KEPT, config.kept_share),
            ],
        )
        self._sums: dict[str, float] = {}
        self._steps = 0

    def be_watched(self, watcher: Watcher) -> None:
        """Tell `watcher` of each step and epoch, in place of the lines that a quiet base class prints."""
        self.remove_callback(PrinterCallback)
        self.add_callback(Watched(watcher, self.history))

    def train_from(self, checkpoint: Path | None) -> None:
        """Train, from a checkpoint if one is given: no further if patience was out when it was written.

        Raises `DivergedError` if the loss or a score is no number.
        """
        self.history.rewind(-1 if checkpoint is None else step_of(checkpoint))
        if checkpoint is None:
            self.train()
        elif not should_stop(self.history.rows, self._selection):
            self.train(resume_from_checkpoint=str(checkpoint))

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """AdamW, as the base class makes it; with `layer_decay`, in groups by layer.

        Attention that is trained whole has a learning rate of its own.
        """
        if self.optimizer is not None:
            return super().create_optimizer(model)
        optimizer: torch.optim.Optimizer = (
            super().create_optimizer(model) if self._layer_decay == 1.0 else self._by_layer()
        )
        whole = [parameter for parameter, _ in whole_parameters(self._matcher.encoder.backbone)]
        at_own_rate(optimizer, whole, self._attention_rate)
        self.optimizer = optimizer
        return optimizer

    def _by_layer(self) -> torch.optim.Optimizer:
        kind, options = self.get_optimizer_cls_and_kwargs(self.args)
        groups = parameter_groups(
            self._matcher,
            layers=int(cast(Any, self._matcher.encoder.backbone).config.num_hidden_layers),
            decay=self._layer_decay,
            learning_rate=self.args.learning_rate,
            weight_decay=self.args.weight_decay,
            decayed=set(self.get_decay_parameter_names(self._matcher)),
        )
        optimizer: torch.optim.Optimizer = kind(groups, **options)
        return optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """Items that make batches in their own order are not shuffled."""
        return (
            SequentialSampler(self.items)
            if self.items.in_order
            else super()._get_train_sampler(train_dataset)
        )

    def _summed(self, of: Tensor) -> Tensor:
        """The sum over the processes that train together."""
        if self.accelerator.num_processes == 1:
            return of
        total: Tensor = self.accelerator.reduce(of.to(self.args.device), "sum")
        return total.cpu()

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs: dict[str, Tensor] = model(**inputs)
        if not bool(torch.isfinite(outputs["loss"])):
            raise DivergedError(f"the loss is not finite after step {self.state.global_step}: {ADVICE}")
        for name, value in outputs.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value.detach())
        self._steps += 1
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def evaluate(self, *args: Any, metric_key_prefix: str = "eval", **kwargs: Any) -> dict[str, float]:
        """Validate (process 0, for all), add the epoch to the history, and let the callbacks choose."""
        with interpolated(self._matcher.encoder.backbone, self._kept_share):
            figures = from_first(lambda: self._validator(self._matcher.encoder, self.args.device))
        sums = summed(self._sums | {_STEPS: self._steps})
        steps = sums.pop(_STEPS)
        losses = {f"train_{name}": total / steps for name, total in sums.items()}
        self._sums, self._steps = {}, 0
        epoch = round(float(self.state.epoch or 0.0))
        weights = {f"weight_{name}": weight for name, weight in self._matcher.current_weights().items()}
        place = {"epoch": float(epoch), "step": float(self.state.global_step)}
        clamp = {} if self._matcher.clamp is None else self._matcher.clamp.figures
        self.history.add(place | losses | weights | clamp | figures)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in figures.items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        if not self.args.should_save:
            return
        folder = Path(output_dir or str(self.args.output_dir))
        folder.mkdir(parents=True, exist_ok=True)
        save_file(_trained(self._matcher), folder / WEIGHTS)
        if self._matcher.clamp is not None:
            self._matcher.clamp.save(folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        _restore(self._matcher, load_file(Path(resume_from_checkpoint) / WEIGHTS))
        if self._matcher.clamp is not None:
            self._matcher.clamp.load(Path(resume_from_checkpoint))
        self.history.rewind(step_of(Path(resume_from_checkpoint)))


def _trained(model: FairMatcher) -> dict[str, Tensor]:
    """The adapter and the heads."""
    return {name: p.detach().cpu().contiguous() for name, p in model.named_parameters() if p.requires_grad}


def _restore(model: FairMatcher, weights: dict[str, Tensor]) -> None:
    missing = [name for name, p in model.named_parameters() if p.requires_grad and name not in weights]
    if missing:
        raise AdapterError(f"the checkpoint lacks {missing[0]} and {len(missing) - 1} others")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(weights[name])


def _arguments(folder: Path, config: TrainerConfig, *, seed: int, quiet: bool) -> TrainingArguments:
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if _has_bf16() else "f32"
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_jobs,
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        warmup_steps=config.warmup_share,
        lr_scheduler_type="cosine",
        max_grad_norm=config.max_gradient_norm,
        # Said outright, since bf16 on a CPU is refused without it.
        use_cpu=trains_on_cpu(),
        bf16=precision == "bf16",
        fp16=precision == "f16",
        # A last batch of one job has nothing to contrast it with.
        dataloader_drop_last=True,
        remove_unused_columns=False,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        logging_steps=10,
        report_to="none",
        disable_tqdm=quiet,
        seed=seed,
        data_seed=seed,
    )
    # Without a launcher the base class would deal out the rows of a batch to all GPUs there are. Ours belong
    # together: a passage's number is its row. With a launcher every process has batches of its own.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _has_bf16() -> bool:
    """Whether the device computes in bf16 natively. Only OpenVINO's query tells it of a CPU, publicly."""
    if trains_on_cpu():
        return cpu_precision() == "bf16"
    return available_device() == "cuda" and bool(torch.cuda.is_bf16_supported())
