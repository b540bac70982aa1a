"""`evenmatch-train run`: data -> training -> concept erasure -> calibration -> threshold -> evaluation.

Whatever may be interrupted lies in the work folder; the bundle is written in one step at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from transformers import set_seed

from service.core.base_model import BaseModel, describe
from service.core.bundle import Bundle, check_place, write_bundle
from service.core.concept_eraser import ConceptEraser
from service.core.engines.loading import LoadedModel
from service.core.manifest import Manifest
from training.bundles.candidate import load_reference_engine, new_manifest, write_candidate
from training.bundles.card import evaluated_model_card
from training.config import RunConfig
from training.data.example import Dataset
from training.evaluation.scoring import RememberingEngine
from training.learning.epochs import Final
from training.learning.tokenized import PairTokenizer
from training.learning.trainer import Watcher
from training.pipeline.measuring import calibrate_and_decide, evaluate_biased, evaluate_test
from training.pipeline.training import (
    TrainedAdapter,
    TrainingError,
    chosen_again,
    kept_adapter,
    process_rank,
    return_freed_memory,
    train_adapter,
)
from training.postprocessing.concept_erasure import fit_concept_eraser
from training.report.html import report_html

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    """Where and how a run works; nothing of it changes what the run makes.

    Attributes:
        work: Folder for checkpoints, candidate bundles and caches.
        resume: Go on from the last checkpoint in `work`, if there is one.
        overwrite: Replace a bundle that stands at the output.
        quiet: No progress bar.
        say: Called with each message.
        watcher: Told of each step and epoch, in place of a progress bar.
    """

    work: Path
    resume: bool = False
    overwrite: bool = False
    quiet: bool = False
    say: Say = print
    watcher: Watcher | None = None


def make_bundle(
    config: RunConfig, output: Path, options: RunOptions, dataset: Dataset | None = None
) -> Bundle | None:
    """Train, measure and write the bundle to `output`; returns it as read back.

    `dataset`: the pairs, where the configuration names no files to read them from.

    Where several processes train together, the first one alone does what follows the training; the others
    return None. Raises `BundleError`, `InputError`, `CalibrationError` or `TrainingError`, each saying what
    is wrong.
    """
    setting = _set_up(config, output, options, dataset)
    # Without losses nothing is learned, and no training text needs to be tokenized.
    trained = _train(setting) if config.losses.names else None
    if process_rank():
        return None
    adapter = None if trained is None else trained.folder
    options.say("fitting the concept eraser, calibrating, choosing the threshold")
    eraser = _fit_eraser(setting, adapter)
    parts = _measure(setting, trained, eraser)
    return write_bundle(
        output, setting.manifest, parts, adapter=adapter, eraser=eraser, overwrite=options.overwrite
    )


def choose_again(work: Path, output: Path, final: Final | None, options: RunOptions) -> Bundle:
    """Make a bundle of another kept epoch of a finished run: everything but the training is done anew.

    `final` None: the run's own choice. Raises what `make_bundle` raises, and `ResumeError` if `work` is not
    of a finished run or the data are not the run's.
    """
    config, record = chosen_again(work, final)
    setting = _set_up(config, output, options)
    trained = kept_adapter(config, setting.dataset, work, record)
    options.say(f"taking {trained.folder.name}, calibrating, choosing the threshold")
    eraser = _fit_eraser(setting, trained.folder)
    parts = _measure(setting, trained, eraser)
    return write_bundle(
        output, setting.manifest, parts, adapter=trained.folder, eraser=eraser, overwrite=options.overwrite
    )


@dataclass(frozen=True)
class _Setting:
    """What every step of a run works with."""

    config: RunConfig
    options: RunOptions
    base: BaseModel
    manifest: Manifest
    dataset: Dataset

    def candidate(
        self, name: str, adapter: Path | None = None, eraser: ConceptEraser | None = None
    ) -> Bundle:
        """A bundle of what there is so far. Each process has a folder of its own to write and read it in."""
        rank = process_rank()
        folder = self.options.work / (f"candidates-{rank}" if rank else "candidates") / name
        return write_candidate(folder, self.manifest, self.base, adapter=adapter, eraser=eraser)

    def load(self, bundle: Bundle) -> LoadedModel:
        return load_reference_engine(bundle, self.base, self.options.work / "cache")


def _set_up(config: RunConfig, output: Path, options: RunOptions, dataset: Dataset | None = None) -> _Setting:
    check_place(output, overwrite=options.overwrite)  # now, not after hours of work
    for folder in (output.parent, options.work):
        _check_writable(folder)
    base = describe(config.base_model.id, config.base_model.revision, pooling=config.base_model.pooling)
    manifest = new_manifest(
        config.name,
        config.version,
        base,
        job_prefix=config.base_model.job_prefix,
        resume_prefix=config.base_model.resume_prefix,
        passages=config.passages,
        matching=config.matching,
    )
    return_freed_memory()
    set_seed(config.seed)
    if config.trainer.threads is not None:
        torch.set_num_threads(config.trainer.threads)
    dataset = dataset or config.data.load()
    for warning in dataset.warnings:
        options.say(f"note: {warning}")
    return _Setting(config, options, base, manifest, dataset)


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written to: {error.strerror}") from None


def _train(setting: _Setting) -> TrainedAdapter:
    tokenizer = PairTokenizer.of(setting.candidate("untrained"), setting.base)
    options = setting.options
    return train_adapter(
        setting.config,
        setting.base,
        setting.dataset,
        tokenizer,
        options.work,
        resume=options.resume,
        quiet=options.quiet,
        say=options.say,
        watcher=options.watcher,
    )


def _fit_eraser(setting: _Setting, adapter: Path | None) -> ConceptEraser | None:
    """Fitted on vectors of the encoder as trained; None if the configuration asks for none."""
    config = setting.config
    if config.erasure.method == "none":
        return None
    trained = setting.candidate("trained", adapter)
    tokenizer = PairTokenizer.of(trained, setting.base)
    engine = setting.load(trained).engine
    return fit_concept_eraser(config.erasure, setting.dataset.train, tokenizer, engine, seed=config.seed)


def _measure(
    setting: _Setting, trained: TrainedAdapter | None, eraser: ConceptEraser | None
) -> dict[str, Any]:
    """Calibrate, choose the threshold and evaluate: the bundle's files beside the adapter and the eraser."""
    config, say, dataset = setting.config, setting.options.say, setting.dataset
    adapter = None if trained is None else trained.folder
    candidate = setting.candidate("erased", adapter, eraser)
    loaded = setting.load(candidate)
    # The splits and their variants share most of their passages.
    loaded = replace(loaded, engine=RememberingEngine(loaded.engine))
    calibration, rule, notes = calibrate_and_decide(config, candidate, loaded, dataset)
    notes = (*notes, *(() if trained is None else trained.notes))
    for note in notes:
        say(f"note: {note}")
    parts: dict[str, Any] = {
        "calibration.json": calibration,
        "decision.json": rule,
        "probes.json": candidate.reference_vectors,
    }
    # Read back with its threshold, so that what is evaluated decides as the final bundle will.
    decided = write_bundle(
        candidate.path.with_name("decided"),
        setting.manifest,
        parts,
        adapter=adapter,
        eraser=eraser,
        overwrite=True,
    )
    say("evaluating on the test split")
    evaluation = evaluate_test(config, decided, loaded, dataset.test)
    evaluation = evaluation.model_copy(update={"notes": [*evaluation.notes, *notes, *dataset.warnings]})
    parts |= {
        "metrics.json": evaluation,
        "training_config.json": config,
        "fairness_report.html": report_html(evaluation),
        "README.md": evaluated_model_card(
            decided.manifest, calibration, evaluation, training=_training_note(config, trained)
        ),
    }
    if trained is not None:
        parts["epoch_metrics.csv"] = trained.history.as_csv()
        parts["training_history.json"] = trained.history.as_json()
    if config.data.synthetic is not None:
        say("evaluating on biased data")
        parts["metrics_biased.json"] = evaluate_biased(config, decided, loaded)
    return parts


def _training_note(config: RunConfig, trained: TrainedAdapter | None) -> str:
    """What the model card says about the training."""
    repeat = "Repeat it with `evenmatch-train run --config` and `training_config.json`."
    if trained is None:
        return f"None: the base model as it is; erasure: {config.erasure.method}. {repeat}"
    share, on, epochs = config.trainer.kept_share, trained.on, len(trained.history.rows)
    kept = "" if share == 1 else f"{share:.0%} of the update kept, "
    length = f"{epochs} epoch{'s'[: epochs - 1]} in {on.seconds / 60:.0f} minutes"
    return (
        f"LoRA of rank {config.adapter.r} on {on.pairs:,} labelled pairs ({on.drawn:,} an epoch) of "
        f"{on.jobs:,} jobs and {on.resumes:,} resumes, {length}, {kept}"
        f"losses: {', '.join(config.losses.names)}; erasure: {config.erasure.method}. {repeat}"
    )
