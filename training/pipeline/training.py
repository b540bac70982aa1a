"""The training step of a run: pairs -> an adapter, by one process or by several together."""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.core.base_model import BaseModel
from service.core.encoder import load_encoder
from service.core.errors import EvenmatchError, InputError
from training.config import RunConfig, described
from training.data.example import Dataset, Example
from training.learning.adapter import add_adapter, check_adapter
from training.learning.batches import Collator, TrainingItems
from training.learning.callbacks import Watcher
from training.learning.checkpoints import (
    KEPT,
    ResumeError,
    begin,
    last_checkpoint,
    read_record,
    write_trained,
)
from training.learning.epochs import Final, History, kept_name
from training.learning.group_checks import check_groups
from training.learning.mining import NegativeMiner
from training.learning.model import NAME_GROUP, FairMatcher
from training.learning.processes import from_first, process_count, process_rank
from training.learning.tokenized import PairTokenizer, TokenizedPairs
from training.learning.trainer import FairTrainer
from training.learning.validation import Validator
from training.postprocessing.calibration import fit_temperature

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
class TrainedOn:
    """How many pairs, jobs and resumes the adapter was trained on, and for how long.

    `drawn`: labelled pairs that an epoch passed over. `draws`: by group, how often it drew one of its pairs,
    where `sampling.balance_by` evens groups out.
    """

    pairs: int
    drawn: int
    jobs: int
    resumes: int
    seconds: float
    draws: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainedAdapter:
    """Where the adapter of the chosen epoch lies, what it was trained on, how that went, and what to know."""

    folder: Path
    on: TrainedOn
    history: History
    notes: tuple[str, ...] = ()


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
    watcher: Watcher | None = None,
) -> TrainedAdapter:
    """Train on the training split, and choose an epoch by the validation split.

    Checkpoints and kept epochs lie in `work`; `resume` goes on from the last one. Raises `TrainingError` if
    there is less than a batch, and an `InputError` for an unusable text or groups that cannot be balanced.
    """
    check_groups(dataset.train, config.sampling)
    check_adapter(base.folder, config.adapter)
    say(f"reading {len(dataset.train):,} pairs to train on, {len(dataset.validation):,} to validate")
    pairs = tokenizer.tokenize(dataset.train, potential_unknown=config.sampling.potential_unknown)
    validation = tokenizer.tokenize(dataset.validation)
    started = time.monotonic()
    quiet = quiet or watcher is not None
    trainer = _trainer(config, base, tokenizer, pairs, validation, work, quiet=quiet)
    if watcher is not None:
        trainer.be_watched(watcher)
    drawn, labelled = trainer.items.coverage
    steps = len(trainer.items) // (config.trainer.batch_jobs * process_count())
    say(
        f"an epoch passes over {drawn:,} of {labelled:,} {config.data.pairs_are} of "
        f"{len(pairs.by_job):,} jobs in {steps:,} steps"
    )
    draws = trainer.items.draws_by_group
    if draws:
        say(f"batches are balanced by {config.sampling.balance_by}; an epoch draws {listed_draws(draws)}")
        if len(draws) > config.trainer.batch_jobs:
            say(
                f"note: a batch of trainer.batch_jobs = {config.trainer.batch_jobs} items cannot hold all of "
                f"the {len(draws)} groups of {config.sampling.balance_by}"
            )
    record = _record_of(config, dataset) | {"processes": process_count()}
    checkpoint = from_first(lambda: last_checkpoint(work, record)) if resume else None
    if checkpoint is None and not process_rank():
        forgotten = begin(work, record, config.model_dump_json(indent=2) + "\n")
        if forgotten:
            say(f"note: starting over; {forgotten} checkpoints of another run were removed")
    trainer.train_from(checkpoint)
    seconds = time.monotonic() - started
    on = TrainedOn(labelled, drawn, len(pairs.jobs), len(pairs.resumes), round(seconds, 1), draws)
    if not process_rank():
        write_trained(work, asdict(on))
    return from_first(lambda: _chosen(config, work, on, trainer.history))


def listed_draws(draws: Mapping[str, int]) -> str:
    """By group, how many pairs an epoch draws, in words."""
    return ", ".join(f"{times:,} of {group}" for group, times in draws.items())


