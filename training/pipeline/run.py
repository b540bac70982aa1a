"""`evenmatch-train run`: data -> training -> erasure -> calibration -> threshold -> evaluation -> bundle.

Everything that can be interrupted lies in the work folder; the bundle appears in one step at the end.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from transformers import set_seed

from service.core.base_model import BaseModel, describe
from service.core.bundle import Bundle, check_place, write_bundle
from service.core.encoder import load_encoder
from service.core.errors import EvenmatchError
from service.core.manifest import Manifest
from service.core.matching import Matcher
from service.core.tokenization import TextTokenizer
from training.bundles.candidate import load_reference, new_manifest, write_draft
from training.bundles.card import evaluated_model_card
from training.bundles.reference_vectors import make_probes
from training.config import RunConfig
from training.data.example import Dataset, Example
from training.evaluation.scoring import RememberingEngine
from training.learning.adapter import add_adapter
from training.learning.batches import Collator, MatchItems
from training.learning.history import History
from training.learning.model import NAME_GROUP, FairMatcher
from training.learning.tokenized import PairTokenizer, TokenizedPairs
from training.learning.trainer import FairTrainer
from training.learning.validation import Validator
from training.pipeline.measuring import calibrate_and_decide, evaluate_biased, evaluate_test
from training.pipeline.memory import return_freed_memory
from training.pipeline.processes import count, rank
from training.pipeline.work_folder import KEPT, begin, last_checkpoint
from training.postprocessing.erasure_data import fit_eraser
from training.report.html import report_html

Say = Callable[[str], None]

CONFIGS = Path(__file__).parents[1] / "configs"
"""The committed configurations."""


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
class Run:
    """Where a run works. `resume`: go on from the last checkpoint in `work`, if there is one."""

    config: RunConfig
    work: Path
    resume: bool = False
    quiet: bool = False
    say: Say = print

    def __call__(self, output: Path, *, overwrite: bool = False) -> Bundle:
        """Train, measure and write the bundle to `output`; returns it as read back.

        Raises `BundleError`, `InputError`, `CalibrationError` or `TrainingError`, each saying what is wrong.
        """
        config = self.config
        check_place(output, overwrite=overwrite)  # not only after hours of work
        for folder in (output.parent, self.work):
            _make_writable(folder)
        return_freed_memory()
        set_seed(config.seed)
        if config.trainer.threads is not None:
            torch.set_num_threads(config.trainer.threads)
        dataset = config.data.load()
        for warning in dataset.warnings:
            self.say(f"note: {warning}")
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
        # Each process reads with a draft of its own; what follows the training, the first does alone.
        drafts = self.work / (f"drafts-{rank()}" if rank() else "drafts")
        draft = _overwritten(drafts / "base", manifest, base)
        text_tokenizer = TextTokenizer.load(base.tokenizer_file, manifest)
        tokenizer = PairTokenizer(Matcher(draft, text_tokenizer), text_tokenizer)
        self.say(f"reading {len(dataset.train):,} pairs to train on, {len(dataset.validation):,} to validate")
        train = tokenizer.tokenize(dataset.train, potential_unknown=config.sampling.potential_unknown)
        validation = tokenizer.tokenize(dataset.validation)
        started = time.monotonic()
        adapter = None
        if config.losses.names:
            adapter = self._trained(base, tokenizer, train, validation, _record_of(config, dataset))
        if rank():
            raise SystemExit(0)
        history, seconds = History(self.work), time.monotonic() - started
        if adapter is None:
            history.rewind(-1)  # another run's epochs, if there are any
        self.say("fitting the eraser, calibrating, choosing the threshold")
        plain = _overwritten(drafts / "adapter", manifest, base, adapter=adapter)
        eraser = fit_eraser(
            config.erasure,
            train,
            tokenizer,
            load_reference(plain, base, self.work / "cache"),
            seed=config.seed,
        )
        erased = _overwritten(drafts / "erased", manifest, base, adapter=adapter, eraser=eraser)
        loaded = load_reference(erased, base, self.work / "cache")
        loaded = replace(loaded, engine=RememberingEngine(loaded.engine))
        calibration, rule, notes = calibrate_and_decide(config, erased, loaded, dataset)
        for note in notes:
            self.say(f"note: {note}")
        decided = write_bundle(
            drafts / "decided",
            manifest,
            {"calibration.json": calibration, "decision.json": rule, "probes.json": erased.probes},
            adapter=adapter,
            eraser=eraser,
            overwrite=True,
        )
        self.say("evaluating on the test split")
        evaluation = evaluate_test(config, decided, loaded, dataset.test)
        evaluation = evaluation.model_copy(update={"notes": [*evaluation.notes, *notes, *dataset.warnings]})
        parts: dict[str, Any] = {
            "calibration.json": calibration,
            "decision.json": rule,
            "probes.json": erased.probes,
            "metrics.json": evaluation,
            "training_config.json": config,
            "epoch_metrics.csv": history.as_csv(),
            "training_history.json": history.as_json(),
            "fairness_report.html": report_html(evaluation),
            "README.md": evaluated_model_card(
                decided.manifest,
                calibration,
                evaluation,
                training=_told(config, train, len(history.rows), seconds),
            ),
        }
        if config.data.synthetic is not None:
            self.say("evaluating on biased data")
            parts["metrics_biased.json"] = evaluate_biased(config, decided, loaded)
        return write_bundle(output, manifest, parts, adapter=adapter, eraser=eraser, overwrite=overwrite)

    def _trained(
        self,
        base: BaseModel,
        tokenizer: PairTokenizer,
        train: TokenizedPairs,
        validation: TokenizedPairs,
        record: dict[str, Any],
    ) -> Path:
        """Train, and say where the adapter of the chosen epoch lies."""
        config = self.config
        encoder = load_encoder(base.folder, base.pooling)
        add_adapter(encoder, config.adapter)
        groups = train.groups()
        items = MatchItems(train, tokenizer, config.sampling, seed=config.seed)
        if len(items) < config.trainer.batch_jobs * count():
            raise TrainingError(
                f"the training split has {len(items)} jobs; a batch needs trainer.batch_jobs = "
                f"{config.trainer.batch_jobs}{f' in each of {count()} processes' if count() > 1 else ''}"
            )
        teacher = load_encoder(base.folder, base.pooling) if config.losses.distillation else None
        model = FairMatcher(
            encoder,
            config.matching,
            config.losses,
            groups | {NAME_GROUP: items.name_groups},
            dimensions=base.spec.dimensions,
            teacher=teacher,
        )
        trainer = FairTrainer(
            model,
            items,
            Collator(train, groups, config.sampling),
            Validator(
                validation,
                tokenizer,
                config.matching,
                counterfactual_resumes=config.trainer.validation_resumes,
                seed=config.seed,
            ),
            self.work,
            config.trainer,
            config.selection,
            seed=config.seed,
            quiet=self.quiet,
        )
        checkpoint = last_checkpoint(self.work, record) if self.resume else None
        if checkpoint is None and not rank() and (forgotten := begin(self.work, record)):
            self.say(f"note: beginning anew; {forgotten} checkpoints of another run were removed")
        trainer.train_from(checkpoint)
        adapter = self.work / KEPT / config.selection.final
        if not adapter.is_dir():
            raise TrainingError(
                f"no epoch was chosen as {config.selection.final}: none inside the window was below "
                f"{config.selection.window_fairness}"
            )
        return adapter


def _record_of(config: RunConfig, dataset: Dataset) -> dict[str, Any]:
    """What a run must have in common with the one that it goes on from."""
    chosen = config.model_dump(mode="json", include={*TRAINED_BY, "seed"})
    return chosen | {"pairs": {"train": _digest(dataset.train), "validation": _digest(dataset.validation)}}


def _digest(examples: Iterable[Example]) -> str:
    """Of all that training reads of the pairs, so that no text is kept."""
    digest = hashlib.sha256()
    for e in examples:
        told = (e.job_id, e.title, e.description, e.resume_id, e.resume, e.label, e.grade, e.retold)
        digest.update(json.dumps([*told, sorted(e.groups.items())]).encode())
    return digest.hexdigest()


def _make_writable(folder: Path) -> None:
    """Find out now, not after the training, that nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise TrainingError(f"{folder} cannot be written to: {error.strerror}") from None


def _overwritten(folder: Path, manifest: Manifest, base: BaseModel, **parts: Any) -> Bundle:
    probes = make_probes(base, manifest, parts.get("adapter"), parts.get("eraser"))
    return write_draft(folder, manifest, probes, **parts)


def _told(config: RunConfig, train: TokenizedPairs, epochs: int, seconds: float) -> str:
    if not config.losses.names:
        return f"None: the base model as it is; erasure: {config.erasure.method}."
    share = config.trainer.kept_share
    kept = "" if share == 1 else f"{share:.0%} of the update kept, "
    length = f"{epochs} epoch{'s'[: epochs - 1]} in {seconds / 60:.0f} minutes"
    return (
        f"LoRA of rank {config.adapter.r} on {len(train.labels):,} pairs of {len(train.jobs):,} jobs and "
        f"{len(train.resumes):,} resumes, {length}, {kept}"
        f"losses: {', '.join(config.losses.names)}; erasure: {config.erasure.method}. Repeat it with "
        "`evenmatch-train run --config` and `training_config.json`."
    )
