"""The training step of a run: pairs -> an adapter, by one process or by several together."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.core.base_model import BaseModel
from service.core.encoder import load_encoder
from service.core.errors import EvenmatchError
from training.config import RunConfig
from training.data.example import Dataset, Example
from training.learning.adapter import add_adapter
from training.learning.batches import Collator, TrainingItems
from training.learning.checkpoints import KEPT, begin, last_checkpoint
from training.learning.epochs import History
from training.learning.model import NAME_GROUP, FairMatcher
from training.learning.tokenized import PairTokenizer, TokenizedPairs
from training.learning.trainer import FairTrainer
from training.learning.validation import Validator

TRAINED_BY = (
    "base_model",
    "data",
    "passages",
    "matching",
    "adapter",
    "sampling",
    "losses",
    "trainer",
    "selection",
)
"""The parts of a configuration that determine the adapter, beside the seed."""


class TrainingError(EvenmatchError):
    """The run cannot go on: nothing to train on, or nothing was chosen."""

    code = "training_failed"
    title = "Training failed"


@dataclass(frozen=True)
class TrainedAdapter:
    """Where the adapter of the chosen epoch lies, what it was trained on, and how that went."""

    folder: Path
    pairs: TokenizedPairs
    history: History
    seconds: float


def train_adapter(
    config: RunConfig,
    base: BaseModel,
    dataset: Dataset,
    tokenizer: PairTokenizer,
    work: Path,
    *,
    resume: bool,
    quiet: bool,
    say: Callable[[str], None],
) -> TrainedAdapter:
    """Train on the training split, and choose an epoch by the validation split.

    Checkpoints and kept epochs lie in `work`; `resume` goes on from the last one. Raises `TrainingError` if
    there is less than a batch, or if no epoch was chosen, and an `InputError` for an unusable text.
    """
    say(f"reading {len(dataset.train):,} pairs to train on, {len(dataset.validation):,} to validate")
    pairs = tokenizer.tokenize(dataset.train, potential_unknown=config.sampling.potential_unknown)
    validation = tokenizer.tokenize(dataset.validation)
    started = time.monotonic()
    trainer = _trainer(config, base, tokenizer, pairs, validation, work, quiet=quiet)
    record = _record_of(config, dataset)
    checkpoint = last_checkpoint(work, record) if resume else None
    if checkpoint is None and not process_rank() and (forgotten := begin(work, record)):
        say(f"note: starting over; {forgotten} checkpoints of another run were removed")
    trainer.train_from(checkpoint)
    adapter = work / KEPT / config.selection.final
    if not adapter.is_dir():
        raise TrainingError(
            f"no epoch was chosen as {config.selection.final}: none inside the window was below "
            f"{config.selection.window_fairness}"
        )
    return TrainedAdapter(adapter, pairs, trainer.history, time.monotonic() - started)


def _trainer(
    config: RunConfig,
    base: BaseModel,
    tokenizer: PairTokenizer,
    pairs: TokenizedPairs,
    validation: TokenizedPairs,
    work: Path,
    *,
    quiet: bool,
) -> FairTrainer:
    encoder = load_encoder(base.folder, base.pooling)
    add_adapter(encoder, config.adapter)
    groups = pairs.groups()
    items = TrainingItems(pairs, tokenizer, config.sampling, seed=config.seed)
    processes = _process_count()
    if len(items) < config.trainer.batch_jobs * processes:
        each = f" in each of {processes} processes" if processes > 1 else ""
        raise TrainingError(
            f"the training split has {len(items)} jobs; a batch needs trainer.batch_jobs = "
            f"{config.trainer.batch_jobs}{each}"
        )
    model = FairMatcher(
        encoder,
        config.matching,
        config.losses,
        groups | {NAME_GROUP: items.name_groups},
        dimensions=base.spec.dimensions,
    )
    validator = Validator(
        validation,
        tokenizer,
        config.matching,
        counterfactual_resumes=config.trainer.validation_resumes,
        seed=config.seed,
    )
    return FairTrainer(
        model,
        items,
        Collator(pairs, groups, config.sampling),
        validator,
        work,
        config.trainer,
        config.selection,
        seed=config.seed,
        quiet=quiet,
    )


def _record_of(config: RunConfig, dataset: Dataset) -> dict[str, Any]:
    """What a run must have in common with the one that it goes on from."""
    chosen = config.model_dump(mode="json", include={*TRAINED_BY, "seed"})
    return chosen | {"pairs": {"train": _digest(dataset.train), "validation": _digest(dataset.validation)}}


def _digest(examples: Iterable[Example]) -> str:
    """SHA-256 of everything that training reads of the pairs; the texts themselves are not stored."""
    digest = hashlib.sha256()
    for e in examples:
        read = (e.job_id, e.title, e.description, e.resume_id, e.resume, e.label, e.grade, e.paraphrase)
        digest.update(json.dumps([*read, sorted(e.groups.items())]).encode())
    return digest.hexdigest()


def process_rank() -> int:
    """This process's number; 0 is the one that writes. `accelerate launch` and `torchrun` set `RANK`."""
    return int(os.environ.get("RANK", "0"))


def _process_count() -> int:
    """How many processes train together: one for each GPU. Launchers set `WORLD_SIZE`."""
    return int(os.environ.get("WORLD_SIZE", "1"))


# Of glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_ONE_MIB = 1 << 20


def return_freed_memory() -> None:
    """Have glibc return freed blocks of 1 MiB or more at once; elsewhere nothing happens.

    By itself it raises that limit to 32 MiB as it goes. A training step allocates tensors of ever
    different sizes, and the holes between them came to a third of the memory in use.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _ONE_MIB)
        mallopt(_M_TRIM_THRESHOLD, _ONE_MIB)