def chosen_again(work: Path, final: Final | None) -> tuple[RunConfig, dict[str, Any]]:
    """The configuration of the finished run in `work`, with another choice, and the run's record.

    Raises `ResumeError` for a folder of no finished run, `InputError` for a choice that is none.
    """
    record, content, _ = read_record(work)
    config = RunConfig.model_validate_json(content)
    if final is None:
        return config, record
    chosen = config.model_dump()
    chosen["selection"]["final"] = final
    try:
        return RunConfig.model_validate(chosen), record
    except ValidationError as error:
        raise InputError(f"--final: {described(error)}", field="final") from None


def kept_adapter(config: RunConfig, dataset: Dataset, work: Path, record: dict[str, Any]) -> TrainedAdapter:
    """The adapter of `config.selection.final` among the kept epochs of the finished run in `work`.

    Raises `ResumeError` if the data are not those of the run, `TrainingError` if that epoch was not kept.
    """
    now = _record_of(config, dataset)
    if now["pairs"] != record.get("pairs"):
        raise ResumeError(f"the pairs are not those that the run in {work} was trained and validated on")
    _, _, trained = read_record(work)
    return _chosen(config, work, TrainedOn(**trained), History(work))


def _chosen(config: RunConfig, work: Path, on: TrainedOn, history: History) -> TrainedAdapter:
    final, notes = config.selection.final, []
    if final == "window_best" and not (work / KEPT / final).is_dir():
        first, last = config.selection.window
        notes.append(
            f"no epoch from {first} to {last} has a fairness score below "
            f"{config.selection.window_fairness:g}: `best` was taken in place of `window_best`"
        )
        final = "best"
    number = final.partition("=")[2]
    folder = work / KEPT / (kept_name(int(number)) if number else final)
    if not folder.is_dir():
        kept = ", ".join(sorted(one.name for one in (work / KEPT).glob("*"))) or "none"
        raise TrainingError(
            f"{final} is not among the epochs that were kept ({kept}); `selection.keep: all` keeps every one"
        )
    return TrainedAdapter(folder, on, history, tuple(notes))


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
    processes = process_count()
    batch = config.trainer.batch_jobs * processes
    items = TrainingItems(pairs, tokenizer, config.sampling, seed=config.seed, batch=batch)
    if items.distinct < batch:
        each = f" in each of {processes} processes" if processes > 1 else ""
        raise TrainingError(
            f"the training split makes {items.distinct} items of jobs and their labelled resumes; a batch "
            f"needs trainer.batch_jobs = {config.trainer.batch_jobs}{each}: lower it, or label more pairs"
        )
    model = FairMatcher(
        encoder,
        config.loss_matching,
        config.losses,
        groups | {NAME_GROUP: items.name_groups},
        dimensions=base.spec.dimensions,
        clamp=config.trainer.adversary_clamp,
    )
    validator = Validator(
        validation,
        tokenizer,
        config.loss_matching,
        counterfactual_resumes=config.trainer.validation_resumes,
        seed=config.seed,
        temperature=lambda scores, labels: fit_temperature(scores, labels).temperature,
    )
    return FairTrainer(
        model,
        items,
        Collator(pairs, groups, config.sampling, items.weights),
        validator,
        work,
        config.trainer,
        config.selection,
        seed=config.seed,
        quiet=quiet,
        miner=_miner(config, pairs),
        mine_every=config.sampling.mine_every,
    )


def _miner(config: RunConfig, pairs: TokenizedPairs) -> NegativeMiner | None:
    sampling = config.sampling
    if not sampling.mined_negatives:
        return None
    # Some more than an item draws, so that it is not always the same ones.
    each = 4 * sampling.mined_negatives
    return NegativeMiner(pairs, config.loss_matching, most=sampling.mined_from, each=each, seed=config.seed)


def _record_of(config: RunConfig, dataset: Dataset) -> dict[str, Any]:
    """What a run must have in common with the one that it goes on from."""
    chosen = config.model_dump(mode="json", include={*TRAINED_BY, "seed"})
    return chosen | {"pairs": {"train": _digest(dataset.train), "validation": _digest(dataset.validation)}}


def _digest(examples: Iterable[Example]) -> str:
    """SHA-256 of everything that training reads of the pairs; the texts themselves are not stored."""
    digest = hashlib.sha256()
    for e in examples:
        of_job = (e.job_id, e.title, e.description, e.job_family)
        read = (*of_job, e.resume_id, e.resume, e.label, e.grade, e.paraphrase)
        digest.update(json.dumps([*read, sorted(e.groups.items())]).encode())
    return digest.hexdigest()


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
